"""How often one caller may ask."""

import pytest

from smoc_mcp.errors import BusyError
from smoc_mcp.http.limits import CallLimit


def test_one_caller_does_not_use_up_what_another_may_ask() -> None:
    limit = CallLimit(1)
    limit.count("ada")
    limit.count("bob")
    with pytest.raises(BusyError) as caught:
        limit.count("ada")
    assert 59 <= caught.value.seconds <= 61
