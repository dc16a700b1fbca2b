"""What may not be kept any longer, and moments that somebody's wrong clock wrote."""

from smoc_mcp.proof.windows import Sort
from smoc_mcp.store.database import Database
from smoc_mcp.store.words import purge_words
from smoc_mcp.text.times import Moment

__all__ = ["keep_to_retention", "mend_moments"]

_DAY = 24 * 3600 * 1_000_000
_GONE_KEPT = 30 * _DAY
"""Who was found to be deleted is kept so long where no retention is set: an answer may be wrong."""
_FOR_EVER = 2**61
_CLOCKS_DIFFER = 300 * 1_000_000
"""Clocks of two machines may differ so much, and nobody minds."""


def keep_to_retention(db: Database, owner: int, keep: Moment | None, now: Moment) -> int:
    """Drop what may not be kept any longer; return how many contacts that were.

    These are contacts not seen for the time of retention, and those that were found to be deleted
    so long ago. History no longer reaches back past what is dropped.

    Args:
        db: The store.
        owner: The company.
        keep: The time of retention; None keeps all.
        now: By the wall clock.
    """
    seen_before, gone_before = now - (keep or _FOR_EVER), now - (keep or _GONE_KEPT)
    if not db.fetch(
        "SELECT 1 FROM contacts WHERE owner = ? AND (seen_at < ? OR gone < ?) LIMIT 1",
        (owner, seen_before, gone_before),
    ):
        return 0
    with db.transaction():
        newest = db.fetch(
            "SELECT max(created), max(updated), max(conversation) FROM contact WHERE seen_at < ?",
            (seen_before,),
        )[0]
        # Who is as old as somebody whom we forget may have been known and given before.
        purged = db.fetch(
            "SELECT max(created) FROM contacts WHERE owner = ? AND (seen_at < ? OR gone < ?)",
            (owner, seen_before, gone_before),
        )[0][0]
        if purged is not None:
            db.run(
                "UPDATE companies SET purged = ? WHERE id = ? AND purged < ?",
                (purged, owner, purged),
            )
        dropped = db.run(
            "DELETE FROM contacts WHERE owner = ? AND (seen_at < ? OR gone < ?)",
            (owner, seen_before, gone_before),
        )
        for sort, key in zip((Sort.CREATED, Sort.UPDATED, Sort.CONVERSATION), newest, strict=True):
            if key is not None:
                db.run(
                    "UPDATE histories SET reach = ? WHERE owner = ? AND sort = ? AND reach < ?",
                    (key, owner, sort, key),
                )
        purge_words(db)
    return dropped


def mend_moments(db: Database, now: Moment) -> int:
    """Bring back to the present what the store says was in the future; return how much it was.

    Somebody's clock was ahead when it was written. Nothing but what people are shown, and
    retention, goes by these moments.

    Args:
        db: The store.
        now: By the wall clock.
    """
    ahead = now + _CLOCKS_DIFFER
    with db.of_all():
        is_ahead = db.fetch(
            "SELECT 1 FROM contacts WHERE seen_at > ? OR gone > ? UNION ALL "
            "SELECT 1 FROM companies WHERE counted > ? LIMIT 1",
            (ahead, ahead, ahead),
        )
    if not is_ahead:
        return 0
    with db.of_all(), db.transaction():
        mended = db.run("UPDATE companies SET counted = ? WHERE counted > ?", (now, ahead))
        mended += db.run("UPDATE contacts SET gone = ? WHERE gone > ?", (now, ahead))
        return mended + db.run("UPDATE contacts SET seen_at = ? WHERE seen_at > ?", (now, ahead))
