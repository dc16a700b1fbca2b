"""Moments: what people write is understood, or refused with a sentence; nothing else happens."""

import time
from datetime import UTC as PLAIN_UTC
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smoc_mcp.errors import InputError
from smoc_mcp.text.times import Clock, as_datetime, as_moment, iso, parse_time

UTC = ZoneInfo("UTC")
NOW = as_moment(datetime(2026, 6, 1, 12, tzinfo=PLAIN_UTC))
ZONES = st.sampled_from(
    [
        *("UTC", "Europe/Oslo", "Europe/Amsterdam", "America/New_York", "America/St_Johns"),
        *("Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"),
    ]
).map(ZoneInfo)
DATE_LIKE = st.one_of(
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True),
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
        r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)?",
        fullmatch=True,
    ),
    st.from_regex(r"\d{1,6}\s?[mhdwy]", fullmatch=True),
)


def parse(text: str, zone: str = "UTC") -> str:
    """Return what a text means, in UTC."""
    return iso(parse_time(text, name="created_after", now=NOW, zone=ZoneInfo(zone)), UTC)


@settings(deadline=None, max_examples=400)
@given(st.text() | DATE_LIKE, ZONES, ZONES)
@example("9998-12-31T23:59:59-23:59", ZoneInfo("UTC"), ZoneInfo("Pacific/Apia"))
@example("1900-01-01T00:00:00+23:59", ZoneInfo("UTC"), ZoneInfo("America/New_York"))
@example("2026-05-31T09:30\ud800", ZoneInfo("UTC"), ZoneInfo("UTC"))
def test_any_text_is_a_moment_that_can_be_shown_or_an_input_error(
    text: str, zone: ZoneInfo, shown_in: ZoneInfo
) -> None:
    try:
        moment = parse_time(text, name="since", now=NOW, zone=zone)
    except InputError:
        return
    assert iso(moment, shown_in)


@settings(deadline=None)
@given(
    st.datetimes(datetime(1901, 1, 1), datetime(9997, 12, 31), timezones=st.just(PLAIN_UTC)),
    ZONES,
    ZONES,
)
def test_what_is_shown_means_the_same_moment_to_the_second(
    value: datetime, shown_in: ZoneInfo, read_in: ZoneInfo
) -> None:
    moment = as_moment(value)
    text = iso(moment, shown_in)
    assert parse_time(text, name="since", now=NOW, zone=read_in) == moment // 10**6 * 10**6


@given(st.datetimes(datetime(1900, 1, 2), datetime(9998, 12, 30), timezones=st.just(PLAIN_UTC)))
def test_a_datetime_survives_being_a_moment(value: datetime) -> None:
    assert as_datetime(as_moment(value), UTC) == value


@pytest.mark.parametrize(
    ("age", "meaning"),
    [
        ("30min", "2026-06-01T11:30:00Z"),
        ("24h", "2026-05-31T12:00:00Z"),
        ("7d", "2026-05-25T12:00:00Z"),
        ("2w", "2026-05-18T12:00:00Z"),
        ("0d", "2026-06-01T12:00:00Z"),
        (" 7 D ", "2026-05-25T12:00:00Z"),
    ],
)
def test_an_age_counts_back_from_now(age: str, meaning: str) -> None:
    assert parse(age) == meaning


@pytest.mark.parametrize(
    ("text", "zone", "meaning"),
    [
        ("2026-01-15", "UTC", "2026-01-15T00:00:00Z"),
        ("2026-01-15", "Europe/Oslo", "2026-01-14T23:00:00Z"),
        ("2026-07-15", "Europe/Oslo", "2026-07-14T22:00:00Z"),
        # The day that summer time begins or ends still has the offset of the night before.
        ("2026-03-29", "Europe/Oslo", "2026-03-28T23:00:00Z"),
        ("2026-03-30", "Europe/Oslo", "2026-03-29T22:00:00Z"),
        ("2026-10-25", "Europe/Oslo", "2026-10-24T22:00:00Z"),
        ("2026-10-26", "Europe/Oslo", "2026-10-25T23:00:00Z"),
        # In Cairo the clocks went from 00:00 to 01:00: the day began when there was no midnight.
        ("2024-04-26", "Africa/Cairo", "2024-04-25T22:00:00Z"),
        ("2026-01-15", "Asia/Kolkata", "2026-01-14T18:30:00Z"),
    ],
)
def test_a_bare_date_is_its_midnight_in_the_zone(text: str, zone: str, meaning: str) -> None:
    assert parse(text, zone) == meaning


