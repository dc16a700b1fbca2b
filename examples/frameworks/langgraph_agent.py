"""LangGraph, by LangChain's agent and MCP adapters: an agent that asks about your contacts.

pipx install smoc-mcp
pip install langchain langchain-openai langchain-mcp-adapters

The server is installed apart, as the adapters need version 1 of the MCP SDK and it needs version 2.

SMOC_API_KEY=… OPENAI_API_KEY=… python langgraph_agent.py "Which campaign converts best?"
"""

import asyncio
import os
import sys

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.sessions import StdioConnection
from langchain_mcp_adapters.tools import load_mcp_tools

SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("SMOC_")}


async def answer(question: str, model: BaseChatModel | str) -> str:
    start = StdioConnection(transport="stdio", command="smoc-mcp", args=[], env=SETTINGS)
    # One session for all questions: without it each call starts a server of its own.
    async with MultiServerMCPClient({"smoc": start}).session(
        "smoc", auto_initialize=False
    ) as session:
        told = (await session.initialize()).instructions
        agent = create_agent(model, await load_mcp_tools(session), system_prompt=told)
        done = await agent.ainvoke({"messages": [("user", question)]})
        return str(done["messages"][-1].text)


if __name__ == "__main__":
    name = os.environ.get("EXAMPLE_MODEL", "openai:gpt-5.2")
    print(asyncio.run(answer(" ".join(sys.argv[1:]) or "Which campaign converts best?", name)))
