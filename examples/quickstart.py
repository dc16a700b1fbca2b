"""Ask about contacts from Python, over stdio, with the MCP SDK's client.

Needs no key: it asks the sandbox. For your own contacts leave SMOC_BASE_URL out and set
SMOC_API_KEY to your company's key.
"""

import sys

import anyio
from mcp import Client, StdioServerParameters, stdio_client

from smoc_mcp.sandbox import NORDLYS_KEY, Sandbox, run_in_thread


async def main(url: str) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "smoc_mcp"],
        env={"SMOC_API_KEY": NORDLYS_KEY, "SMOC_BASE_URL": url},
    )
    async with Client(stdio_client(server)) as client:
        answer = await client.call_tool(
            "contacts_stats", {"group_by": "utm_source", "created_after": "30d"}
        )
        found = answer.structured_content
        assert found is not None
        print(f"{found['total']} new contacts in 30 days ({found['total_certainty']})")
        for group in found["groups"]:
            print(f"  {group['key']['utm_source']}: {group['contacts']} ({group['share']:.0%})")
        assert found["groups_certainty"] == "exact"
        assert found["total"] == sum(group["contacts"] for group in found["groups"])


if __name__ == "__main__":
    with run_in_thread(Sandbox()) as address:
        anyio.run(main, address)
