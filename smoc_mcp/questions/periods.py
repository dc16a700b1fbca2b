"""Days, weeks, months, weekdays and hours of a zone: by what times are grouped and filtered. Pure.

A period is shown by a text: a day as `2026-11-24`, a week as its Monday, a month as `2026-11`, a
weekday by its name, an hour as `00` to `23`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from smoc_mcp.errors import InputError
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.choices import WITHOUT, check_is_value, some_entries
from smoc_mcp.text.folding import quoted
from smoc_mcp.text.times import QUARTER_HOUR, Moment, as_datetime, as_moment

__all__ = [
    "CYCLES",
    "PERIODS",
    "During",
    "parse_during",
    "period_of",
    "periods_back",
]

CYCLES: Mapping[str, Sequence[str]] = {
    "weekday": (*("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),),
    "hour": tuple(f"{hour:02}" for hour in range(24)),
}
"""What comes again and again: all that there is of each unit, in order."""

PERIODS: Mapping[str, tuple[Sort, str]] = {
    "created_day": (Sort.CREATED, "day"),
    "created_week": (Sort.CREATED, "week"),
    "created_month": (Sort.CREATED, "month"),
    "created_weekday": (Sort.CREATED, "weekday"),
    "created_hour": (Sort.CREATED, "hour"),
    "conversation_week": (Sort.CONVERSATION, "week"),
    "conversation_month": (Sort.CONVERSATION, "month"),
}
"""Each dimension and filter of this kind: which time it is of, and the unit."""

_FORMS = {
    "day": (re.compile(r"\d{4}-\d\d-\d\d"), "a day such as 2026-11-24"),
    "week": (re.compile(r"\d{4}-\d\d-\d\d"), "a week as its Monday, such as 2026-11-23"),
    "month": (re.compile(r"\d{4}-\d\d"), "a month such as 2026-11"),
    "weekday": (None, "a weekday such as Monday"),
    "hour": (None, "an hour from 00 to 23"),
}
_LEAST_OF_A_NAME = 3


class During(NamedTuple):
    """Which periods a time may be in.

    Attributes:
        sort: Which time.
        unit: Of `_FORMS`.
        spans: From when to when, for days, weeks and months; the end is not part of it.
        cycle: The weekdays or hours.
        undated: Whether those without this time are admitted too.
        zone: The name of the zone that the periods are of.
    """

    sort: Sort
    unit: str
    spans: tuple[tuple[Moment, Moment], ...]
    cycle: frozenset[str]
    undated: bool
    zone: str


def parse_during(text: str, name: str, zone: ZoneInfo) -> During | None:
    """Return which periods a filter of `PERIODS` admits; None for a text of blanks.

    Args:
        text: One or several, with commas between; `(none)` for those without the time.
        name: Of the filter.
        zone: Of the periods.

    Raises:
        InputError: One is no such period.
    """
    sort, unit = PERIODS[name]
    spans: list[tuple[Moment, Moment]] = []
    cycle: set[str] = set()
    undated = False
    found = some_entries(text, name)
    for entry in found:
        check_is_value(entry.text, name)
        if entry.unwanted:
            raise InputError(
                f"{name} takes no minus, as before {quoted(entry.text)}: write the periods that "
                "are wanted, with commas between."
            )
        if entry.text.replace(" ", "") == WITHOUT:
            undated = True
        elif (period := _named(entry.text, unit)) is None:
            raise InputError(
                f"{name} does not know {quoted(entry.text)}: write {_FORMS[unit][1]}, as groups "
                "show it, or several with commas between."
            )
        elif unit in CYCLES:
            cycle.add(period)
        else:
            spans.append((_begins(period, zone), _ends(period, unit, zone)))
    return During(sort, unit, tuple(spans), frozenset(cycle), undated, zone.key) if found else None


def _named(text: str, unit: str) -> str | None:
    """Return the period that a text names, as groups show it; None for none."""
    if unit == "weekday":
        word = text.casefold()
        known = CYCLES["weekday"] if len(word) >= _LEAST_OF_A_NAME else ()
        return next((day for day in known if day.casefold().startswith(word)), None)
    if unit == "hour":
        hour = text.removesuffix(":00").rjust(2, "0")
        return hour if hour in CYCLES["hour"] else None
    form = _FORMS[unit][0]
    try:
        first = _first_day(text) if form is not None and form.fullmatch(text) else None
    except ValueError:
        return None
    if first is None or (unit == "week" and first.weekday()):
        return None
    return text


@lru_cache(maxsize=65_536)
def period_of(quarter: int, unit: str, zone: ZoneInfo) -> str:
    """Return the local day, week's Monday, month, weekday or hour of a quarter of an hour."""
    moment = as_datetime(quarter * QUARTER_HOUR, zone)
    match unit:
        case "month":
            return f"{moment:%Y-%m}"
        case "week":
            return (moment.date() - timedelta(days=moment.weekday())).isoformat()
        case "day":
            return moment.date().isoformat()
        case "weekday":
            return CYCLES["weekday"][moment.weekday()]
    return CYCLES["hour"][moment.hour]


def _begins(period: str, zone: ZoneInfo) -> Moment:
    return as_moment(datetime.combine(_first_day(period), time(), zone))


def _ends(period: str, unit: str, zone: ZoneInfo) -> Moment:
    return as_moment(datetime.combine(_next(_first_day(period), unit), time(), zone))


def periods_back(last: str, unit: str) -> Iterator[str]:
    """Yield a day, week or month, the one before it, and so on."""
    day = _first_day(last)
    while True:
        yield f"{day:%Y-%m}" if unit == "month" else day.isoformat()
        if unit == "month":
            day = (day - timedelta(days=1)).replace(day=1)
        else:
            day -= timedelta(days=1 if unit == "day" else 7)


def _first_day(period: str) -> date:
    return date.fromisoformat(period if len(period) == 10 else f"{period}-01")


def _next(day: date, unit: str) -> date:
    match unit:
        case "day":
            return day + timedelta(days=1)
        case "week":
            return day + timedelta(weeks=1)
    return (day + timedelta(days=32)).replace(day=1)
