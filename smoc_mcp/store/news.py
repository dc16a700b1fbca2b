"""SQL of news: who is new or changed, in the order of a stream of `questions.changes`."""

from collections.abc import Mapping, Sequence

from smoc_mcp.questions.changes import Progress, Stream
from smoc_mcp.store.conditions import Sql
from smoc_mcp.store.sql import COLUMNS

__all__ = ["news"]


def news(progress: Progress, limit: int) -> Sql:
    """Return a SELECT of the next contacts of a stream of news, each with its `key` there."""
    key, tests, values = _NEWS[progress.by_time, progress.stream]
    bound = [getattr(progress, value) for value in values]
    return Sql(
        f"SELECT {COLUMNS}, 0 AS rank, {key} AS key FROM contact WHERE {tests} "
        f"AND ({key}, id) > (?, ?) ORDER BY {key}, id LIMIT ?",
        (*bound, *progress.place, limit),
    )


def _larger(one: str, other: str) -> str:
    """Return the larger of two columns, as every engine has it."""
    return f"CASE WHEN {one} > {other} THEN {one} ELSE {other} END"


# Who becomes known was new then, or came since the poller began; but who is as old as somebody whom
# retention has dropped may be the same, and was perhaps given before.
_IS_NEWS = (
    "((added > 0 OR created >= ?) AND created > "
    "(SELECT purged FROM companies WHERE companies.id = contact.owner))"
)
# By the contacts' times, or by ticks: the order of a stream, which contacts are in it, and what of
# the progress is bound. Who became known later than a run began belongs to the next one.
_NEWS: Mapping[tuple[bool, Stream], tuple[str, str, Sequence[str]]] = {
    (True, "new"): ("created", "created >= ? AND known <= ?", ("since", "up_to")),
    (True, "changed"): (
        "updated",
        "updated >= ? AND created < ? AND known <= ? AND revision <= ?",
        ("since", "since", "up_to", "up_to"),
    ),
    (False, "new"): (
        "known",
        f"known > ? AND known <= ? AND {_IS_NEWS}",
        ("base", "up_to", "floor"),
    ),
    (False, "changed"): (
        _larger("revision", "known"),
        "((revision > ? AND revision <= ?) OR (known > ? AND known <= ? "
        f"AND (added > 0 OR {_larger('created', 'updated')} >= ?))) "
        f"AND NOT (known > ? AND {_IS_NEWS})",
        ("base", "up_to", "base", "up_to", "floor", "base", "floor"),
    ),
}
