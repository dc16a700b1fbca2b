"""The parameters of the tools: what clients are told of each, as annotations that the SDK reads."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from smoc_mcp.questions.columns import MOST_COLUMNS
from smoc_mcp.questions.fields import COUNTS, NAMED_FILTERS
from smoc_mcp.questions.filters import HAS
from smoc_mcp.questions.measures import MEASURES
from smoc_mcp.questions.periods import PERIODS

__all__ = [
    "AFTER",
    "BARE_FILTERS",
    "BY",
    "COLUMNS",
    "COMPARE",
    "COUNT_FILTERS",
    "CURSOR",
    "GROUP_SORT",
    "LIST_SORT",
    "MEASURE",
    "SCOPE",
    "SEARCH_SORT",
    "SHARED_FILTERS",
    "STATUS",
    "limit_of",
    "text",
]

LIST_SORT = Annotated[
    Literal["created", "updated", "conversation"], Field(description="the newest by this first")
]
SEARCH_SORT = Annotated[
    Literal["auto", "relevance", "created", "updated", "conversation", "engagement"],
    Field(description="auto: relevance with a query, else created; engagement: whom to call"),
]
BY = Annotated[
    Literal["email", "phone", "name"],
    Field(description="the same address, number, or name with employer or city"),
]
SCOPE = Annotated[
    Literal["proven", "in_hand"],
    Field(description="in_hand: counts of whoever is known, a sample"),
]


GROUP_SORT = Annotated[
    Literal["auto", "contacts", "customer_share", "measure", "change"],
    Field(description="the largest first"),
]
COMPARE = Annotated[
    Literal["none", "previous"],
    Field(description="with the time before created_after, equally long"),
]


def text(description: str) -> object:
    """Return the annotation of a text."""
    return Annotated[str, Field(description=description)]


def limit_of(what: str) -> object:
    """Return the annotation of the most rows that are wanted."""
    return Annotated[int, Field(ge=1, le=100, description=f"the most {what}")]


STATUS = text("lead, customer, lost, converted; -lost: others")
CURSOR = text("next_cursor of the last answer, with the same other parameters")
COLUMNS = text(
    f"up to {MOST_COLUMNS} more per row: {', '.join(COUNTS)}, a text filter's name, "
    "survey:<question>, text:<field>"
)
MEASURE = text(f"average and median of {', '.join(MEASURES)}")
AFTER = "ISO 8601, or an age such as 24h, 7d, 2w"

_PERIODS = {
    "day": "such as 2026-11-24",
    "week": "its Monday",
    "month": "such as 2026-11",
    "weekday": "such as Monday",
    "hour": "00 to 23",
}
SHARED_FILTERS: Mapping[str, tuple[object, str]] = {
    "query": (text("words or phone number, in name, e-mail, phone, company, place, texts"), ""),
    "status": (STATUS, ""),
    "created_after": (text(f"{AFTER}; inclusive"), ""),
    "created_before": (text("exclusive"), ""),
    "updated_after": (text("inclusive"), ""),
    "updated_before": (text("exclusive"), ""),
    "conversation_after": (text("last conversation"), ""),
    "conversation_before": (text("exclusive"), ""),
    "quiet_since": (text("last conversation before this, or never"), ""),
    **{name: (text(_PERIODS[unit]), "") for name, (_, unit) in PERIODS.items()},
    **{name: (text(field.about), "") for name, field in NAMED_FILTERS.items()},
    "survey": (text("question words: answer"), ""),
    "text": (text("field: words"), ""),
    "accepted_communication": (text("yes, no, unasked; -no: others"), ""),
    "has": (text(f"{', '.join(HAS)}; -phone: those without"), ""),
}
"""The filters that several tools share, each with its default."""
BARE_FILTERS: Mapping[str, tuple[object, str]] = dict.fromkeys(SHARED_FILTERS, (str, ""))
"""The same without a word on what they take: definitions have a budget."""
COUNT_FILTERS: Mapping[str, tuple[object, str]] = {
    **SHARED_FILTERS,
    **{name: BARE_FILTERS[name] for name in (*PERIODS, *NAMED_FILTERS)},
}
"""The same, with words on those whose names do not say all."""