@pytest.mark.parametrize(
    ("text", "zone", "meaning"),
    [
        ("2026-05-31T09:30:00Z", "Europe/Oslo", "2026-05-31T09:30:00Z"),
        ("2026-05-31t09:30Z", "UTC", "2026-05-31T09:30:00Z"),
        ("2026-05-31 09:30", "UTC", "2026-05-31T09:30:00Z"),
        ("2026-05-31T09:30:00.123Z", "UTC", "2026-05-31T09:30:00Z"),
        ("2026-05-31T09:30:00+02:00", "UTC", "2026-05-31T07:30:00Z"),
        ("2026-05-31T09:30", "Europe/Oslo", "2026-05-31T07:30:00Z"),
        ("2026-12-31T09:30", "Europe/Oslo", "2026-12-31T08:30:00Z"),
    ],
)
def test_a_date_time_is_in_its_own_offset_or_else_in_the_zone(
    text: str, zone: str, meaning: str
) -> None:
    assert parse(text, zone) == meaning


def test_a_moment_keeps_the_milliseconds_of_the_api() -> None:
    moment = parse_time("2025-03-15T10:22:00.123Z", name="since", now=NOW, zone=UTC)
    assert iso(moment, UTC, "milliseconds") == "2025-03-15T10:22:00.123Z"


def test_a_moment_is_shown_with_the_offset_of_its_zone() -> None:
    assert iso(NOW, ZoneInfo("Europe/Oslo")) == "2026-06-01T14:00:00+02:00"


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", "tomorrow", "now", "2026", "24", "h", "7 moons", "-7d", "100y", "10000d"),
        *("2026-02-30", "2025-02-29", "2026-13-01", "2026-00-10", "0000-00-00", "26-05-31"),
        *("1899-12-31", "9999-01-01", "0001-01-01", "20260531", "2026-W22-1", "2026-151"),
        *("31.05.2026", "05/31/2026", "2026-05-31T", "2026-05-31T09", "2026-05-31T25:00"),
        *("2026-05-31T09:60", "2026-05-31T09:30+25:00", "2026-05-31T09:30 Europe/Oslo"),
        *("2026-05-31T09:30:00ZZ", "2026-05-31\n2026-06-01", "1780000000"),
    ],
)
def test_what_is_no_time_is_an_error_that_names_the_parameter_and_shows_the_forms(
    text: str,
) -> None:
    with pytest.raises(InputError) as caught:
        parse_time(text, name="updated_before", now=NOW, zone=UTC)
    message = str(caught.value)
    assert message.startswith("updated_before is not a time")
    assert "2026-05-31T09:30:00Z" in message
    assert "7d" in message


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        *(("30days", "30d"), ("30 days", "30d"), ("2 weeks", "2w"), ("1 week ago", "1w")),
        *(("last 7 days", "7d"), ("24 Hours", "24h"), ("90 minutes", "90min"), ("3hrs", "3h")),
        *(("today", "2026-06-01"), ("Yesterday", "2026-05-31")),
    ],
)
def test_what_people_write_is_understood_where_there_is_no_doubt(text: str, meaning: str) -> None:
    zone = ZoneInfo("Europe/Oslo")
    said, meant = (parse_time(t, name="since", now=NOW, zone=zone) for t in (text, meaning))
    assert said == meant


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("1 month", "write 30d, or the date itself, such as 2026-05-02."),
        ("3m", "write 90d, or the date itself, such as 2026-03-03, or 3min for minutes."),
        ("2 years", "write 730d, or the date itself, such as 2024-06-01."),
        ("last week", "write 7d for the last 7 days, or 2026-05-25 for the first day of last week"),
        ("last month", "write 30d for the last 30 days, or 2026-05-01 for the first day of last"),
        ("this month", "write 2026-06-01 for the first day of this month."),
        ("last year", "or 2025-01-01 for the first day of last year."),
    ],
)
def test_what_can_mean_two_things_is_answered_with_what_to_write(text: str, instead: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_time(text, name="created_after", now=NOW, zone=UTC)
    assert str(caught.value).startswith("created_after is not a time that means one thing")
    assert instead in str(caught.value)


def test_the_clock_tells_the_present_moment() -> None:
    assert abs(Clock()() - time.time_ns() // 1000) < 60 * 10**6


def test_what_has_elapsed_does_not_go_back_with_the_wall_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    before = clock.elapsed()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert clock() == 0
    assert clock.elapsed() >= before


def test_what_has_elapsed_never_goes_back() -> None:
    clock = Clock()
    seen = [clock.elapsed() for _ in range(1000)]
    assert seen == sorted(seen)
