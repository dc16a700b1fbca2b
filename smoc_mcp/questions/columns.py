"""The further columns of a list: what a caller names, and why a name is refused. Pure."""

import difflib
from collections.abc import Mapping

from smoc_mcp.errors import InputError
from smoc_mcp.questions.choices import entries
from smoc_mcp.questions.fields import ANSWERED, COUNTS, FIELDS
from smoc_mcp.questions.filters import ALIASES, checked_question
from smoc_mcp.questions.rows import Column
from smoc_mcp.text.folding import fold, quoted

__all__ = ["MOST_COLUMNS", "NAMES", "parse_columns"]

MOST_COLUMNS = 6

_IN_EVERY_ROW: Mapping[str, str] = {
    **{
        name: name
        for name in (
            *("id", "name", "email", "phone", "company", "city", "country", "status", "consent"),
            *("created", "updated", "last_conversation", "source", "last_verified", "matched"),
        )
    },
    "accepted_communication": "consent",
    "conversation": "last_conversation",
}
"""What every row has anyway, where it has it at all, and under which name."""
NAMES = tuple(name for name in (*COUNTS, *FIELDS) if name not in _IN_EVERY_ROW)
"""What can be a column, beside the answers to one question or what was typed into one field."""
_CHOICE = f"{', '.join(NAMES)}, survey:<question words or id>, text:<field>"


def parse_columns(text: str) -> tuple[Column, ...]:
    """Return the columns of a comma-separated `columns`; none for an empty text.

    A question that has a comma stands in quotes.

    Raises:
        InputError: A name is unknown, is in every row, is given twice, or there are too many.
    """
    columns = [_column(name, unwanted=unwanted) for name, unwanted, _ in entries(text, "columns")]
    if len(columns) > MOST_COLUMNS:
        raise InputError(
            f"columns takes up to {MOST_COLUMNS}: leave {quoted(columns[-1].name)} out."
        )
    if len({(column.source, column.question) for column in columns}) < len(columns):
        raise InputError("columns names one of them twice: give each once.")
    return tuple(columns)


def _column(name: str, *, unwanted: bool) -> Column:
    """Return the column of a name."""
    if unwanted:
        raise InputError(f"columns takes no minus, as before {quoted(name)}: name what to show.")
    folded = fold(name)
    folded = ALIASES.get(folded, folded)
    if folded in NAMES:
        return Column(folded, folded)
    kind, _, words = name.partition(":")
    kind = fold(kind)
    if kind in ANSWERED:
        question = checked_question(kind, words)
        if not question:
            raise InputError(
                f"columns needs a {ANSWERED[kind]} with {kind}: write {kind}: and its words"
                f"{' or id' if kind == 'survey' else ''}."
            )
        return Column(f"{kind}:{words.strip()}", kind, question)
    if folded in _IN_EVERY_ROW:
        there = _IN_EVERY_ROW[folded]
        called = "" if there == folded else f" as {there}"
        raise InputError(f"columns need not name {folded}: every row has it{called}. Leave it out.")
    near = difflib.get_close_matches(folded, NAMES, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise InputError(
        f"columns does not know {quoted(name)}.{meant} Choose up to {MOST_COLUMNS} of {_CHOICE}."
    )
