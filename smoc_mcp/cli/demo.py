"""`demo`: starts the sandbox and the server as processes, and asks the server a few questions."""

import argparse
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import ProxyHandler, build_opener

import anyio
from pydantic import SecretStr

from smoc_mcp.cli.command import Command
from smoc_mcp.cli.dashboard import show_dashboard
from smoc_mcp.settings import Settings

__all__ = ["DEMO"]

_WIDTH = 100
_MOST_LINES = 14


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dashboard", action="store_true", help="show the pictures in a browser instead"
    )


def _run(options: argparse.Namespace) -> int:
    print("Starting the sandbox: the SMOC API on a local port, with 3,000 made-up contacts …")
    from smoc_mcp.sandbox import NORDLYS_KEY

    with _sandbox() as url:
        if options.dashboard:
            settings = Settings(api_key=SecretStr(NORDLYS_KEY), base_url=url)
            anyio.run(show_dashboard, settings, {})
            return 0
        return anyio.run(_converse, url, _contact_beyond_the_newest(url))


@contextmanager
def _sandbox() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "smoc_mcp", "sandbox", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            line = process.stdout.readline().strip() if process.stdout else ""
            if not line:
                raise RuntimeError("the sandbox did not start; see the message above")
            yield line
        finally:
            process.terminate()


async def _converse(url: str, old: str) -> int:
    from mcp import Client, StdioServerParameters, stdio_client
    from mcp_types import TextContent

    from smoc_mcp.sandbox import NORDLYS_KEY

    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "smoc_mcp"],
        env={"SMOC_API_KEY": NORDLYS_KEY, "SMOC_BASE_URL": url},
    )
    questions: list[tuple[str, str, dict[str, object]]] = [
        ("How many leads and customers do we have?", "contacts_stats", {}),
        ("Who are the three newest?", "contacts_list", {"limit": 3}),
        (
            "Which campaigns brought the contacts of the last 30 days?",
            "contacts_stats",
            {"group_by": "utm_campaign", "created_after": "30d", "limit": 6},
        ),
        (
            f"Is {old} one of ours? (None of the newest 500 by any order has this address.)",
            "contacts_find_by_email",
            {"email": f"  {old.upper()} "},
        ),
        (
            "And nobody.at.all@example.com?",
            "contacts_find_by_email",
            {"email": "nobody.at.all@example.com"},
        ),
        (
            "Which customers in Oslo have no phone number?",
            "contacts_search",
            {"status": "customer", "city": "Oslo", "has": "-phone", "limit": 3},
        ),
    ]
    print("Starting the server, and asking it over stdio as any MCP client would.")
    failed = 0
    async with Client(stdio_client(server)) as client:
        for number, (question, tool, arguments) in enumerate(questions, 1):
            said = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
            print(f"\n{number}. {question}\n   {tool}({said})")
            answer = await client.call_tool(tool, arguments)
            failed += bool(answer.is_error)
            for content in answer.content:
                if isinstance(content, TextContent):
                    print(_shown(content.text))
    print(
        "\nEvery answer says what is proven: exact is the truth as of its time, at_least a lower "
        "bound.\nTo look instead of reading: smoc-mcp demo --dashboard\nTo ask about your own "
        "contacts: smoc-mcp config claude-desktop (or claude-code, cursor,\nvscode, codex), with a "
        "key from SMOC Console → Settings → Integrations → API."
    )
    return 1 if failed else 0


def _contact_beyond_the_newest(url: str) -> str:
    """Return the address of somebody whom none of the three sorted windows shows."""
    company = f"{url}/sandbox/companies/Nordlys"
    for contact_id in _get_json(f"{company}/beyond")["ids"]:
        email = _get_json(f"{company}/contacts/{contact_id}").get("email")
        if isinstance(email, str) and email.isascii() and email.isprintable():
            return email
    raise RuntimeError("the sandbox has no contact beyond its newest 500")


def _get_json(url: str) -> dict[str, Any]:
    # Without the environment's proxies: the address is our own machine's loopback.
    with build_opener(ProxyHandler({})).open(url, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _shown(text: str) -> str:
    """Return an answer indented, each line folded or cut to the screen."""
    lines: list[str] = []
    for line in text.splitlines():
        table = line.count("|") > 2
        lines += [_cut(line)] if table else textwrap.wrap(line, _WIDTH - 3) or [""]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"… {len(lines) - _MOST_LINES + 1} more lines"]
    return textwrap.indent("\n".join(lines), "   ")


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH - 3 else line[: _WIDTH - 4] + "…"


DEMO = Command(
    "demo",
    "see it work, without a key",
    "Starts the sandbox (made-up contacts on a local port) and the server as processes of\n"
    "their own, and asks some questions over stdio, as a client would. Needs no key and no\n"
    "network. With --dashboard it shows them as pictures in a browser.",
    _run,
    _add_options,
)
