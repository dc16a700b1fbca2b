"""SQL of the order by engagement: see `questions.engagement`."""

from smoc_mcp.questions.engagement import AHEAD, RECENT, SAID_NO, VISITS
from smoc_mcp.questions.fields import Consent
from smoc_mcp.questions.filters import Listing
from smoc_mcp.store.conditions import Sql
from smoc_mcp.text.times import Moment

__all__ = ["most_engaged"]


def most_engaged(asked: Listing, now: Moment, columns: str, source: Sql, condition: Sql) -> Sql:
    """Return a SELECT of the most engaged contacts first, at most as many as asked for.

    Args:
        asked: Which, and after which position.
        now: When they were that engaged.
        columns: Of the rows.
        source: The FROM of those that hold the words.
        condition: Of the filter.
    """
    points = _points(now)
    # Points are of every contact, so they are read from the index of facts; of the rows, which are
    # long, only those that are shown.
    ranked = (
        f'SELECT contact."row" AS hit, {points.text} AS rank, contact.{asked.sort} AS moment, '
        f"contact.id AS who {source.text} WHERE {condition.text}"
    )
    behind = "" if asked.after is None else "WHERE (rank, moment, who) < (?, ?, ?)"
    return Sql(
        f"SELECT {columns}, rank FROM (SELECT hit, rank FROM ({ranked}) AS engaged {behind} "
        "ORDER BY rank DESC, moment DESC, who DESC LIMIT ?) AS shown "
        'CROSS JOIN contact ON contact."row" = hit '
        f"ORDER BY rank DESC, {asked.sort} DESC, id DESC",
        (
            *(*points.values, *source.values, *condition.values),
            *(asked.after or ()),
            asked.limit,
        ),
        source.searches,
    )


def _points(now: Moment) -> Sql:
    """Return the points of a contact; what could not be read is worth none."""
    consent = "contact.accepted_communication"
    worth_one = (
        "contact.conversation BETWEEN ? AND ?",
        f"contact.visits >= {VISITS}",
        "contact.surveys > 0",
        "contact.rewards > 0 OR contact.referrals > 0",
        f"{consent} = '{Consent.YES}'",
    )
    points = " + ".join(f"CASE WHEN {test} THEN 1 ELSE 0 END" for test in worth_one)
    return Sql(
        f"CASE WHEN {consent} = '{Consent.NO}' THEN {SAID_NO} ELSE {points} END",
        (now - RECENT, now + AHEAD),
    )
