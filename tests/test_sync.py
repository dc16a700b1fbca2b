"""More than 500: the store's file, `sync` as a real process, and what answers know of the past."""

import json
import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from smoc_mcp.api.client import SmocClient
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.filters import Listing
from smoc_mcp.sandbox import Company, Fault, Sandbox, run_in_thread
from smoc_mcp.settings import Settings
from smoc_mcp.store.store import ContactStore
from tests import commands
from tests.commands import Done
from tests.serving import KEY, ask, open_client, refusal, text_of

pytestmark = pytest.mark.anyio

Served = tuple[str, Sandbox, Company]


@pytest.fixture
def served() -> Iterator[Served]:
    # Its clock is behind ours, so that what grows faster than in life is still of the past.
    company = Company("Growing", seed=6, size=450, now=time.time() - 6 * 3600, hostile=0)
    sandbox = Sandbox(keys={KEY: company})
    with run_in_thread(sandbox) as url:
        yield url, sandbox, company


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


def environment(url: str, path: Path) -> dict[str, str]:
    return {"SMOC_API_KEY": KEY, "SMOC_BASE_URL": url, "SMOC_MCP_STORE": str(path)}


def run(url: str, path: Path, *arguments: str) -> Done:
    return commands.run(*arguments, **environment(url, path))


def run_here(url: str, path: Path, *arguments: str) -> Done:
    return commands.run_here(*arguments, **environment(url, path))


@asynccontextmanager
async def opened(url: str, path: Path, cache_seconds: float = 0.0) -> AsyncIterator[Client]:
    """Open the server in this process on a store's file; nothing is live between questions."""
    settings = Settings.from_env(environment(url, path))
    async with (
        opened_directory(settings, cache_seconds) as directory,
        open_client(directory) as client,
    ):
        yield client


@asynccontextmanager
async def opened_directory(
    settings: Settings, cache_seconds: float = 0.0
) -> AsyncIterator[ContactDirectory]:
    store = ContactStore(str(settings.store), address=settings.base_url, key_hash=settings.key_hash)
    async with (
        SmocClient(settings.base_url, settings.api_key) as api,
        ContactDirectory(
            api,
            store=store,
            cache_seconds=cache_seconds,
            refresh_seconds=1e6,
        ) as directory,
    ):
        yield directory


def grow(company: Company, count: int) -> list[str]:
    """Add contacts at times of their own; many of one time are a gap of their own."""
    added = []
    for _ in range(count):
        company.advance(1)
        added += company.add()
    return added


async def sync(url: str, path: Path) -> None:
    async with opened_directory(Settings.from_env(environment(url, path))) as directory:
        assert (await directory.refresh()).complete


async def test_what_grew_between_syncs_is_all_found_and_exact_unless_deleted(
    served: Served, path: Path
) -> None:
    url, _, company = served
    for _ in range(4):
        await sync(url, path)
        grow(company, 400)
    async with opened(url, path) as client:
        stats = await ask(client, "contacts_stats", group_by="status", created_after="1000d")
    assert stats["total_certainty"] == "exact_unless_deleted"
    assert stats["groups_certainty"] == "exact_unless_deleted"
    assert stats["total"] == len(company) == 2050


async def test_a_sync_left_out_while_700_arrive_is_a_gap_that_answers_name(
    served: Served, path: Path
) -> None:
    url, _, company = served
    await sync(url, path)
    grow(company, 700)
    await sync(url, path)
    async with opened(url, path) as client:
        page = await ask(client, "contacts_search", created_after="7h", limit=5, sort="updated")
        resource = await client.read_resource("smoc://company")
    assert page["total_certainty"] == "at_least"
    assert "Gap: contacts that came in this time may be missing: " in page["note"]
    described = json.loads(str(resource.contents[0].model_dump()["text"]))
    assert {gap["order"] for gap in described["gaps"]} >= {"created"}
    assert described["kept_in_a_store"] is True


