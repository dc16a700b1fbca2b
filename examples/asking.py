"""What the questions share: the server as a client asks it, and the truth beside it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from mcp import Client

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
