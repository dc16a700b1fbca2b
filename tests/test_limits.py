"""How often one caller may ask, and how many callers are counted."""

import pytest

from smoc_mcp.errors import BusyError
from smoc_mcp.http.limits import MOST_CALLERS, CallLimit


def test_one_caller_does_not_use_up_what_another_may_ask() -> None:
    limit = CallLimit(1)
    limit.count("ada")
    limit.count("bob")
    with pytest.raises(BusyError) as caught:
        limit.count("ada")
    assert 59 <= caught.value.seconds <= 61


def test_callers_are_forgotten_who_have_not_called_for_the_longest() -> None:
    limit = CallLimit(1)
    limit.count("ada")
    for number in range(MOST_CALLERS - 1):
        limit.count(f"caller {number}")
    with pytest.raises(BusyError):
        limit.count("ada")
    limit.count("one more")
    limit.count("caller 0")
    with pytest.raises(BusyError):
        limit.count("ada")