async def test_contacts_that_no_window_shows_any_more_say_when_they_were_last_seen(
    served: Served, path: Path
) -> None:
    url, _, company = served
    oldest = next(c for c in company.page(None, 500) if "@" in str(c.get("email")))
    await sync(url, path)
    grow(company, 600)
    async with opened(url, path) as client:
        found = await ask(client, "contacts_find_by_email", email=oldest["email"])
        listed = await ask(client, "contacts_list", limit=3)
    assert oldest["id"] in [c["id"] for c in found["matches"]]
    assert all("last_verified" not in c for c in listed["contacts"])


async def test_a_deleted_contact_is_noticed_where_a_window_must_show_it(
    served: Served, path: Path
) -> None:
    url, _, company = served
    await sync(url, path)
    grow(company, 400)
    await sync(url, path)
    gone = str(company.page("createdAt", 1)[0]["id"])
    company.delete(gone)
    async with opened_directory(Settings.from_env(environment(url, path))) as directory:
        report = await directory.refresh()
        assert report.removed == 1
        assert directory.sync.store.get(gone) is None


async def test_after_a_failure_what_is_known_is_the_answer_and_says_so(
    served: Served, path: Path
) -> None:
    url, sandbox, company = served
    await sync(url, path)
    sandbox.fail(Fault("server_error", times=None))
    async with opened(url, path) as client:
        stats = await ask(client, "contacts_stats", group_by="status")
        found = await ask(client, "contacts_find_by_email", email="nobody@example.com")
    # SMOC's own counts are the bound; the others may be gone by now.
    counted = company.leads_count + company.customer_count
    assert (stats["total"], stats["total_certainty"]) == (counted, "at_least")
    assert f"{450 - counted} more match as they were last seen" in stats["note"]
    assert "and this was known at" in stats["note"]
    assert "HTTP 500" in stats["note"]
    assert found["certainty"] == "at_least"


@pytest.mark.parametrize("kind", ["unauthorized", "forbidden"])
async def test_a_key_that_the_api_refuses_gets_nothing_from_the_store(
    served: Served, path: Path, kind: Any
) -> None:
    url, sandbox, _ = served
    await sync(url, path)
    sandbox.fail(Fault(kind, times=None))
    async with opened(url, path) as client:
        assert "HTTP 40" in await refusal(client, "contacts_stats", group_by="status")


async def test_a_refused_key_gets_nothing_either_when_the_api_fails_next(
    served: Served, path: Path
) -> None:
    url, sandbox, _ = served
    await sync(url, path)
    async with opened(url, path) as client:
        sandbox.fail(Fault("unauthorized"), Fault("server_error", times=None))
        assert "HTTP 401" in await refusal(client, "contacts_list")
        assert "HTTP 500" in await refusal(client, "contacts_list")
        sandbox.recover()
        await ask(client, "contacts_list")
        sandbox.fail(Fault("server_error", times=None))
        assert "and this was known" in (await ask(client, "contacts_list"))["note"]


def test_export_says_how_many_it_wrote_and_when_it_could_not_ask(
    served: Served, path: Path
) -> None:
    url, sandbox, company = served
    grow(company, 700)
    run_here(url, path, "sync")
    done = run_here(url, path, "export", "--format", "jsonl", "status=lead")
    assert done.stderr.startswith(
        f"{len(done.stdout.splitlines()):,} contacts written, as they were last seen; "
        f"{company.leads_count:,} match."
    )
    sandbox.fail(Fault("html", times=None))
    failed = run_here(url, path, "export", "--format", "jsonl")
    assert failed.returncode == 1
    assert "from what was in hand, since: A web page came" in failed.stderr


