"""Groups: spellings merged, trends without holes, the rest counted together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoc_mcp.proof.windows import Status
from smoc_mcp.questions.choices import OTHER, WITHOUT
from smoc_mcp.questions.dimensions import Count, parse_group_by
from smoc_mcp.questions.groups import Group, Grouping, merge
from smoc_mcp.questions.rows import GroupRow
from smoc_mcp.text.folding import fold
from smoc_mcp.text.times import QUARTER_HOUR, as_moment

LEAD, CUSTOMER, LOST = Status.LEAD, Status.CUSTOMER, Status.LOST


def row(*values: str | None, n: int = 1, status: Status = LEAD) -> GroupRow:
    """Return what the store gives for one spelling of each value."""
    return GroupRow(tuple(None if v is None else fold(v) for v in values), values, status, n)


def dated(*times: str | None) -> list[GroupRow]:
    """Return what the store gives for contacts created at these times of UTC."""
    quarters = [
        None
        if t is None
        else as_moment(datetime.fromisoformat(t).replace(tzinfo=UTC)) // QUARTER_HOUR
        for t in times
    ]
    return [GroupRow((quarter,), (None,), LEAD, 1) for quarter in quarters]


def grouped(
    by: str,
    rows: Sequence[GroupRow],
    limit: int = 100,
    zone: str = "UTC",
    time: tuple[str | None, str] | None = None,
) -> Grouping:
    after, end = time or (None, None)
    span = None if end is None else (None if after is None else moment(after), moment(end))
    asked = Count(dimensions=parse_group_by(by), limit=limit)
    return merge(rows, asked, ZoneInfo(zone), span)


def moment(text: str) -> int:
    return as_moment(datetime.fromisoformat(text).replace(tzinfo=UTC))


def sizes(grouping: Grouping) -> Mapping[str, int]:
    """Return the size of each group of one dimension, in order."""
    return {group.values[0]: group.contacts for group in grouping.groups}


def test_nothing_has_no_groups() -> None:
    assert grouped("city", []) == Grouping([], every=[{}])


def test_spellings_are_one_group_shown_as_most_often_spelt() -> None:
    rows = [row("oslo", n=2), row("Oslo", n=5), row("OSLO", n=1), row("Øslo", n=1)]
    assert sizes(grouped("city", rows)) == {"Oslo": 9}


def test_a_spelling_counts_over_all_statuses() -> None:
    rows = [row("OSLO", n=3), row("Oslo", n=2), row("Oslo", n=2, status=CUSTOMER)]
    assert sizes(grouped("city", rows)) == {"Oslo": 7}


def test_leads_and_customers_are_counted_apart() -> None:
    rows = [row("Oslo", n=3), row("oslo", n=2, status=CUSTOMER), row("Oslo", n=4, status=LOST)]
    assert grouped("city", rows).groups == [
        Group(("Oslo",), Counter({LEAD: 3, CUSTOMER: 2, LOST: 4}), ("oslo",))
    ]


def test_contacts_without_a_value_are_a_group_of_their_own() -> None:
    rows = [row("Oslo"), row(None, n=2), row("", n=3), row(" \u200b", n=4)]
    assert sizes(grouped("city", rows)) == {WITHOUT: 9, "Oslo": 1}


def test_the_largest_group_comes_first_and_equals_by_name() -> None:
    rows = [row("Bergen"), row("Oslo", n=3), row("Asker")]
    assert list(sizes(grouped("city", rows))) == ["Oslo", "Asker", "Bergen"]


def test_groups_past_the_limit_are_counted_together() -> None:
    rows = [row("a", n=5), row("b", n=4), row("c", n=2, status=CUSTOMER), row("d", n=1)]
    found = grouped("city", rows, limit=2)
    assert sizes(found) == {"a": 5, "b": 4}
    assert found.left_out == 2
    assert found.other == Group((OTHER,), Counter({LEAD: 1, CUSTOMER: 2}))


def test_within_the_limit_nothing_is_left_out() -> None:
    found = grouped("city", [row("a"), row("b")], limit=2)
    assert (found.left_out, found.other) == (0, None)


def test_two_dimensions_make_a_group_of_each_pair() -> None:
    rows = [row("Oslo", "google", n=2), row("oslo", "bing"), row("Bergen", None)]
    found = grouped("city,utm_source", rows)
    assert {g.values: g.contacts for g in found.groups} == {
        ("Oslo", "google"): 2,
        ("Oslo", "bing"): 1,
        ("Bergen", WITHOUT): 1,
    }


def test_the_rest_of_two_dimensions_is_other_in_both() -> None:
    rows = [row("Oslo", "google", n=2), row("Bergen", "bing")]
    found = grouped("city,utm_source", rows, limit=1)
    assert found.other == Group((OTHER, OTHER), Counter({LEAD: 1}))


@pytest.mark.parametrize("by", ["flow", "promo_redeemed", "referral_campaign", "survey:colour"])
def test_a_label_counts_a_contact_once_per_value_and_says_so(by: str) -> None:
    found = grouped(by, [row("a", n=2), row("b", n=2)])
    assert sizes(found) == {"a": 2, "b": 2}
    assert found.several == (by,)


def test_the_rest_of_labels_is_not_added_up_since_contacts_would_count_twice() -> None:
    found = grouped("flow", [row("a", n=3), row("b", n=2), row("c")], limit=1)
    assert (found.left_out, found.other) == (2, None)


def test_a_value_counts_a_contact_once() -> None:
    assert grouped("city", [row("a")]).several == ()


def test_days_read_from_old_to_new_without_holes() -> None:
    rows = dated("2026-03-02T10:00", "2026-02-27T10:00", "2026-02-27T23:59")
    assert list(sizes(grouped("created_day", rows, time=(None, "2026-03-02"))).items()) == [
        ("2026-02-27", 2),
        ("2026-02-28", 0),
        ("2026-03-01", 0),
        ("2026-03-02", 1),
    ]


def test_weeks_begin_on_monday_and_have_no_holes() -> None:
    # 2026-01-04 is a Sunday: of the week that began in the old year.
    rows = dated("2026-01-04T10:00", "2026-01-05T10:00", "2026-01-25T10:00")
    assert list(sizes(grouped("created_week", rows, time=(None, "2026-01-25"))).items()) == [
        ("2025-12-29", 1),
        ("2026-01-05", 1),
        ("2026-01-12", 0),
        ("2026-01-19", 1),
    ]


def test_months_have_no_holes() -> None:
    rows = dated("2025-11-30T10:00", "2026-02-01T10:00")
    assert list(sizes(grouped("created_month", rows, time=(None, "2026-02-01"))).items()) == [
        ("2025-11", 1),
        ("2025-12", 0),
        ("2026-01", 0),
        ("2026-02", 1),
    ]


@pytest.mark.parametrize(
    ("by", "zone", "period"),
    [
        ("created_day", "UTC", "2026-05-31"),
        ("created_day", "Europe/Oslo", "2026-06-01"),
        ("created_week", "UTC", "2026-05-25"),
        ("created_week", "Europe/Oslo", "2026-06-01"),
        ("created_month", "UTC", "2026-05"),
        ("created_month", "Europe/Oslo", "2026-06"),
        ("created_day", "America/New_York", "2026-05-31"),
        ("created_day", "Asia/Kathmandu", "2026-06-01"),
    ],
)
def test_a_period_is_of_the_zone(by: str, zone: str, period: str) -> None:
    assert sizes(grouped(by, dated("2026-05-31T22:15"), zone=zone)) == {period: 1}


def test_the_night_that_summer_time_begins_is_in_its_day() -> None:
    rows = dated("2026-03-28T22:45", "2026-03-28T23:00", "2026-03-29T21:45", "2026-03-29T22:00")
    assert sizes(grouped("created_day", rows, zone="Europe/Oslo")) == {
        "2026-03-28": 1,
        "2026-03-29": 2,
        "2026-03-30": 1,
    }


def test_contacts_without_a_date_come_before_the_trend() -> None:
    rows = dated("2026-03-02T10:00", None)
    assert list(sizes(grouped("created_day", rows))) == [WITHOUT, "2026-03-02"]


def test_past_the_limit_it_is_the_oldest_periods_that_are_left_out() -> None:
    rows = dated("2026-03-01T10:00", "2026-03-01T11:00", "2026-03-02T10:00", "2026-03-03T10:00")
    found = grouped("created_day", rows, limit=2)
    assert sizes(found) == {"2026-03-02": 1, "2026-03-03": 1}
    assert found.other == Group((OTHER,), Counter({LEAD: 2}))


def test_one_odd_date_does_not_make_thousands_of_empty_days() -> None:
    rows = dated("1990-01-01T10:00", "2026-03-02T10:00")
    assert sizes(grouped("created_day", rows)) == {"1990-01-01": 1, "2026-03-02": 1}


def test_the_newest_periods_are_without_holes_however_far_back_the_first_contact_is() -> None:
    found = grouped("created_day", dated("1990-01-01T10:00"), limit=5, time=(None, "2026-03-05"))
    assert sizes(found) == {f"2026-03-0{day}": 0 for day in range(1, 6)}
    assert found.left_out == 1


def test_a_trend_of_something_is_in_order_of_time_then_of_size() -> None:
    quarter = as_moment(datetime(2026, 3, 2, tzinfo=UTC)) // QUARTER_HOUR
    rows = [
        GroupRow(("oslo", quarter + 96), ("Oslo", None), LEAD, 1),
        GroupRow(("bergen", quarter), ("Bergen", None), LEAD, 1),
        GroupRow(("oslo", quarter), ("Oslo", None), LEAD, 2),
    ]
    assert [g.values for g in grouped("city,created_day", rows).groups] == [
        ("Oslo", "2026-03-02"),
        ("Bergen", "2026-03-02"),
        ("Oslo", "2026-03-03"),
    ]


def monthly(**months: int) -> list[GroupRow]:
    """Return a row for each of so many values in a month, such as m03=2."""
    return [
        GroupRow((moment(f"2026-{m[1:]}-05") // QUARTER_HOUR, f"v{i}"), (None, f"v{i}"), LEAD, 1)
        for m, n in months.items()
        for i in range(n)
    ]


def test_a_trend_of_something_is_cut_between_periods_never_within_one() -> None:
    found = grouped("created_month,city", monthly(m01=2, m02=3, m03=3), limit=7)
    assert [g.values[0] for g in found.groups] == ["2026-02"] * 3 + ["2026-03"] * 3
    assert found.left_out == 2


def test_a_period_that_is_larger_than_the_limit_shows_its_largest_groups() -> None:
    found = grouped("created_month,city", monthly(m01=2, m02=3), limit=2)
    assert [g.values for g in found.groups] == [("2026-02", "v0"), ("2026-02", "v1")]
    assert found.left_out == 3


def test_a_period_without_anybody_is_shown_in_a_trend_of_something() -> None:
    found = grouped("created_month,city", monthly(m01=1, m03=1), time=(None, "2026-03-05"))
    assert [(g.values, g.contacts) for g in found.groups] == [
        (("2026-01", "v0"), 1),
        (("2026-02", ""), 0),
        (("2026-03", "v0"), 1),
    ]


def test_a_trend_goes_from_where_the_filter_begins_to_where_it_ends() -> None:
    rows = dated("2026-03-03T10:00")
    found = grouped("created_day", rows, time=("2026-03-01", "2026-03-05T12:00"))
    assert sizes(found) == {f"2026-03-0{d}": int(d == 3) for d in range(1, 6)}


def test_of_a_sample_no_period_is_shown_to_be_without_anybody() -> None:
    rows = dated("2026-03-02T10:00", "2026-02-27T10:00")
    assert sizes(grouped("created_day", rows)) == {"2026-02-27": 1, "2026-03-02": 1}


def test_before_a_contact_of_the_future_no_period_is_shown_to_be_without_anybody() -> None:
    rows = dated("2026-03-02T10:00", "2026-03-04T10:00", "2027-01-01T10:00")
    found = grouped("created_month", rows, time=(None, "2026-03-05"))
    assert sizes(found) == {"2026-03": 2, "2027-01": 1}
    assert list(found.partial) == ["2026-03", "2027-01"]


@pytest.mark.parametrize(
    ("time", "partial"),
    [
        ((None, "2026-03-05T12:00"), ["2026-03-05"]),
        ((None, "2026-03-05T23:59:59.999999"), []),
        (("2026-03-03", "2026-03-05T12:00"), ["2026-03-05"]),
        (("2026-03-03T01:00", "2026-03-05T12:00"), ["2026-03-03", "2026-03-05"]),
        (("2026-03-03T01:00", "2026-03-03T12:00"), ["2026-03-03"]),
    ],
)
def test_periods_that_are_cut_are_named(time: tuple[str | None, str], partial: list[str]) -> None:
    assert list(grouped("created_day", dated("2026-03-03T10:00"), time=time).partial) == partial


ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(["Oslo", "OSLO", "oslo", "Bergen", "Bø", "bo", "", None]),
        n=st.integers(1, 9),
        status=st.sampled_from(Status),
    )
)


@given(ROWS, st.integers(1, 5))
def test_no_contact_is_lost_or_counted_twice(rows: list[GroupRow], limit: int) -> None:
    found = grouped("city", rows, limit)
    shown = [*found.groups, *filter(None, [found.other])]
    assert sum(g.contacts for g in shown) == sum(r.contacts for r in rows)
    assert sum(g.counts[LEAD] for g in shown) == sum(r.contacts for r in rows if r.status is LEAD)
    assert sum(g.counts[CUSTOMER] for g in shown) == sum(
        r.contacts for r in rows if r.status is CUSTOMER
    )


@given(ROWS, st.integers(1, 5))
def test_there_are_never_more_groups_than_asked_for(rows: list[GroupRow], limit: int) -> None:
    found = grouped("city", rows, limit)
    assert len(found.groups) <= limit
    assert len(found.groups) + found.left_out == len({r.keys[0] or None for r in rows})
