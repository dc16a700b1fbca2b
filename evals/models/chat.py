"""What the harness asks of a model, whatever wire it is on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from evals.task import Found, Given, Task

__all__ = ["Chat", "Model", "ModelError", "Offer", "Reply", "Result", "ToolCall"]


class ModelError(Exception):
    """A model that could not be asked: the sentence says what happened and what to do."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model wants to be made.

    Attributes:
        id: By which the wire format knows it.
        name: The tool.
        arguments: As the model wrote them.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answered.

    Attributes:
        call: What was called.
        shown: The answer in the form that the model is given.
        found: The structured form; of a refusal its text as `error`.
        is_error: Whether it is a refusal.
    """

    call: ToolCall
    shown: str
    found: Found
    is_error: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model says: calls to be made, or its last words of a turn."""

    text: str
    calls: Sequence[ToolCall] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What a model is told before the first question.

    Attributes:
        system: The server's instructions, and ours.
        tools: Name, description and input schema of each tool.
    """

    system: str
    tools: Sequence[tuple[str, str, Mapping[str, Any]]]


class Chat(Protocol):
    """One conversation."""

    async def ask(self, question: str) -> Reply:
        """Return what the model says to a question."""

    async def give(self, results: Sequence[Result]) -> Reply:
        """Return what the model says to the answers of the tools that it called."""


class Model(Protocol):
    """Somebody who can be asked."""

    @property
    def name(self) -> str:
        """What results call it."""

    def chat(self, task: Task, given: Given, offer: Offer) -> Chat:
        """Begin a conversation; only a scripted model looks at the task."""