@pytest.mark.long
async def test_a_poller_sees_each_new_contact_once_across_restarts(
    served: Served, path: Path
) -> None:
    url, _, company = served
    cursor = "1h"
    async with opened(url, path) as client:
        page = await ask(client, "contacts_changes", since=cursor)
        while page["new"] or page["updated"]:
            page = await ask(client, "contacts_changes", since=page["cursor"])
        cursor = page["cursor"]
    seen: list[str] = []
    added: list[str] = []
    for _ in range(3):
        added += grow(company, 300)
        await sync(url, path)
    async with opened(url, path) as client:
        while True:
            page = await ask(client, "contacts_changes", since=cursor, limit=100)
            assert page["certainty"] in ("exact", "exact_unless_deleted")
            assert page["updated"] == []
            cursor = page["cursor"]
            if not page["new"]:
                break
            seen += [c["id"] for c in page["new"]]
    assert seen == added


async def test_a_poller_is_told_of_a_gap_with_its_dates(served: Served, path: Path) -> None:
    url, _, company = served
    await sync(url, path)
    async with opened(url, path) as client:
        cursor = (await ask(client, "contacts_changes", since="1h", limit=100))["cursor"]
        grow(company, 800)
        page = await ask(client, "contacts_changes", since=cursor, limit=5)
    assert page["certainty"] == "at_least"
    assert re.search(r"may be missing: \d{4}-\d\d-\d\dT\S+ to \d{4}-\d\d-\d\dT", page["note"])


async def test_a_server_with_a_store_refreshes_by_itself_while_it_is_used(
    served: Served, path: Path
) -> None:
    import anyio

    url, sandbox, _ = served
    settings = Settings.from_env(environment(url, path))
    store = ContactStore(str(path), address=settings.base_url, key_hash=settings.key_hash)
    async with (
        SmocClient(url, settings.api_key) as api,
        ContactDirectory(api, store=store) as directory,
        open_client(directory) as client,
    ):
        await ask(client, "contacts_stats", status="lead")
        with anyio.fail_after(10):
            while store.history(Sort.UPDATED) is None:  # noqa: ASYNC110  no event to wait for
                await anyio.sleep(0.01)
    assert {r.sort for r in sandbox.requests if r.limit == 500} == {
        *("createdAt", "updatedAt", "lastConversationDate"),
        None,
    }


def test_sync_prints_its_report_and_the_file_is_private_and_without_the_key(
    served: Served, path: Path
) -> None:
    url, _, company = served
    done = run_here(url, path, "sync")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("seen 450, added 450, changed 0, removed 0; 450 contacts in hand")
    assert f"SMOC counts {company.leads_count} leads" in done.stdout
    assert "unbroken" in done.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KEY.encode() not in path.read_bytes()
    grow(company, 700)
    assert "gap: created from " in run_here(url, path, "sync").stdout


def test_check_says_how_far_back_nothing_is_missing(served: Served, path: Path) -> None:
    url, _, company = served
    run_here(url, path, "sync")
    grow(company, 700)
    run_here(url, path, "sync")
    found = json.loads(run_here(url, path, "check", "--json").stdout)
    assert found["store"] == str(path)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["nothing_missing_since"]["created"]
    )
    assert found["gaps"] >= 1


def test_a_sync_of_which_one_window_fails_is_no_success(served: Served, path: Path) -> None:
    url, sandbox, _ = served
    sandbox.fail(Fault("html", times=None, sort="lastConversationDate"))
    done = run_here(url, path, "sync")
    assert done.returncode == 1
    assert "NOT complete: conversation failed" in done.stdout
    assert "conversation: A web page came instead of contacts" in done.stderr


def test_sync_without_a_store_or_with_a_wrong_time_says_what_to_write(
    served: Served, path: Path
) -> None:
    done = run_here(served[0], path, "sync", "--every", "soon")
    assert (done.returncode, done.stderr) == (
        2,
        "smoc-mcp: --every takes a number and s, m, h or d, such as 15m.\n",
    )


def test_export_writes_every_match_and_defuses_cells(
    served: Served, path: Path, tmp_path: Path
) -> None:
    url, _, company = served
    company.add(1, firstName="=cmd|' /C calc'!A0", lastName="", msisdn="+4712345678", status="2")
    out = tmp_path / "out.csv"
    done = run(url, path, "export", "--out", str(out), "status=customer")
    assert done.returncode == 0, done.stderr
    lines = out.read_text("utf-8").splitlines()
    assert len(lines) - 1 == company.customer_count
    assert "'=cmd" in lines[1]
    assert "'+4712345678" in lines[1]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = run_here(url, path, "export", "--format", "jsonl").stdout.splitlines()
    assert {json.loads(row)["id"] for row in rows} == {c["id"] for c in company.contacts()}


