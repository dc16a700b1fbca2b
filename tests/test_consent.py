"""Consent stands wherever a contact is listed: whom one may write to is seen before one writes."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from pydantic import SecretStr

from smoc_mcp.api.client import SmocClient
from smoc_mcp.cli.export import Format, export
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.questions.filters import EVERYBODY
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.views.lists import Views
from tests.serving import KEY, ask, memory_server, text_of

pytestmark = pytest.mark.anyio

WORDS = {True: "yes", False: "no", None: "unasked"}
UNREADABLE = {"answer": ["perhaps"]}


@pytest.fixture
def company() -> Company:
    return Company("Small", seed=8, size=40, hostile=0)


@pytest.fixture
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


def consents(company: Company) -> dict[str, str]:
    """Return the truth: nothing of whoever sent what nobody can read."""
    sent = {str(c["id"]): c.get("acceptedCommunication") for c in company.contacts()}
    return {i: WORDS[v] for i, v in sent.items() if v is None or isinstance(v, bool)}


def shown(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["id"]: row["consent"] for row in rows if row.get("consent")}


async def test_rows_say_consent_and_leave_out_what_could_not_be_read(
    url: str, company: Company
) -> None:
    unread, unasked = company.sample(2)
    company.update(unread, acceptedCommunication=UNREADABLE)
    company.update(unasked, acceptedCommunication=None)
    truth = consents(company)
    assert unread not in truth
    assert set(truth.values()) == {"yes", "no", "unasked"}
    async with memory_server(url) as client:
        listed = await ask(client, "contacts_list", limit=100)
        searched = await ask(client, "contacts_search", limit=100)
        news = await ask(client, "contacts_changes", since="900d", limit=100)
        text = text_of(await client.call_tool("contacts_list", {"limit": 100}))
    assert shown(listed["contacts"]) == shown(searched["contacts"]) == truth
    assert shown(news["new"] + news["updated"]) == truth
    heading, *rows = [line.split("|") for line in text.splitlines() if line.count("|") > 5]
    at, who = heading.index("consent"), heading.index("id")
    assert at == heading.index("status") + 1
    assert {row[who]: row[at] for row in rows if row[at]} == truth


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_says_consent(url: str, company: Company, form: Format) -> None:
    company.update(company.sample(1)[0], acceptedCommunication=UNREADABLE)
    out = StringIO()
    async with SmocClient(url, SecretStr(KEY), 20) as api, ContactDirectory(api) as directory:
        await export(directory, EVERYBODY, Views(), form, out)
    text = out.getvalue()
    rows: list[dict[str, Any]] = (
        list(csv.DictReader(StringIO(text)))
        if form == "csv"
        else [json.loads(line) for line in text.splitlines()]
    )
    assert shown(rows) == consents(company)


@pytest.mark.parametrize(
    ("sent", "said"), [(True, "yes"), (False, "no"), (None, "unasked"), (UNREADABLE, None)]
)
async def test_one_contact_says_consent(
    url: str, company: Company, sent: object, said: str | None
) -> None:
    [contact_id] = company.add(acceptedCommunication=sent)
    async with memory_server(url) as client:
        found = await ask(client, "contacts_get", contact_id=contact_id)
        text = text_of(await client.call_tool("contacts_get", {"contact_id": contact_id}))
    assert found["contact"].get("consent") == said
    assert (f"consent: {said}" in text.splitlines()) is (said is not None)


async def test_who_said_what_cannot_be_read_is_not_counted_as_unasked(
    url: str, company: Company
) -> None:
    company.update(company.sample(1)[0], acceptedCommunication=UNREADABLE)
    truth = consents(company)
    async with memory_server(url) as client:
        found = await ask(
            client, "contacts_search", accepted_communication="unasked, yes, no", limit=100
        )
        grouped = await ask(
            client, "contacts_stats", group_by="accepted_communication", scope="in_hand"
        )
    assert {row["id"] for row in found["contacts"]} == truth.keys()
    assert found["total_certainty"] == "at_least"
    counts = {g["key"]["accepted_communication"]: g["contacts"] for g in grouped["groups"]}
    said = list(truth.values())
    assert counts == {"(none)": 1, **{word: said.count(word) for word in set(said)}}
