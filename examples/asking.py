"""What the questions share: the server as a client asks it, and the truth beside it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mcp import Client, StdioServerParameters, stdio_client

from smoc_mcp.sandbox import NORDLYS_KEY, Sandbox, run_in_thread

Person = dict[str, Any]
Said = tuple[object, object, str]
"""What we answer, what is true, and what the server says is proven of it."""


class Company:
    """The server, asked as a client asks it, and the truth beside it."""

    def __init__(self, client: Client, people: list[Person], now: datetime) -> None:
        self.client = client
        self.people = people
        self.month = (now - timedelta(days=30)).date().isoformat()
        self.now = now
        self.calls = 0

    async def ask(self, tool: str, **arguments: str | int) -> dict[str, Any]:
        """Call a tool and return the structured answer."""
        shown = " ".join(f"{name}={value}" for name, value in arguments.items())
        print(f"   smoc-mcp call {tool} {shown}")
        self.calls += 1
        answer = await self.client.call_tool(tool, arguments)
        assert not answer.is_error, answer.content
        found: dict[str, Any] | None = answer.structured_content
        assert found is not None
        return found

    def weeks_ago(self, weeks: int) -> str:
        """Return a moment to the second, as a caller writes it."""
        return (self.now - timedelta(weeks=weeks)).strftime("%Y-%m-%dT%H:%M:%S+00:00")

    def this_month(self) -> Iterator[Person]:
        """Yield those who came in the last thirty days."""
        return self.since(self.month)

    def since(self, moment: str) -> Iterator[Person]:
        """Yield those who came at a moment or after it."""
        return (p for p in self.people if str(p.get("createdAt") or "") >= moment)


def ids(contacts: list[Person]) -> list[str]:
    return [contact["id"] for contact in contacts]


def named(group: dict[str, Any], dimension: str) -> bool:
    return group["key"][dimension] not in ("(none)", "(other)")


def first_visit(person: Person) -> Person:
    visits: list[Person] = person.get("visitList") or [{}]
    return visits[0]


def newest_visit(person: Person) -> Person:
    visits: list[Person] = person.get("visitList") or [{}]
    return visits[-1]


def surveys(person: Person) -> list[Person]:
    return person.get("answeredSurveyQuestions") or []


def plain_address(it: Company) -> Person:
    return next(
        p
        for p in it.this_month()
        if str(p.get("email")).isascii() and str(p.get("email")).partition("@")[0].count(".") == 1
    )


def monday(time: str) -> str:
    day = datetime.fromisoformat(time).date()
    return (day - timedelta(days=day.weekday())).isoformat()


Question = Callable[[Company], Awaitable[Said]]


def run(*questions: Question) -> None:
    """Ask the sandbox's company all questions, and check each answer."""
    sandbox = Sandbox.demo()
    with run_in_thread(sandbox) as address:
        people = [dict(p) for p in sandbox.company("Nordlys").contacts()]
        asyncio.run(_ask_all(questions, address, people))


async def _ask_all(questions: tuple[Question, ...], url: str, people: list[Person]) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "smoc_mcp"],
        env={"SMOC_API_KEY": NORDLYS_KEY, "SMOC_BASE_URL": url},
    )
    wrong = 0
    async with Client(stdio_client(server)) as client:
        for number, question in enumerate(questions, 1):
            it = Company(client, people, datetime.now(UTC))
            print(f"{number:>2}. {question.__name__.replace('_', ' ').capitalize()}?")
            answer, truth, certainty = await question(it)
            print(f"   {_shown(answer)} ({certainty})")
            if answer != truth or certainty != "exact" or it.calls > 2:
                print(f"   WRONG: the truth is {truth}")
                wrong += 1
    assert not wrong, f"{wrong} wrong answers"
    print(f"{len(questions)} questions, each answered as the company is.")


def _shown(answer: object) -> str:
    text = str(answer)
    return text if len(text) <= 100 else f"{text[:99]}…"
