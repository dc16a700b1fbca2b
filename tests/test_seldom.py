"""What happens often is in the log once a minute, with how often it happened."""

import logging
import time

import pytest

from smoc_mcp.seldom import Seldom


def test_a_cause_is_written_once_a_minute_and_says_how_many_more_there_were(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    seldom = Seldom(logging.getLogger("seldom"))
    for _ in range(4):
        seldom.warning("a", "first")
    seldom.warning("b", "other")
    now[0] += 61
    seldom.warning("a", "again")
    now[0] += 61
    seldom.warning("a", "last")
    assert caplog.messages == [
        *("first", "other"),
        *("again (3 more like this since the last line)", "last"),
    ]


def test_causes_that_somebody_makes_up_are_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    seldom = Seldom(logging.getLogger("seldom"))
    for number in range(3_000):
        seldom.warning(f"cause {number}", "made up")
    assert len(seldom._causes) == 1_000
    assert len(caplog.messages) == 3_000
