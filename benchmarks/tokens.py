"""Tokens of the twelve questions in both forms, beside what a bridge passes on for one call.

The bridge: a tool made of the endpoint alone, such as a generated OpenAPI server, hands the model
the endpoint's default answer, 100 contacts as JSON. Tokens are those of o200k.

    python -m benchmarks.tokens
"""

import json
from functools import cache
from typing import NamedTuple
from urllib.request import ProxyHandler, Request, build_opener

import anyio
import bpe_openai
from mcp import Client
from mcp_types import CallToolResult, TextContent
from pydantic import SecretStr

from benchmarks.questions import Question, twelve_questions
from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.sandbox import ENDPOINT, Company, Sandbox, run_in_thread
from smoc_mcp.server.server import build_server
from smoc_mcp.views.lists import Views

__all__ = ["MOST_STRUCTURED", "MOST_TEXT", "Cost", "both_forms", "bridge_tokens", "measure"]

MOST_TEXT, MOST_STRUCTURED = 11_000, 14_000
"""What the twelve may cost together."""

_KEY = "key-of-the-benchmark"
_SIZE = 3_000


class Cost(NamedTuple):
    """The tokens of one answer."""

    question: Question
    text: int
    structured: int


async def measure(url: str, company: Company) -> list[Cost]:
    """Return what each question costs, asked of the server over a sandbox that serves a company."""
    costs: list[Cost] = []
    async with (
        SmocClient(url, SecretStr(_KEY), 20) as api,
        ContactDirectory(api) as directory,
        Client(build_server(lambda: directory, Views())) as client,
    ):
        for question in twelve_questions(company):
            answer = await client.call_tool(question.tool, question.arguments)
            if answer.is_error:
                raise RuntimeError(f"{question.said} {answer.content}")
            costs.append(Cost(question, *both_forms(answer)))
    return costs


def both_forms(answer: CallToolResult) -> tuple[int, int]:
    """Return the tokens of an answer's text and of its structured form."""
    text = "\n".join(c.text for c in answer.content if isinstance(c, TextContent))
    structured = json.dumps(answer.structured_content, ensure_ascii=False, separators=(",", ":"))
    return _tokens(text), _tokens(structured)


def bridge_tokens(url: str) -> int:
    """Return the tokens of the endpoint's default answer."""
    # Without the environment's proxies: the sandbox is on loopback.
    address = f"{url}{ENDPOINT}"
    request = Request(address, headers={"token": _KEY})  # noqa: S310  the sandbox's own address
    with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
        return _tokens(json.dumps(json.load(answer), ensure_ascii=False, separators=(",", ":")))


def _tokens(text: str) -> int:
    return len(_encoding().encode(text))


@cache
def _encoding() -> bpe_openai.tokenizer.Encoding:
    """Return o200k, which takes a tenth of a second to build."""
    return bpe_openai.get_encoding("o200k_base")


def main() -> None:
    """Print the table."""
    company = Company("Nordlys", seed=1, size=_SIZE)
    with run_in_thread(Sandbox(keys={_KEY: company})) as url:
        costs = anyio.run(measure, url, company)
        bridge = bridge_tokens(url)
    print(f"{'question':<52} {'text':>7} {'structured':>11}")
    for cost in costs:
        print(f"{cost.question.said:<52.52} {cost.text:>7,} {cost.structured:>11,}")
    text, structured = sum(c.text for c in costs), sum(c.structured for c in costs)
    print(f"{'all twelve':<52} {text:>7,} {structured:>11,}")
    print(f"{'target':<52} {MOST_TEXT:>7,} {MOST_STRUCTURED:>11,}")
    print(f"{'one default answer of the endpoint, as a bridge':<52} {bridge:>7,}")
    print(f"The twelve take {text / bridge:.0%} of that one.")


if __name__ == "__main__":
    main()
