"""A task: what a person asks, what is true of it, and how a careful model would find it out."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from evals.world import World

__all__ = [
    "AT_LEAST",
    "EXACT",
    "IDS",
    "INTEGER",
    "SHARE",
    "TEXT",
    "Ask",
    "Certainty",
    "Found",
    "Given",
    "Needed",
    "Plan",
    "Planned",
    "Say",
    "Task",
    "Truth",
    "Turn",
    "ask",
    "at_least",
    "between",
    "exact",
    "one_of",
    "say",
    "unknowable",
]

Found = dict[str, Any]
"""The structured form of a tool's answer; of a refusal its text as `error`."""

Given = Mapping[str, str]
"""What the questions of a task name: a date, an address, a name."""

INTEGER, SHARE, TEXT = "integer", "number from 0 to 1", "text"
IDS = "list of contact ids"


class Certainty(IntEnum):
    """What may be claimed of an answer, from the least to the most."""

    NOTHING = 0
    AT_LEAST = 1
    EXACT = 2


AT_LEAST, EXACT = Certainty.AT_LEAST, Certainty.EXACT


class Turn(NamedTuple):
    """One question of a conversation.

    Attributes:
        question: As a person would ask it, with `{names}` of what is given.
        claims: Of what kind each claim is that the answer must end with, by its name.
    """

    question: str
    claims: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of one turn.

    Attributes:
        claims: By name a number, a text, a set of ids, a mapping, or a test of what was said.
        may: The most certainty that the proofs allow; NOTHING where it cannot be said at all.
        forbidden: Words that claim more than is proven, by the claim that would hold them: a
            "no" where an absence has no proof.
    """

    claims: Mapping[str, object]
    may: Certainty
    forbidden: Mapping[str, str] = field(default_factory=dict)


def exact(**claims: object) -> Truth:
    """Return a truth that may be claimed to be exact."""
    return Truth(claims, EXACT)


def at_least(forbidden: Mapping[str, str] | None = None, **claims: object) -> Truth:
    """Return a truth of which no more than a lower bound is proven."""
    return Truth(claims, AT_LEAST, forbidden or {})


def unknowable() -> Truth:
    """Return the truth of a question that the server cannot answer."""
    return Truth({}, Certainty.NOTHING)


def one_of(*texts: object) -> Callable[[object], bool]:
    """Return a test for any of some texts: where several are equally true."""
    allowed = {str(text).strip().casefold() for text in texts}
    return lambda said: str(said).strip().casefold() in allowed


def between(floor: int, truth: int) -> Callable[[object], bool]:
    """Return a test for a lower bound that is true, and no lower than what can be seen."""
    return lambda said: isinstance(said, int) and floor <= said <= truth


class Ask(NamedTuple):
    """A step of a plan: a call of a tool, which its answer follows."""

    tool: str
    arguments: Mapping[str, object]


class Say(NamedTuple):
    """A step of a plan: the claims that end a turn, which the next question follows."""

    claims: Mapping[str, object]


def ask(tool: str, **arguments: object) -> Ask:
    """Return the step that calls a tool."""
    return Ask(tool, arguments)


def say(**claims: object) -> Say:
    """Return the step that ends a turn."""
    return Say(claims)


Planned = Generator[Ask | Say, Found, None]
Plan = Callable[[Given], Planned]
"""How a scripted model works: it reads what is given in the question and what tools answered."""


class Needed(NamedTuple):
    """What a server must offer for a task: a tool, a parameter of it, a value of that.

    Attributes:
        tool: Its name.
        parameter: One of its input schema; empty for the tool alone.
        value: A word that the parameter's enum or description names; empty for any.
    """

    tool: str
    parameter: str = ""
    value: str = ""

    def __str__(self) -> str:
        """Return it as a caller would write it, such as `contacts_stats measure=visits`."""
        return f"{self.tool} {'='.join(filter(None, (self.parameter, self.value)))}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task.

    Attributes:
        id: Its name.
        size: How many contacts its company has.
        turns: The questions.
        given: What the questions name, of a company.
        truth: What is true of each turn.
        plan: The calls of a careful model, and how it reads the answers.
        careless: Those of a model that falls for what misleads; None where only its claims differ.
        calls: The most calls that it should take.
        tokens: The most tokens (o200k) that the answers of tools should take, in either form.
        needs: What not every server offers.
    """

    id: str
    size: int
    turns: Sequence[Turn]
    truth: Callable[[World, Given], Sequence[Truth]]
    plan: Plan
    given: Callable[[World], Given] = lambda _: {}
    careless: Plan | None = None
    calls: int = 1
    tokens: int = 1_000
    needs: Needed | None = None

    @property
    def kind(self) -> str:
        """The module that it is in."""
        return self.plan.__module__.rpartition(".")[2]
