"""The further columns of a list: how each is called, and what a row shows in it."""

from collections.abc import Collection, Mapping, Sequence

from smoc_mcp.questions.rows import Cell, Column, ContactRow
from smoc_mcp.text.folding import fold
from smoc_mcp.views.boundary import DETAIL_CHARS, Boundary
from smoc_mcp.views.identities import person, told_apart
from smoc_mcp.views.phrases import apart, quoted, sentences

__all__ = ["UNREADABLE", "Shown", "column_names", "columns_of", "of_several"]

Shown = str | int
"""What a row shows in a column."""
UNREADABLE = "could not be read"
"""What is said of one whose field, as SMOC sent it, could not be read, and that looks empty so."""
_SHOWN = 5
"""Values of one column and row in an answer; an export has them all."""
_QUESTIONS_SHOWN = 5


def column_names(columns: Sequence[Column], boundary: Boundary) -> dict[Column, str]:
    """Return how each column is called; no two alike, and none as what every row has."""
    by_name = {column.name: column for column in columns}
    shown = {name: _called(column, boundary) for name, column in by_name.items()}
    places = {name: str(place) for place, name in enumerate(by_name, 1)}
    return {by_name[name]: text for name, text in told_apart(shown, places.__getitem__).items()}


def _called(column: Column, boundary: Boundary) -> str:
    """Return what may be shown of a name: the words of a question are a caller's own."""
    kind, colon, words = column.name.partition(":")
    return f"{kind}{colon}{boundary.text(words, DETAIL_CHARS)}"


def columns_of(
    row: ContactRow,
    cells: Mapping[Column, Sequence[Cell]],
    names: Mapping[Column, str],
    boundary: Boundary,
    limit: int,
) -> dict[str, Shown]:
    """Return what a row shows in each column, by name; nothing where the contact has nothing.

    Args:
        row: The contact.
        cells: What it has in them.
        names: How each column is called.
        boundary: What may be shown.
        limit: The most characters of a value; in details and exports all values are shown.
    """
    most = None if limit >= DETAIL_CHARS else _SHOWN
    shown = {
        name: _number(found) if column.is_count else _values(column, found, boundary, limit, most)
        for column, name in names.items()
        for found in [cells.get(column, ())]
    }
    unread = {names[column] for column in names if column.wire_fields & row.unread}
    lists = {names[c] for c in names if c.field is None or c.field.many}
    return {
        name: value
        for name in names.values()
        if (value := _with_unread(shown[name], unread=name in unread, is_list=name in lists))
        is not None
    }


def _with_unread(shown: Shown | None, *, unread: bool, is_list: bool) -> Shown | None:
    """Return what is shown where the field of a contact may hold what could not be read."""
    if not unread:
        return shown
    if not shown:
        return UNREADABLE
    if isinstance(shown, int):
        return f"at least {shown:,}"
    return f"{shown}; others {UNREADABLE}" if is_list else shown


def _number(found: Sequence[Cell]) -> int:
    return sum(cell.value for cell in found if isinstance(cell.value, int))


def _values(
    column: Column, found: Sequence[Cell], boundary: Boundary, limit: int, most: int | None
) -> str | None:
    """Return the values of a row, each in quotes where it could read like several or like ours."""
    texts = (_text(column, cell, boundary, limit) for cell in found)
    shown = list(dict.fromkeys(text for text in texts if text))
    if column.field is not None and not column.field.many:
        return next(iter(shown), None)
    more = 0 if most is None else max(0, len(shown) - most)
    parts = [_one_of_many(text) for text in shown[:most]]
    return "; ".join([*parts, f"and {more:,} more"] if more else parts) or None


def _one_of_many(text: str) -> str:
    """Return a value that can be read as one value only, and as no sentence of ours."""
    forged = text.endswith((UNREADABLE, " more"))
    return quoted(text) if forged else apart(text, ";")


def _text(column: Column, cell: Cell, boundary: Boundary, limit: int) -> str:
    """Return what may be shown of one value."""
    value = str(cell.value)
    if column.field is None or not column.field.identity:
        text = boundary.text(value, limit)
        return quoted(text) if text == UNREADABLE else text
    shown = person(value, boundary)
    if not cell.key or fold(value) == cell.key:
        return shown
    # As the filter takes it: two of one name are two. Of nobody else may an id be a number.
    if "@" in cell.key:
        told = boundary.email(cell.key)
    elif any(map(str.isdigit, cell.key)):
        told = boundary.text(cell.key)
    else:
        told = boundary.name(cell.key)
    return f"{shown} ({told})"


def of_several(
    questions: Mapping[Column, Sequence[str]], names: Mapping[Column, str], boundary: Boundary
) -> str:
    """Return which questions or fields a column is of, where its words name several."""

    def listed(column: Column, known: Collection[str]) -> str:
        shown = [quoted(boundary.text(question)) for question in list(known)[:_QUESTIONS_SHOWN]]
        more = len(known) - len(shown)
        return f"{quoted(names[column])} is of {len(known):,}: {', '.join(shown)}" + (
            f" and {more:,} more." if more else "."
        )

    return sentences(listed(column, known) for column, known in questions.items())
