"""What the last line of an export, `check` and smoc://company say of how much there is."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp_types import TextResourceContents

from smoc_mcp.proof.certainty import Certainty, Proof
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import Status
from smoc_mcp.sandbox import Company, Fault, Sandbox, run_in_thread
from smoc_mcp.views.phrases import everybody_of
from tests.commands import Done, run_here
from tests.serving import KEY, ask, memory_server

pytestmark = pytest.mark.anyio

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(scope="module")
def large() -> Company:
    return Company("Large", seed=5, size=1_900, hostile=0)


@pytest.fixture(scope="module")
def sandbox(large: Company) -> Sandbox:
    return Sandbox(keys={KEY: large, "small": Company("Small", seed=8, size=120, hostile=0)})


@pytest.fixture(scope="module")
def url(sandbox: Sandbox) -> Iterator[str]:
    with run_in_thread(sandbox) as address:
        yield address


def run(url: str, *arguments: str, key: str = KEY, **env: str) -> Done:
    return run_here(*arguments, SMOC_API_KEY=key, SMOC_BASE_URL=url, **env)


def test_an_export_of_all_says_so_and_of_when(url: str) -> None:
    done = run(url, "export", key="small")
    assert re.fullmatch(
        rf"120 contacts written: all that match, as of {MOMENT}\.\n", done.stderr
    ), done.stderr
    nobody = run(url, "export", "company=nowhere", key="small")
    assert nobody.stderr.startswith("0 contacts written: nobody matches, as of ")


def test_an_export_of_a_part_says_how_many_more_there_are_and_since_when_it_has_all(
    url: str, large: Company
) -> None:
    done = run(url, "export", "--format", "jsonl", "status=lead")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    said = re.fullmatch(
        rf"(\S+) contacts written, as they were last seen; (\S+) match\. Of those that match, all "
        rf"created since ({MOMENT}) are among them\.\n",
        done.stderr,
    )
    assert said, done.stderr
    assert int(said[1].replace(",", "")) == len(rows) < large.leads_count
    assert int(said[2].replace(",", "")) == large.leads_count
    since = said[3].rstrip("Z")
    truth = {
        c["id"]
        for c in large.contacts()
        if c.get("status") in (None, "1") and str(c.get("createdAt") or "") >= since
    }
    assert {r["id"] for r in rows if r.get("created", "") >= since} == truth
    assert len(truth) > 100


def test_an_export_of_what_is_proven_but_for_deletions_says_what_may_linger(
    tmp_path: Path,
) -> None:
    company = Company("Growing", seed=6, size=450, now=time.time() - 6 * 3600, hostile=0)
    store = {"SMOC_MCP_STORE": str(tmp_path / "store.sqlite3")}
    with run_in_thread(Sandbox(keys={KEY: company})) as url:
        assert run(url, "sync", **store).returncode == 0
        for _ in range(300):
            company.advance(1)
            company.add()
        done = run(url, "export", "created_after=1000d", **store)
    assert re.fullmatch(
        rf"750 contacts written: all that match, as of {MOMENT}\. Nothing is missing, but "
        r"contacts deleted in SMOC since they were last seen may linger\.\n",
        done.stderr,
    ), done.stderr


def test_an_export_while_smoc_is_down_proves_nothing(tmp_path: Path) -> None:
    company = Company("Small", seed=8, size=120, hostile=0)
    sandbox = Sandbox(keys={KEY: company})
    store = {"SMOC_MCP_STORE": str(tmp_path / "store.sqlite3")}
    with run_in_thread(sandbox) as url:
        assert run(url, "sync", **store).returncode == 0
        sandbox.fail(Fault("html", times=None))
        done = run(url, "export", **store)
    written, why = done.stderr.splitlines()[-2:]
    assert re.fullmatch(
        r"120 contacts written, as they were last seen; more may match\.",
        written,
    )
    assert why.startswith("smoc-mcp: from what was in hand, since: A web page came")
    assert done.returncode == 1


def test_check_says_at_least_how_many_there_are_and_since_when_it_has_all(
    url: str, large: Company
) -> None:
    shown = run(url, "check").stdout
    found = json.loads(run(url, "check", "--json").stdout)
    counted = large.leads_count + large.customer_count
    assert counted <= found["at_least"] <= len(large)
    least = f"by SMOC; at least {found['at_least']:,} contacts"
    assert least in shown
    assert f"contacts; all created since {found['proven_since']} are among them" in shown
    since = found["proven_since"].rstrip("Z")
    newer = [c for c in large.contacts() if str(c.get("createdAt") or "") >= since]
    assert 100 < len(newer) < 500


def test_check_of_a_small_company_says_that_it_has_all(url: str) -> None:
    shown = run(url, "check", key="small").stdout
    assert "at least 120 contacts" in shown
    assert "120 contacts, which is the whole company" in shown
    assert json.loads(run(url, "check", "--json", key="small").stdout)["proven"] == "all"


async def test_the_company_as_a_resource_has_the_lower_bound_of_the_answers(url: str) -> None:
    async with memory_server(url) as client:
        listed = await ask(client, "contacts_search", query="a")
        [item] = (await client.read_resource("smoc://company")).contents
    assert isinstance(item, TextResourceContents)
    assert json.loads(item.text)["at_least"] == listed["company"]["at_least"] > 500


def test_a_part_is_told_by_its_statuses_and_by_since_when() -> None:
    proof, counted = Proof(Certainty.EXACT, 0), frozenset({Status.LEAD, Status.CUSTOMER})
    since = "2026-06-25T10:00:00Z"
    assert everybody_of(Part(proof, 5, 1), since) == f"all created since {since}"
    assert everybody_of(Part(proof, 5, None, counted), "") == "all leads and customers"
