"""Pydantic AI: an agent that asks about your contacts.

pip install smoc-mcp "pydantic-ai-slim[mcp,openai]"
SMOC_API_KEY=… OPENAI_API_KEY=… python pydantic_ai_agent.py "Which campaign converts best?"
"""

import asyncio
import os
import sys

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models import Model

SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("SMOC_")}


async def answer(question: str, model: Model | str) -> str:
    server = StdioTransport("smoc-mcp", [], env=SETTINGS)
    async with Agent(model, toolsets=[MCPToolset(server, include_instructions=True)]) as agent:
        return (await agent.run(question)).output


if __name__ == "__main__":
    name = os.environ.get("EXAMPLE_MODEL", "openai:gpt-5.2")
    print(asyncio.run(answer(" ".join(sys.argv[1:]) or "Which campaign converts best?", name)))
