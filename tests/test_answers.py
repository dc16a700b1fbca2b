"""What an answer is, everywhere the same: in groups, filters, measures, reasons and digests."""

import html
import re
import statistics
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mcp import Client

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.hidden import hidden_in
from tests.serving import KEY, ask, memory_server, refusal

Entry = dict[str, str | None]
People = dict[str, list[Entry]]

KINDS = {
    "survey": ("surveys", "answeredSurveyQuestions", ("question", "questionId"), "answer"),
    "text": ("texts", "textFields", ("key",), "value"),
}
NOTHING_ELSE: Mapping[str, object] = {
    **dict.fromkeys(("visitList", "rewardFlows", "usersReferred", "referralLinks"), ()),
    **dict.fromkeys(("promosPresented", "promosRedeemed", *(k[1] for k in KINDS.values())), ()),
    "lastConversationDate": None,
    "acceptedCommunication": None,
}
BLANK = (None, "", " ", "\n\t", "\u200b", "\u00ad\u2060 ", "&shy;", "&#8203; &#x200b;", "\u3164")
ODD = (
    *("Roof?", "roof ?", "R\u00f8\u00f8f: which", "ROOF?\u200b", "Heat, or not", "-Roof", "q1"),
    *("(none)", "-(none)", "(unnamed)", "(other)", "( None )", '"Roof?"', 'a "b" c', "a;b", "Q1"),
    *("any", "e\u0301", "\u00c9 ", "\ufb01t", "100%", "\u2026", "0", "&"),
)
words = st.one_of(
    st.sampled_from(BLANK), st.sampled_from(ODD), st.text('aB1 :,-\u200b\u00e5"', max_size=5)
)


def seen(text: str | None) -> str:
    """Return what can be seen of a text, for comparison; told by Unicode, not by our code."""
    shown = html.unescape(text or "") if re.search("&(shy|#)", text or "") else text or ""
    shown = "".join(c for c in shown if c.isspace() or not hidden_in(c))
    apart = unicodedata.normalize("NFKD", shown.casefold()).replace("\u00f8", "o")
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


class Truth:
    """Who has answered what, of people whose entries are of one kind."""

    def __init__(self, kind: str, people: People) -> None:
        self.has, self.wire, self.names, self.what = KINDS[kind]
        self.everybody = set(people)
        self.number: dict[str, int] = {}
        self.who: defaultdict[str, set[str]] = defaultdict(set)
        for person, entries in people.items():
            given = [entry for entry in entries if seen(entry.get(self.what))]
            self.number[person] = len(given)
            for entry in given:
                called = next(filter(None, (seen(entry.get(n)) for n in self.names)), "(unnamed)")
                self.who[called].add(person)
        self.some = {person for person, number in self.number.items() if number}


def asked(key: str) -> str:
    """Return what a group's key in quotes or without them says."""
    return seen(key[1:-1].replace('""', '"') if key.startswith('"') else key)


async def found(client: Client, **wanted: str) -> set[str]:
    """Return the ids of all who match, which must be proven."""
    page = await ask(client, "contacts_search", limit=100, **wanted)
    assert page["total_certainty"] == "exact"
    ids = {row["id"] for row in page["contacts"]}
    assert page["total"] == len(ids)
    return ids


def company_of(kind: str, people: People) -> Company:
    company = Company("Answers", seed=1, size=0, hostile=0)
    for person, entries in people.items():
        company.add(1, **{"id": person, **NOTHING_ELSE, KINDS[kind][1]: entries})
    return company


async def hold(kind: str, people: People) -> None:
    """Hold all that the server says of answers against the truth."""
    truth = Truth(kind, people)
    with run_in_thread(Sandbox(keys={KEY: company_of(kind, people)})) as url:
        async with memory_server(url) as client:
            without = truth.everybody - truth.some
            assert await found(client, has=truth.has) == truth.some
            assert await found(client, has=f"-{truth.has}") == without
            assert await found(client, **{kind: "(none)"}) == without
            assert await found(client, **{kind: "-(none)"}) == truth.some
            await hold_groups(client, kind, truth, without)
            await hold_numbers(client, kind, truth)


async def hold_groups(client: Client, kind: str, truth: Truth, without: set[str]) -> None:
    grouped = await ask(client, "contacts_stats", group_by=kind, limit=100)
    assert grouped["groups_certainty"] == "exact"
    sizes = {g["key"][kind]: g["contacts"] for g in grouped["groups"]}
    assert len(sizes) == len(grouped["groups"])
    assert sizes.pop("(none)", 0) == len(without)
    assert {asked(key): n for key, n in sizes.items()} == {q: len(p) for q, p in truth.who.items()}
    for key in sizes:
        who = truth.who[asked(key)]
        assert await found(client, **{kind: key}) == who, key
        assert await found(client, **{kind: f"{key}: (none)"}) == truth.everybody - who, key
        if ":" not in key and not key.startswith('"'):
            await hold_answers(client, kind, key, who)


