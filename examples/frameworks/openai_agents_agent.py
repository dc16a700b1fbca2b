"""OpenAI Agents SDK: an agent that asks about your contacts.

pip install smoc-mcp openai-agents
SMOC_API_KEY=… OPENAI_API_KEY=… python openai_agents_agent.py "Which campaign converts best?"
"""

import asyncio
import os
import sys

from agents import Agent, Model, Runner
from agents.mcp import MCPServerStdio, MCPServerStdioParams

SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("SMOC_")}


async def answer(question: str, model: Model | str) -> str:
    start = MCPServerStdioParams(command="smoc-mcp", args=[], env=SETTINGS)
    async with MCPServerStdio(start, client_session_timeout_seconds=30) as server:
        told = server.session.instructions if server.session else None
        agent = Agent("Contacts", instructions=told, model=model, mcp_servers=[server])
        return str((await Runner.run(agent, question)).final_output)


if __name__ == "__main__":
    name = os.environ.get("EXAMPLE_MODEL", "gpt-5.2")
    print(asyncio.run(answer(" ".join(sys.argv[1:]) or "Which campaign converts best?", name)))
