"""What answers cost: real tokens of the twelve usual questions, in both forms."""

import pytest

from benchmarks import tokens
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread

pytestmark = pytest.mark.anyio


async def test_the_twelve_questions_stay_within_their_tokens() -> None:
    company = Company("Nordlys", seed=1, size=3_000)
    with run_in_thread(Sandbox(keys={"key-of-the-benchmark": company})) as url:
        costs = await tokens.measure(url, company)
        bridge = tokens.bridge_tokens(url)
    assert len(costs) == 12
    assert sum(cost.text for cost in costs) <= tokens.MOST_TEXT
    assert sum(cost.structured for cost in costs) <= tokens.MOST_STRUCTURED
    assert bridge > 5 * tokens.MOST_TEXT
