"""Anthropic's Messages API, in a loop of our own: ask about your contacts.

pip install smoc-mcp anthropic
SMOC_API_KEY=… ANTHROPIC_API_KEY=… python anthropic_messages.py "Which campaign converts best?"
"""

import asyncio
import os
import sys

from anthropic import AsyncAnthropic
from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam
from mcp import Client, StdioServerParameters, stdio_client

SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("SMOC_")}


async def answer(question: str, model: str, anthropic: AsyncAnthropic) -> str:
    start = StdioServerParameters(command="smoc-mcp", args=[], env=SETTINGS)
    async with Client(stdio_client(start)) as server:
        tools = [
            ToolParam(
                name=tool.name,
                description=tool.description or "",
                input_schema=tool.input_schema,
            )
            for tool in (await server.list_tools()).tools
        ]
        messages: list[MessageParam] = [{"role": "user", "content": question}]
        while True:
            said = await anthropic.messages.create(
                model=model,
                max_tokens=2_000,
                system=server.instructions or "",
                tools=tools,
                messages=messages,
            )
            messages.append({"role": "assistant", "content": said.content})
            results: list[ToolResultBlockParam] = []
            for block in said.content:
                if block.type == "tool_use":
                    found = await server.call_tool(block.name, dict(block.input))
                    text = "\n".join(c.text for c in found.content if c.type == "text")
                    results.append(
                        {
                            "type": "tool_result",
                            "tool_use_id": block.id,
                            "content": text,
                            "is_error": found.is_error,
                        }
                    )
            if not results:
                return "".join(block.text for block in said.content if block.type == "text")
            messages.append({"role": "user", "content": results})


if __name__ == "__main__":
    name = os.environ.get("EXAMPLE_MODEL", "claude-sonnet-4-5")
    print(
        asyncio.run(
            answer(
                " ".join(sys.argv[1:]) or "Which campaign converts best?", name, AsyncAnthropic()
            )
        )
    )
