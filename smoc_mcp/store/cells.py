"""SQL of further columns: what the contacts of a page have in them."""

import json
from collections.abc import Collection, Sequence

from smoc_mcp.questions.filters import Question
from smoc_mcp.questions.rows import Column
from smoc_mcp.store.conditions import Sql, question

__all__ = ["in_columns"]


def in_columns(ids: Collection[str], columns: Sequence[Column]) -> Sql:
    """Return a SELECT of (id, number of the column, value, key); a row for each value.

    Args:
        ids: Of the contacts of a page.
        columns: At least one.
    """
    parts = [_part(number, column) for number, column in enumerate(columns)]
    return Sql(
        "WITH page (id) AS MATERIALIZED (SELECT value FROM json_each(?)) "
        f"{' UNION ALL '.join(part.text for part in parts)} ORDER BY 1, 2, 3",
        (
            json.dumps(list(ids), ensure_ascii=False),
            *(value for part in parts for value in part.values),
        ),
    )


def _part(number: int, column: Column) -> Sql:
    """Return a SELECT of what is in one column."""
    field = column.field
    if column.is_count or (field is not None and not field.many):
        key = f"contact.{column.source}_key" if field is not None and field.identity else "NULL"
        return Sql(
            f"SELECT contact.id, {number:d}, CAST(contact.{column.source} AS TEXT), {key} "
            "FROM page CROSS JOIN contact ON contact.id = page.id "
            f"WHERE contact.{column.source} IS NOT NULL"
        )
    named = Question(column.source, column.question)
    asked = question("label", named) if named.words else Sql("TRUE")
    return Sql(
        # One spelling of each value: to several questions one answer may be given twice.
        f"SELECT label.contact, {number:d}, min(label.value), NULL "
        "FROM page CROSS JOIN label ON label.contact = page.id "
        f"WHERE label.kind = ? AND {asked.text} GROUP BY label.contact, label.key",
        (column.source, *asked.values),
    )
