"""What questions cost as the store grows, in terms that no machine changes: plans of queries."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.dimensions import Count, parse_group_by
from smoc_mcp.questions.filters import ContactFilter, Listing, parse_filter
from smoc_mcp.store.conditions import Sql
from smoc_mcp.store.sql import counting, grouping, listing, owning
from smoc_mcp.store.sqlite import SqliteDatabase

GROUPS = [
    *("city,utm_source", "country,device", "status", "company", "browser", "inviter"),
    *("created_month,status", "utm_campaign,utm_medium", "accepted_communication", "flow"),
]


@pytest.fixture(scope="module")
def db() -> Iterator[SqliteDatabase]:
    database = SqliteDatabase()
    database.see(1)
    yield database
    database.close()


def plan(db: SqliteDatabase, sql: Sql) -> list[str]:
    return [str(row["detail"]) for row in db.fetch(f"EXPLAIN QUERY PLAN {sql.text}", sql.values)]


def check_reads_no_whole_rows(steps: list[str]) -> None:
    of_contacts = [step for step in steps if " contacts" in step]
    assert of_contacts
    for step in of_contacts:
        assert "COVERING INDEX contacts_facts" in step, steps


@pytest.mark.parametrize("group_by", GROUPS)
def test_groups_are_read_from_an_index(db: SqliteDatabase, group_by: str) -> None:
    check_reads_no_whole_rows(plan(db, grouping(Count(dimensions=parse_group_by(group_by)))))


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"city": "oslo, -bergen"},
        {"status": "lead", "device": "mobile"},
        {"inviter": "7", "accepted_communication": "unasked"},
    ],
)
def test_counts_are_read_from_an_index(db: SqliteDatabase, filters: dict[str, str]) -> None:
    wanted = parse_filter(filters, now=0, zone=ZoneInfo("UTC")) if filters else ContactFilter()
    check_reads_no_whole_rows(plan(db, counting(wanted)))


@pytest.mark.parametrize("sort", [Sort.CREATED, Sort.UPDATED, Sort.CONVERSATION])
def test_the_newest_are_read_in_order_and_not_sorted(db: SqliteDatabase, sort: Sort) -> None:
    steps = plan(db, listing(Listing(sort=sort)))
    assert any(f"INDEX contacts_{sort}" in step for step in steps)
    assert not any("TEMP B-TREE" in step for step in steps)


def test_an_address_is_looked_up(db: SqliteDatabase) -> None:
    steps = plan(db, owning("ada@example.com"))
    assert any("INDEX contacts_email (owner=? AND email_key=?)" in step for step in steps)
