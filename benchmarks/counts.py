"""What each of the twelve questions costs in things that no machine changes; fails on a regression.

    python -m benchmarks.counts

Requests to the API when nothing is in hand and when everything is, the most memory that is
allocated at once for a warm answer, and the tokens of both forms. How the store reads is looked at
by tests/test_plans.py.
"""

import sys
import tracemalloc
from typing import NamedTuple

import anyio
from mcp import Client
from pydantic import SecretStr

from benchmarks.questions import Question, twelve_questions
from benchmarks.tokens import MOST_STRUCTURED, MOST_TEXT, both_forms
from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.server.server import build_server
from smoc_mcp.views.lists import Views

__all__: list[str] = []

_KEY = "key-of-the-benchmark"
_SIZE = 3_000
_COLD, _KIBIBYTES = 6, 400
"""The most that one question may cost: four windows, the counts and a last look; and about twice
what the dearest took when this was written."""


class Cost(NamedTuple):
    """What one question costs.

    Attributes:
        said: Its words.
        cold: Requests to the API with nothing in hand.
        warm: Requests when it is asked again.
        kibibytes: The most that is allocated at once when it is asked again.
        text: Tokens of the text.
        structured: Tokens of the structured form.
    """

    said: str
    cold: int
    warm: int
    kibibytes: int
    text: int
    structured: int


async def cost_of(question: Question, sandbox: Sandbox, url: str) -> Cost:
    """Return what a question costs a server that was asked nothing before."""
    async with (
        SmocClient(url, SecretStr(_KEY), 20) as api,
        ContactDirectory(api) as directory,
        Client(build_server(lambda: directory, Views())) as client,
    ):
        sandbox.forget_requests()
        answer = await client.call_tool(question.tool, question.arguments)
        if answer.is_error:
            raise RuntimeError(f"{question.said} {answer.content}")
        cold = len(sandbox.requests)
        tracemalloc.start()
        await client.call_tool(question.tool, question.arguments)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        warm = len(sandbox.requests) - cold
    return Cost(question.said, cold, warm, peak // 1_024, *both_forms(answer))


def broken(costs: list[Cost]) -> list[str]:
    """Return what costs more than it may."""
    found = [f"{c.said} {c.cold} requests, at most {_COLD}" for c in costs if c.cold > _COLD]
    found += [f"{c.said} {c.warm} requests when warm" for c in costs if c.warm]
    found += [
        f"{c.said} {c.kibibytes:,} KiB, at most {_KIBIBYTES:,}"
        for c in costs
        if c.kibibytes > _KIBIBYTES
    ]
    text, structured = sum(c.text for c in costs), sum(c.structured for c in costs)
    if text > MOST_TEXT or structured > MOST_STRUCTURED:
        found.append(f"{text:,} and {structured:,} tokens")
    return found


def main() -> int:
    """Print the table, and what is wrong with it; return the exit code."""
    company = Company("Nordlys", seed=1, size=_SIZE)
    sandbox = Sandbox(keys={_KEY: company})
    with run_in_thread(sandbox) as url:
        costs = [anyio.run(cost_of, q, sandbox, url) for q in twelve_questions(company)]
    heads = ("cold", "warm", "KiB", "text", "structured")
    print(f"{'question':<52}", *(f"{head:>10}" for head in heads))
    for said, *numbers in costs:
        print(f"{said:<52.52}", *(f"{number:>10,}" for number in numbers))
    found = broken(costs)
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
