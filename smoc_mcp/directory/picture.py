"""What the dashboard shows: several answers, all of one moment."""

from smoc_mcp.directory.answers import Picture, Statistics
from smoc_mcp.directory.listing import list_news, list_page
from smoc_mcp.directory.reading import Reading
from smoc_mcp.directory.statistics import count_up
from smoc_mcp.questions.changes import Progress
from smoc_mcp.questions.look import UNITS, Look

__all__ = ["paint"]

_FEW_PERIODS = 4
"""So few points are no trend: it is taken of shorter periods then."""


def paint(reading: Reading, asked: Look) -> Picture:
    """Return numbers, a trend, groups, the newest contacts, and where news begin.

    Raises:
        InputError: The grouping is a survey question that nobody in hand has answered.
    """
    unit, trend = _trend(reading, asked)
    return Picture(
        numbers=count_up(reading, asked.numbers),
        unit=unit,
        trend=trend,
        groups=count_up(reading, asked.groups),
        newest=list_page(reading, asked.newest),
        progress=list_news(reading, Progress(reading.now), 1).changes.progress,
    )


def _trend(reading: Reading, asked: Look) -> tuple[str, Statistics]:
    """Return the trend of the longest periods of which there are more than a few."""
    *longer, shortest = UNITS
    for unit in longer:
        trend = count_up(reading, asked.trend(unit))
        periods = trend.groups.grouping.groups if trend.groups else ()
        if len(periods) > _FEW_PERIODS or not periods:
            return unit, trend
    return shortest, count_up(reading, asked.trend(shortest))
