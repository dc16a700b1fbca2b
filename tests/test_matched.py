"""`matched` names each field that holds a word once, so that whoever counts by it counts right."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.serving import KEY, ask, memory_server

pytestmark = pytest.mark.anyio


@pytest.fixture
def company() -> Company:
    return Company("Small", seed=8, size=300, hostile=0)


@pytest.fixture
def url(company: Company) -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: company})) as address:
        yield address


def texts_of(contact: dict[str, Any]) -> dict[str, str]:
    """Return what a contact wrote, by the name of the field: straight from what the API sends."""
    named = [(name, contact.get(name)) for name in ("email", "company", "street", "city")]
    named += [("name", f"{contact.get('firstName')} {contact.get('lastName')}")]
    named += [(text["key"], text["value"]) for text in contact.get("textFields") or ()]
    named += [(a["question"], a["answer"]) for a in contact.get("answeredSurveyQuestions") or ()]
    texts: dict[str, str] = {}
    for name, text in named:
        texts[name] = f"{texts.get(name, '')}\n{text or ''}"
    return texts


def fields_named(matched: str) -> list[str]:
    return [field.partition(": ")[0] for field in matched.split("; ")] if matched else []


@pytest.mark.parametrize("query", ["leilighet", "vet ikke", "tromsø", "google", "ikke en venn"])
async def test_a_count_by_field_is_the_truth(url: str, company: Company, query: str) -> None:
    for contact_id in company.sample(20):
        # Words that stand in several fields of one person, and twice in one.
        company.update(
            contact_id,
            textFields=[
                {"key": "boligtype", "value": "Leilighet, leilighet i Tromsø"},
                {"key": "gjett antall", "value": "vet ikke, du, en venn"},
            ],
            answeredSurveyQuestions=[
                {"question": "Noe mer du vil si?", "answer": "Leilighet, Google vet ikke alt"}
            ],
        )
    words = query.split()
    truth: Counter[str] = Counter()
    for contact in company.contacts():
        texts = {name: text.lower() for name, text in texts_of(contact).items()}
        if all(any(_holds(text, word) for text in texts.values()) for word in words):
            truth.update(n for n, t in texts.items() if any(_holds(t, word) for word in words))
    counted: Counter[str] = Counter()
    async with memory_server(url) as client:
        arguments: dict[str, Any] = {"query": query, "limit": 100}
        while True:
            page = await ask(client, "contacts_search", **arguments)
            for row in page["contacts"]:
                # Whoever holds the words in the name alone has no `matched`.
                named = fields_named(row.get("matched", "name"))
                assert len(named) == len(set(named))
                counted.update(named)
            if "next_cursor" not in page:
                break
            arguments["cursor"] = page["next_cursor"]
    assert counted == truth
    assert sum(truth.values()) > 5


def _holds(text: str, word: str) -> bool:
    """Say whether a word is in a text; one of two letters only where a word begins."""
    return word in text if len(word) > 2 else bool(re.search(rf"\b{word}", text))


async def test_five_fields_are_named_and_the_others_counted(url: str, company: Company) -> None:
    texts = [{"key": f"key {n}", "value": f"quetzal number {n}"} for n in range(8)]
    company.add(firstName="Quetzal", textFields=texts)
    async with memory_server(url) as client:
        found = await ask(client, "contacts_search", query="quetzal")
    [contact] = found["contacts"]
    shown = [f"key {n}: quetzal number {n}" for n in range(4)]
    assert contact["matched"] == "; ".join(["name", *shown, "and 4 more"])


async def test_a_text_cannot_read_like_a_further_field(url: str, company: Company) -> None:
    company.add(
        textFields=[
            {"key": "wish", "value": "quetzal; company; and 9 more"},
            {"key": "a: b; c", "value": "quetzal"},
        ]
    )
    async with memory_server(url) as client:
        found = await ask(client, "contacts_search", query="quetzal")
    [contact] = found["contacts"]
    assert contact["matched"] == 'wish: "quetzal; company; and 9 more"; "a: b; c": quetzal'
