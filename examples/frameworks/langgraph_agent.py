"""LangGraph, by LangChain's agent and MCP adapters: an agent that asks about your contacts.

pip install smoc-mcp langchain langchain-openai langchain-mcp-adapters
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
    async with MultiServerMCPClient({"smoc": start}).session("smoc") as session:
        agent = create_agent(model, await load_mcp_tools(session))
        done = await agent.ainvoke({"messages": [("user", question)]})
        return str(done["messages"][-1].text)


if __name__ == "__main__":
    name = os.environ.get("EXAMPLE_MODEL", "openai:gpt-5.2")
    print(asyncio.run(answer(sys.argv[1], name)))
