"""The prompts: jobs that a person starts by name; what is asked of the model is in `jobs`.

An argument may be a value that a stranger typed, so it goes through the boundary.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import PromptArgument

from smoc_mcp.errors import InputError
from smoc_mcp.proof.windows import Status
from smoc_mcp.server.jobs import brief, follow_up, report, review
from smoc_mcp.text.cleaning import clean, cut
from smoc_mcp.text.times import parse_time
from smoc_mcp.views.boundary import DETAIL_CHARS

__all__ = ["AGES", "PROMPTS", "Argument", "build_prompts", "check_argument"]

_STATUSES = [s.value for s in Status if s is not Status.UNKNOWN]

AGES = ("7d", "14d", "30d", "90d")
"""Ages that are offered for `since`."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a prompt.

    Attributes:
        default: What stands for it where it is not given; None where it must be.
        kind: What it can be: any text, a time, or a status.
    """

    name: str
    description: str
    default: str | None = None
    kind: Literal["text", "time", "status"] = "text"


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    title: str
    description: str
    arguments: Sequence[Argument]
    write: Callable[[Mapping[str, str]], str]


_SINCE = "an age such as 7d, or a date such as 2026-01-31"

_JOBS = (
    _Job(
        "weekly_review",
        "Weekly review",
        "Who is new and who changed, of which status, from where, and whether that is usual.",
        (Argument("since", _SINCE, "7d", "time"),),
        review,
    ),
    _Job(
        "campaign_report",
        "Campaign report",
        "Which campaigns bring contacts, and which of them become customers.",
        (
            Argument("campaign", "a utm_campaign; empty compares all of them", ""),
            Argument("since", _SINCE, "90d", "time"),
        ),
        report,
    ),
    _Job(
        "contact_brief",
        "Brief on a contact",
        "Who this is, what they want and what they wrote, before a call.",
        (Argument("contact", "an id, an e-mail address, a phone number or a name"),),
        brief,
    ),
    _Job(
        "follow_up_list",
        "Follow-up list",
        "Who talked to us and went quiet, but for those who said no: whom to call first.",
        (
            Argument("quiet_for", "how long nobody talked to them, such as 14d", "14d", "time"),
            Argument("status", "lead, customer, lost or converted", "lead", "status"),
        ),
        follow_up,
    ),
)


def check_argument(argument: Argument, value: str) -> None:
    """Check what was given for an argument, before a prompt is written that no tool can follow.

    Raises:
        InputError: It is no such thing; the message says what to write.
    """
    if not value:
        return
    if argument.kind == "time":
        parse_time(value, name=argument.name, now=0, zone=ZoneInfo("UTC"))
    elif argument.kind == "status" and value.lower() not in _STATUSES:
        raise InputError(f"{argument.name} must be one of {', '.join(_STATUSES)}.")


def build_prompts() -> list[Prompt]:
    """Return the prompts."""
    return [_prompt(job) for job in _JOBS]


def _prompt(job: _Job) -> Prompt:
    async def render(**given: str) -> str:
        return job.write(
            {
                a.name: cut(clean(given.get(a.name, "")), DETAIL_CHARS).strip() or a.default or ""
                for a in job.arguments
            }
        )

    return Prompt(
        name=job.name,
        title=job.title,
        description=job.description,
        arguments=[
            PromptArgument(
                name=a.name,
                description=a.description + (f" (default: {a.default})" if a.default else ""),
                required=a.default is None,
            )
            for a in job.arguments
        ],
        fn=render,
        context_kwarg=None,
    )


PROMPTS: Mapping[str, Sequence[Argument]] = {job.name: job.arguments for job in _JOBS}
"""The arguments of each prompt."""
