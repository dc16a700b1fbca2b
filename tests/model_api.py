"""A model's API in a box: a real HTTP server that speaks both wire formats by a script.

Each request is answered by the next step of the script: calls of tools, last words, or a status to
fail with. What came is kept, as it was on the wire.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Failure(NamedTuple):
    """A status instead of an answer."""

    status: int
    retry_after: str = ""


Step = str | Failure | Mapping[str, Mapping[str, Any]]
"""Last words, a failure, or arguments by the tools to call."""


@dataclass
class ModelApi:
    """What is answered, and what came."""

    script: Sequence[Step]
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def step(self) -> Step:
        """Return what the request that came last is answered with; the last step for ever."""
        return self.script[min(len(self.asked), len(self.script)) - 1]


def anthropic_answer(step: str | Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a message as Anthropic's API sends it."""
    calls = {} if isinstance(step, str) else step
    content: list[dict[str, Any]] = [
        {"type": "text", "text": step if isinstance(step, str) else "I look it up."}
    ]
    content += [
        {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": dict(arguments)}
        for n, (name, arguments) in enumerate(calls.items())
    ]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": "tool_use" if calls else "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def openai_answer(step: str | Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a chat completion as OpenAI's API sends it."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if isinstance(step, str):
        message["content"] = step
    else:
        message["tool_calls"] = [
            {
                "id": f"call_{n}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for n, (name, arguments) in enumerate(step.items())
        ]
    reason = "stop" if isinstance(step, str) else "tool_calls"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
    }


@contextmanager
def model_api(*script: Step) -> Iterator[ModelApi]:
    """Serve a script on loopback."""
    api = ModelApi(script)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            api.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            api.headers.append({name.lower(): value for name, value in self.headers.items()})
            step = api.step()
            if isinstance(step, Failure):
                # APIs repeat a wrong key, or parts of it.
                key = self.headers.get("x-api-key") or self.headers.get("authorization")
                self._send(step.status, {"error": f"Not with {key}"}, step.retry_after)
            elif self.path == "/v1/messages":
                self._send(200, anthropic_answer(step))
            elif self.path == "/v1/chat/completions":
                self._send(200, openai_answer(step))
            else:
                self._send(404, {})

        def _send(self, status: int, answer: Mapping[str, Any], retry_after: str = "") -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            if retry_after:
                self.send_header("retry-after", retry_after)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
