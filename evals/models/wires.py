"""Two wire formats: Anthropic's messages, and chat completions as OpenAI and many others take them.

Neither needs an SDK. A wire turns questions and results into a request's body, and an answer into a
reply; what was said stays in the messages of the conversation.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from evals.models.chat import Chat, ModelError, Offer, Reply, Result, ToolCall
from evals.models.posting import Endpoint
from evals.task import Given, Task

__all__ = ["WIRES", "RemoteModel", "Wire"]

_MOST_TOKENS = 4_000
_VERSION = "2023-06-01"


class Wire(Protocol):
    """A wire format."""

    key_variable: str
    base_url: str
    path: str

    def headers(self, key: str) -> dict[str, str]:
        """Return the headers that carry a key."""

    def begin(self, offer: Offer) -> list[dict[str, Any]]:
        """Return the messages that come before the first question."""

    def results(self, results: Sequence[Result]) -> list[dict[str, Any]]:
        """Return the messages that give the answers of tools."""

    def body(self, model: str, offer: Offer, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """Return a request's body."""

    def read(self, answer: Mapping[str, Any]) -> tuple[dict[str, Any], Reply]:
        """Return the model's message, to be sent back later, and what it says."""


class _Anthropic:
    key_variable, base_url, path = "ANTHROPIC_API_KEY", "https://api.anthropic.com", "/v1/messages"

    def headers(self, key: str) -> dict[str, str]:
        return {"x-api-key": key, "anthropic-version": _VERSION}

    def begin(self, offer: Offer) -> list[dict[str, Any]]:
        del offer  # the system's words are beside the messages
        return []

    def results(self, results: Sequence[Result]) -> list[dict[str, Any]]:
        blocks = [
            {
                "type": "tool_result",
                "tool_use_id": result.call.id,
                "content": result.shown,
                "is_error": result.is_error,
            }
            for result in results
        ]
        return [{"role": "user", "content": blocks}]

    def body(self, model: str, offer: Offer, messages: list[dict[str, Any]]) -> dict[str, Any]:
        tools = [
            {"name": name, "description": about, "input_schema": schema}
            for name, about, schema in offer.tools
        ]
        return {
            "model": model,
            "max_tokens": _MOST_TOKENS,
            "system": offer.system,
            "tools": tools,
            "messages": messages,
        }

    def read(self, answer: Mapping[str, Any]) -> tuple[dict[str, Any], Reply]:
        blocks = answer["content"]
        text = "".join(block["text"] for block in blocks if block["type"] == "text")
        calls = [
            ToolCall(block["id"], block["name"], dict(block["input"]))
            for block in blocks
            if block["type"] == "tool_use"
        ]
        return {"role": "assistant", "content": blocks}, Reply(text, calls)


class _OpenAI:
    key_variable, base_url, path = (
        "OPENAI_API_KEY",
        "https://api.openai.com",
        "/v1/chat/completions",
    )

    def headers(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key}"}

    def begin(self, offer: Offer) -> list[dict[str, Any]]:
        return [{"role": "system", "content": offer.system}]

    def results(self, results: Sequence[Result]) -> list[dict[str, Any]]:
        return [
            {"role": "tool", "tool_call_id": result.call.id, "content": result.shown}
            for result in results
        ]

    def body(self, model: str, offer: Offer, messages: list[dict[str, Any]]) -> dict[str, Any]:
        tools = [
            {
                "type": "function",
                "function": {"name": name, "description": about, "parameters": schema},
            }
            for name, about, schema in offer.tools
        ]
        return {"model": model, "messages": messages, "tools": tools}

    def read(self, answer: Mapping[str, Any]) -> tuple[dict[str, Any], Reply]:
        said = answer["choices"][0]["message"]
        # Only what every server of this format takes back.
        names = ("role", "content", "tool_calls")
        message = {name: said[name] for name in names if name in said}
        calls = [
            ToolCall(call["id"], call["function"]["name"], _arguments(call["function"]))
            for call in message.get("tool_calls") or ()
        ]
        return message, Reply(message.get("content") or "", calls)


def _arguments(function: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call, which this format writes as text."""
    try:
        found = json.loads(function.get("arguments") or "{}")
    except ValueError:
        found = None
    # The server's own refusal tells the model what was wrong with it.
    return found if isinstance(found, dict) else {"arguments": function.get("arguments")}


WIRES: Mapping[str, Wire] = {"anthropic": _Anthropic(), "openai": _OpenAI()}
"""The wire formats by the word before the slash of `--model`."""


class RemoteModel:
    """A model behind an API.

    Args:
        wire: Its format.
        model: Its name there.
        endpoint: Where it is asked.
    """

    def __init__(self, wire: Wire, model: str, endpoint: Endpoint) -> None:
        self.name = model
        self.wire = wire
        self.endpoint = endpoint

    def chat(self, task: Task, given: Given, offer: Offer) -> Chat:
        """Begin a conversation."""
        del task, given  # it is asked, not told
        return _Conversation(self, offer)


class _Conversation:
    def __init__(self, model: RemoteModel, offer: Offer) -> None:
        self._model = model
        self._offer = offer
        self._messages = model.wire.begin(offer)

    async def ask(self, question: str) -> Reply:
        self._messages.append({"role": "user", "content": question})
        return await self._next()

    async def give(self, results: Sequence[Result]) -> Reply:
        self._messages += self._model.wire.results(results)
        return await self._next()

    async def _next(self) -> Reply:
        wire = self._model.wire
        body = wire.body(self._model.name, self._offer, self._messages)
        answer = await self._model.endpoint.post(body)
        try:
            message, reply = wire.read(answer)
        except (LookupError, TypeError, ValueError) as odd:
            shown = json.dumps(answer)[:300]
            raise ModelError(f"the model's API answered in another form: {shown}") from odd
        self._messages.append(message)
        return reply
