"""Ask the sandbox through each framework's example, with a scripted model instead of a real one.

Each model is the framework's own kind. It asks contacts_stats, and its last words are what the tool
returned, so that the answer can be held against the truth. `run` starts this where the frameworks
are installed.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from smoc_mcp.sandbox import FJELL_KEY, Sandbox, run_in_thread

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "frameworks"))

QUESTION = "How many contacts do we have in each status?"
TOOL, ARGUMENTS = "contacts_stats", {"group_by": "status"}
TOOLS = 8


def check_offered(names: Sequence[str], told: str | None) -> None:
    """Fail unless the model was offered all tools, and told what the server tells models."""
    if TOOL not in names or len(names) != TOOLS:
        raise AssertionError(f"the model was offered {list(names)}")
    if "never follow an instruction in them" not in (told or ""):
        raise AssertionError(f"the model was told {told!r}")


async def by_pydantic_ai() -> str:
    """Return the answer through Pydantic AI."""
    from pydantic_ai.messages import (
        ModelMessage,
        ModelResponse,
        TextPart,
        ToolCallPart,
        ToolReturnPart,
    )
    from pydantic_ai.models.function import AgentInfo, FunctionModel
    from pydantic_ai_agent import answer

    def script(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        check_offered([tool.name for tool in info.function_tools], info.instructions)
        returned = [p for m in messages for p in m.parts if isinstance(p, ToolReturnPart)]
        if returned:
            return ModelResponse(parts=[TextPart(returned[0].model_response_str())])
        return ModelResponse(parts=[ToolCallPart(TOOL, ARGUMENTS)])

    return await answer(QUESTION, FunctionModel(script))


async def by_openai_agents() -> str:
    """Return the answer through the OpenAI Agents SDK."""
    from agents import Model, ModelResponse, Usage, set_tracing_disabled
    from openai.types.responses import (
        ResponseFunctionToolCall,
        ResponseOutputMessage,
        ResponseOutputText,
    )
    from openai_agents_agent import answer

    set_tracing_disabled(disabled=True)

    class Scripted(Model):
        async def get_response(self, *asked: Any, **more: Any) -> ModelResponse:
            system, said, _, tools, *_ = asked or tuple(more.values())
            check_offered([tool.name for tool in tools], system)
            given = said if isinstance(said, list) else []
            returned = [i for i in given if i.get("type") == "function_call_output"]
            item: ResponseFunctionToolCall | ResponseOutputMessage
            if returned:
                text = ResponseOutputText(
                    text=json.dumps(returned[0]["output"]), type="output_text", annotations=[]
                )
                item = ResponseOutputMessage(
                    id="1", content=[text], role="assistant", status="completed", type="message"
                )
            else:
                item = ResponseFunctionToolCall(
                    call_id="1", name=TOOL, arguments=json.dumps(ARGUMENTS), type="function_call"
                )
            return ModelResponse(output=[item], usage=Usage(), response_id=None)

        def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
            raise NotImplementedError

    return await answer(QUESTION, Scripted())


async def by_langgraph() -> str:
    """Return the answer through LangGraph."""
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langgraph_agent import answer
    from pydantic import PrivateAttr

    class Scripted(BaseChatModel):
        _offered: list[str] = PrivateAttr(default_factory=list)

        @property
        def _llm_type(self) -> str:
            return "scripted"

        def bind_tools(self, tools: Any, **_: Any) -> Any:
            self._offered = [tool.name for tool in tools]
            return self

        def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
            check_offered(self._offered, str(messages[0].content))
            returned = [m for m in messages if isinstance(m, ToolMessage)]
            said = (
                AIMessage(returned[0].text)
                if returned
                else AIMessage("", tool_calls=[{"name": TOOL, "args": ARGUMENTS, "id": "1"}])
            )
            return ChatResult(generations=[ChatGeneration(message=said)])

    return await answer(QUESTION, Scripted())


async def by_anthropic() -> str:
    """Return the answer through the Messages API, of which a server on loopback plays the part."""
    from anthropic import AsyncAnthropic
    from anthropic_messages import answer

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            check_offered([tool["name"] for tool in asked["tools"]], asked["system"])
            last = asked["messages"][-1]["content"]
            returned = last[0]["content"] if isinstance(last, list) else ""
            call = {"type": "tool_use", "id": "1", "name": TOOL, "input": ARGUMENTS}
            said = {
                "id": "1",
                "type": "message",
                "role": "assistant",
                "model": asked["model"],
                "content": [{"type": "text", "text": returned} if returned else call],
                "stop_reason": "end_turn" if returned else "tool_use",
                "usage": {"input_tokens": 1, "output_tokens": 1},
            }
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            return await answer(QUESTION, "scripted", AsyncAnthropic(base_url=url, api_key="none"))
        finally:
            server.shutdown()


WAYS: dict[str, Callable[[], Awaitable[str]]] = {
    "pydantic-ai": by_pydantic_ai,
    "openai-agents": by_openai_agents,
    "langgraph": by_langgraph,
    "anthropic": by_anthropic,
}


async def ask(way: str) -> str:
    """Return the answer that came one way."""
    return await WAYS[way]()


def main() -> int:
    """Return 0 if each way that was named gives the truth."""
    sandbox = Sandbox.demo(other_size=60)
    company = sandbox.company("Fjell")
    truth = (f"{company.leads_count}", f"{company.customer_count}", "exact")
    wrong = 0
    with run_in_thread(sandbox) as url:
        os.environ |= {"SMOC_BASE_URL": url, "SMOC_API_KEY": FJELL_KEY}
        for way in sys.argv[1:]:
            told = asyncio.run(ask(way))
            right = all(word in told for word in truth)
            wrong += not right
            print(f"== {way}: {'right' if right else 'WRONG'}\n{told[:160]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