async def hold_answers(client: Client, kind: str, question: str, who: set[str]) -> None:
    """Check that each answer to a question lists as many as its group says."""
    name = '"' + f"{kind}:{question}".replace('"', '""') + '"'
    grouped = await ask(client, "contacts_stats", group_by=name, limit=100)
    people: set[str] = set()
    for group in grouped["groups"]:
        (answer,) = group["key"].values()
        given = await found(client, **{kind: f"{question}: {answer}"})
        assert len(given) == group["contacts"], (question, answer)
        people |= given if answer != "(none)" else set()
    assert people == who


async def hold_numbers(client: Client, kind: str, truth: Truth) -> None:
    page = await ask(client, "contacts_search", sort="engagement", columns=truth.has, limit=100)
    for row in page["contacts"]:
        number = truth.number[row["id"]]
        assert row["columns"][truth.has] == number
        if kind == "survey":
            many = f"{number} answer{'' if number == 1 else 's'}"
            assert row["reasons"] == (many if number else "none")
        told = (await ask(client, "contacts_get", contact_id=row["id"]))["contact"][truth.has]
        assert (0 if told == "none" else told["count"]) == number
    if kind == "survey":
        measured = await ask(client, "contacts_stats", measure="surveys")
        assert measured["average"] == round(statistics.mean(truth.number.values()), 2)
        assert measured["median"] == statistics.median(truth.number.values())


def people_of(*names: str) -> st.SearchStrategy[People]:
    entry = st.fixed_dictionaries({}, optional=dict.fromkeys(names, words))
    crowd = st.lists(st.lists(entry, max_size=3), min_size=1, max_size=4)
    return crowd.map(lambda several: {f"p{n}": entries for n, entries in enumerate(several)})


@given(people_of("question", "questionId", "answer"))
@example(
    {"a": [{"questionId": "q1", "answer": "x"}], "b": [{"question": "q1", "answer": "\u200b"}]}
)
@example({"a": [{"question": "&shy;", "answer": "x"}], "b": [{"question": "x", "answer": "&shy;"}]})
@settings(max_examples=20, deadline=None)
def test_every_figure_of_surveys_counts_the_same_answers(people: People) -> None:
    anyio.run(hold, "survey", people)


@given(people_of("key", "value"))
@example({"a": [{"key": " ", "value": "x"}, {"value": "y"}], "b": [{"key": "x", "value": " "}]})
@settings(max_examples=12, deadline=None)
def test_every_figure_of_texts_counts_the_same_values(people: People) -> None:
    anyio.run(hold, "text", people)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return a company in which a question has words for some, and for some its id alone."""
    roof = {"questionId": "q1", "question": "Which roof?", "answer": "Flat"}
    people: People = {
        "words": [{**roof}],
        "id": [{**roof, "question": "\u200b"}],
        "neither": [{"answer": "Flat"}],
        "unanswered": [{**roof, "answer": " "}],
    }
    with run_in_thread(Sandbox(keys={KEY: company_of("survey", people)})) as address:
        yield address


@pytest.mark.anyio
async def test_an_id_means_its_question_and_in_quotes_what_is_called_so(url: str) -> None:
    async with memory_server(url) as client:
        groups = (await ask(client, "contacts_stats", group_by="survey"))["groups"]
        sizes = {g["key"]["survey"]: g["contacts"] for g in groups}
        assert sizes == dict.fromkeys(("Which roof?", '"q1"', "(unnamed)", "(none)"), 1)
        assert await found(client, survey="q1") == {"words", "id"}
        assert await found(client, survey='"q1"') == {"id"}
        assert await found(client, survey='"q1": flat') == {"id"}
        assert await found(client, survey="roof: flat") == {"words"}
        said = await refusal(client, "contacts_search", survey='"roof": flat')
    assert "is, in quotes, just 'roof'. Answered were: " in said
    assert '"Which roof?"' in said


@pytest.mark.anyio
async def test_what_was_asked_and_not_answered_is_shown_only_whole(url: str) -> None:
    async with memory_server(url) as client:

        async def surveys(who: str, include: str = "") -> Any:
            told = await ask(client, "contacts_get", contact_id=who, include=include)
            return told["contact"]["surveys"]

        assert await surveys("unanswered") == "none"
        assert await surveys("unanswered", "surveys") == [
            {"question": "Which roof?", "question_id": "q1"}
        ]
        assert await surveys("id") == {"count": 1, "latest": [{"question": "q1", "answer": "Flat"}]}
        assert (await surveys("neither"))["latest"] == [{"question": "(unnamed)", "answer": "Flat"}]
