"""Reads the times that people write, and shows the moments that we keep. Pure.

A moment is an int: microseconds since 1970-01-01T00:00:00Z. Comparing two is exact, SQLite sorts
them, and the API's millisecond timestamps fit without loss. No library reads the times: those that
read more also guess, and what 3/4 means must not be guessed.
"""

import re
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from smoc_mcp.errors import InputError

__all__ = [
    "QUARTER_HOUR",
    "SECOND",
    "YEARS",
    "Clock",
    "Moment",
    "as_datetime",
    "as_moment",
    "iso",
    "parse_time",
    "whole_second_after",
]

Moment = int

QUARTER_HOUR: Moment = 15 * 60 * 1_000_000
"""What time is grouped by before a zone is known: no zone's offset splits it."""
SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# A minute is "min": 1m is a month to as many people.
_AGE = re.compile(
    r"(?:(?:last|past)\s+)?(\d{1,4})\s*(min(?:ute)?s?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)"
    r"(?:\s+ago)?",
    re.IGNORECASE,
)
_DAYS_AGO = {"today": 0, "yesterday": 1}
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
# What people write that means one thing to some and another to others.
_UNCLEAR_AGE = re.compile(
    r"(?:(?:last|past)\s+)?(\d{1,2})\s*(m|mo|months?|q|quarters?|y|years?)(?:\s+ago)?",
    re.IGNORECASE,
)
_UNCLEAR_SPAN = re.compile(r"(?:(last|past)|this)\s+(week|month|year)", re.IGNORECASE)
_DAYS_OF = {"m": 30, "q": 90, "y": 365, "week": 7, "month": 30, "year": 365}
_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")

YEARS = range(1900, 9999)
"""The years we take; past them a change of zone can leave the calendar."""


class Clock:
    """Two clocks: the wall's, for people and for the API's times, and one that only goes on.

    Somebody may set the wall clock, forward or back, at any time. So nothing that is about how
    long something lasted, or what came first, is told by it.
    """

    def __call__(self) -> Moment:
        """Return the present moment, by the wall clock."""
        return time.time_ns() // 1_000

    def elapsed(self) -> Moment:
        """Return the microseconds since some beginning; it never goes back."""
        return time.monotonic_ns() // 1_000


def whole_second_after(moment: Moment) -> Moment:
    """Return the first whole second, as people write times, that is later than a moment."""
    return (moment // SECOND + 1) * SECOND


def as_moment(value: datetime) -> Moment:
    """Return an aware datetime as a moment."""
    return (value - _EPOCH) // _MICROSECOND


def as_datetime(moment: Moment, zone: ZoneInfo) -> datetime:
    """Return a moment as a datetime in a zone."""
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(zone)


# The same contacts are shown again and again.
@lru_cache(maxsize=4_096)
def iso(moment: Moment, zone: ZoneInfo, timespec: str = "seconds") -> str:
    """Return a moment as ISO 8601 in a zone, cut to `timespec`; UTC is written Z."""
    text = as_datetime(moment, zone).isoformat(timespec=timespec)
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def parse_time(text: str, *, name: str, now: Moment, zone: ZoneInfo) -> Moment:
    """Return the moment that a person or a model wrote.

    Args:
        text: An ISO 8601 date or date-time, or an age (`24h`, `7d`, `2w`, `30min`, also `7 days`)
            counted back from now. A bare date is its midnight in `zone`, and so are `today` and
            `yesterday`; a date-time without an offset is in `zone`.
        name: The parameter's name, for the error.
        now: The present moment.
        zone: The zone of bare dates.

    Raises:
        InputError: It is none of these, or no date of the calendar.
    """
    text = text.strip()
    try:
        if age := _AGE.fullmatch(text):
            return now - int(age[1]) * (_UNITS[age[2][0].lower()] // _MICROSECOND)
        if (days := _DAYS_AGO.get(text.lower())) is not None:
            return _midnight(as_datetime(now, zone).date() - timedelta(days=days), zone)
        if _BARE_DATE.fullmatch(text):
            return _midnight(date.fromisoformat(text), zone)
        if _DATE_TIME.match(text):
            value = datetime.fromisoformat(text)
            return _checked(value if value.tzinfo else value.replace(tzinfo=zone))
    except ValueError:
        pass
    if instead := _instead(text, now, zone):
        raise InputError(f"{name} is not a time that means one thing: write {instead}.")
    raise InputError(
        f"{name} is not a time: write an ISO 8601 date or date-time such as 2026-05-31 or "
        "2026-05-31T09:30:00Z, or an age such as 24h, 7d or 2w (30min, 30d for a month)."
    )


def _midnight(day: date, zone: ZoneInfo) -> Moment:
    return _checked(datetime(day.year, day.month, day.day, tzinfo=zone))


def _instead(text: str, now: Moment, zone: ZoneInfo) -> str:
    """Return what to write instead of a time that is not clear; empty for any other text."""
    if age := _UNCLEAR_AGE.fullmatch(text):
        number, unit = int(age[1]), age[2].lower()
        minutes = f", or {number}min for minutes" if unit == "m" else ""
        days = number * _DAYS_OF[unit[0]]
        return f"{days}d, or the date itself, such as {_days_before(now, days, zone)}{minutes}"
    if span := _UNCLEAR_SPAN.fullmatch(text):
        unit, back = span[2].lower(), bool(span[1])
        today = as_datetime(now, zone).date()
        if unit == "week":
            first = today - timedelta(days=today.weekday() + 7 * back)
        elif unit == "month":
            first = (today.replace(day=1) - timedelta(days=int(back))).replace(day=1)
        else:
            first = date(today.year - back, 1, 1)
        since = f"{first} for the first day of {text.lower().replace('past', 'last')}"
        return (
            f"{_DAYS_OF[unit]}d for the last {_DAYS_OF[unit]} days, or {since}" if back else since
        )
    return ""


def _days_before(now: Moment, days: int, zone: ZoneInfo) -> date:
    return as_datetime(now, zone).date() - timedelta(days=days)


def _checked(value: datetime) -> Moment:
    if value.year not in YEARS:
        raise ValueError(value.year)
    return as_moment(value)