def test_export_knows_a_filter_by_its_other_name(served: Served, path: Path) -> None:
    written = [
        run_here(served[0], path, "export", "--format", "jsonl", f"{name}=-(none)").stdout
        for name in ("promo", "promo_presented")
    ]
    assert written[0] == written[1] != ""
    both = run_here(served[0], path, "export", "promo=a", "promo_presented=b")
    assert "promo means promo_presented: give one of the two" in both.stderr


def test_export_refuses_a_filter_that_it_does_not_know(served: Served, path: Path) -> None:
    done = run_here(served[0], path, "export", "colour=red")
    assert done.returncode == 1
    assert "export has no filter 'colour'. It takes query, status" in done.stderr


def test_forget_asks_and_then_erases(served: Served, path: Path) -> None:
    url = served[0]
    run_here(url, path, "sync")
    assert "add --yes" in run_here(url, path, "forget").stderr
    done = run(url, path, "forget", "--yes")
    assert (done.returncode, done.stdout) == (0, f"Erased 450 contacts from {path}.\n")


def killed_while_syncing(url: str, path: Path, company: Company, times: int) -> None:
    """Kill `sync` at random moments; after each, nothing that was in the store is lost."""
    chance = random.Random(1)
    assert run(url, path, "sync").returncode == 0
    known: set[str] = set()
    settings = Settings.from_env(environment(url, path))
    for _ in range(times):
        grow(company, 20)
        with subprocess.Popen(
            [sys.executable, "-m", "smoc_mcp", "sync", "--every", "1s"],
            env={**os.environ, **environment(url, path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                process.wait(chance.uniform(0.2, 1.6))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        store = ContactStore(str(path), address=settings.base_url, key_hash=settings.key_hash)
        now = {row.id for row in store.list_rows(Listing(limit=100_000))}
        store.close()
        assert known <= now
        known = now
    assert known


async def test_sync_killed_at_random_moments_loses_nothing(served: Served, path: Path) -> None:
    url, _, company = served
    killed_while_syncing(url, path, company, 4)
    await claims_are_true(url, path, company)


@pytest.mark.long
async def test_sync_killed_fifty_times_loses_nothing(served: Served, path: Path) -> None:
    url, _, company = served
    killed_while_syncing(url, path, company, 50)
    await claims_are_true(url, path, company)


async def claims_are_true(url: str, path: Path, company: Company) -> None:
    async with opened(url, path) as client:
        stats = await ask(client, "contacts_stats", group_by="status", created_after="1000d")
    if stats["total_certainty"] != "at_least":
        assert stats["total"] == len(company)


def grow_under_sync(url: str, path: Path, company: Company) -> None:
    """Let a company grow to 20,000, a little after each report of a running `sync --every`."""
    with subprocess.Popen(
        [sys.executable, "-m", "smoc_mcp", "sync", "--every", "1s"],
        env={**os.environ, **environment(url, path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while len(company) < 20_000:
            assert "unbroken" in process.stdout.readline()
            grow(company, 240)
        process.stdout.readline()
        process.terminate()


@pytest.mark.long
async def test_a_company_that_grows_to_20000_under_sync_every_is_found_whole(
    served: Served, path: Path
) -> None:
    url, _, company = served
    grow_under_sync(url, path, company)
    async with opened(url, path, cache_seconds=60) as client:
        page = await ask(client, "contacts_search", created_after="1d", limit=100)
        answer = await client.call_tool("contacts_stats", {"created_after": "1000d"})
    assert page["total_certainty"] == "exact_unless_deleted"
    assert page["total"] >= 19_500
    assert answer.structured_content is not None
    assert answer.structured_content["total"] == len(company), text_of(answer)
