"""Days, weeks and months of a zone, weekdays and hours: what times are grouped and filtered by. Pure.

A period is shown by a text: a day as `2026-11-24`, a week as its Monday, a month as `2026-11`, a
weekday by its name, an hour as `00` to `23`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from smoc_mcp.text.times import QUARTER_HOUR, Moment, as_datetime, as_moment

__all__ = ["CYCLES", "begins", "ends", "period_of", "periods_between"]

CYCLES: Mapping[str, Sequence[str]] = {
    "weekday": (
        *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ),
    "hour": tuple(f"{hour:02}" for hour in range(24)),
}
"""What comes again and again: all that there is of each unit, in order."""


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


def begins(period: str, zone: ZoneInfo) -> Moment:
    """Return when a day, week or month begins."""
    return as_moment(datetime.combine(_first_day(period), time(), zone))


def ends(period: str, unit: str, zone: ZoneInfo) -> Moment:
    """Return when the period after a day, week or month begins."""
    return as_moment(datetime.combine(_next(_first_day(period), unit), time(), zone))


def periods_between(first: str, last: str, unit: str) -> Iterator[str]:
    """Yield the days, weeks or months from one to another, both included."""
    day, end = _first_day(first), _first_day(last)
    while day <= end:
        yield f"{day:%Y-%m}" if unit == "month" else day.isoformat()
        day = _next(day, unit)


def _first_day(period: str) -> date:
    return date.fromisoformat(period if len(period) == 10 else f"{period}-01")


def _next(day: date, unit: str) -> date:
    match unit:
        case "day":
            return day + timedelta(days=1)
        case "week":
            return day + timedelta(weeks=1)
    return (day + timedelta(days=32)).replace(day=1)
