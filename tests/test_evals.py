"""The evals prove themselves without a key: tasks can be done, and what is false is noticed."""

import ast
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache, partial
from pathlib import Path

import anyio
import pytest

from evals import world
from evals.__main__ import main
from evals.models.scripted import Careless, Scripted
from evals.report import Run, page
from evals.runner import Limits, Outcome, run_tasks
from evals.scoring import Verdict, claims_in, score
from evals.serving import SEEDS, Form, serve_companies
from evals.task import (
    Given,
    Needed,
    Planned,
    Task,
    Truth,
    ask,
    at_least,
    between,
    exact,
    one_of,
    say,
    unknowable,
)
from evals.tasks import TASKS
from evals.world import World
from tests.evaluating import open_here

pytestmark = pytest.mark.anyio

RIGHT, WRONG, NOT_MADE = Verdict
MODULES = sorted(Path(str(world.__file__)).parent.rglob("*.py"))
NEEDED = {task.id for task in TASKS if task.needs}


HERE = partial(run_tasks, opening=open_here)
"""Runs tasks against the server in this process; what `main` runs is the real one over stdio."""


@cache
def scripted(form: Form = "structured") -> list[Outcome]:
    """Return what came of all tasks with the careful model: run once."""
    return anyio.run(HERE, TASKS, Scripted(), form)


@cache
def careless() -> list[Outcome]:
    """Return what came of all tasks with the careless model: run once."""
    return anyio.run(HERE, TASKS, Careless())


def named(task_id: str) -> Task:
    return next(task for task in TASKS if task.id == task_id)


async def outcome_of(task: Task) -> Outcome:
    """Return what comes of one task with the careful model."""
    (outcome,) = await HERE([task], Scripted())
    return outcome


# The tasks


def test_there_are_sixty_tasks_each_with_an_id_of_its_own() -> None:
    assert len(TASKS) == 60
    assert len({task.id for task in TASKS}) == 60
    assert {task.size for task in TASKS} == {*SEEDS}


def test_the_id_of_a_task_begins_with_its_kind() -> None:
    for task in TASKS:
        assert task.id.startswith(f"{task.kind}-")


def test_twelve_tasks_wait_for_what_a_server_may_not_offer_yet() -> None:
    assert len(NEEDED) == 12


@pytest.mark.parametrize("size", SEEDS)
def test_the_truth_of_a_task_has_the_claims_that_each_of_its_questions_asks_for(size: int) -> None:
    with serve_companies([size]) as (_, worlds):
        for task in (task for task in TASKS if task.size == size):
            given = task.given(worlds[size])
            truths = task.truth(worlds[size], given)
            for turn, truth in zip(task.turns, truths, strict=True):
                assert turn.question.format_map(given)
                assert not truth.claims or truth.claims.keys() == turn.claims.keys(), task.id


@pytest.mark.parametrize(("size", "days"), [(499, 730), (900, 100), (3_000, 35)])
def test_the_windows_reach_back_as_far_as_the_questions_on_any_day_of_the_week(
    size: int, days: int
) -> None:
    with serve_companies([size]) as (_, worlds):
        assert worlds[size].is_proven_since(worlds[size].day(days))


def test_a_careful_model_is_right_in_every_task_within_its_budget() -> None:
    for outcome in scripted():
        assert not outcome.failed, outcome
        assert bool(outcome.skipped) <= (outcome.task.id in NEEDED), outcome.skipped
        assert not outcome.count(WRONG), outcome
        assert not outcome.count(NOT_MADE), outcome
        assert not outcome.false_certainty, outcome
        assert outcome.within_budget, outcome


def test_the_budgets_hold_in_the_form_of_text_too() -> None:
    assert all(outcome.within_budget for outcome in scripted("text"))


def test_a_careless_model_is_caught_by_every_task_that_misleads() -> None:
    caught = {o.task.id for o in careless() if o.false_certainty}
    misleading = {
        o.task.id
        for o in careless()
        if o.task.kind in ("misleading", "lookalikes") and not o.skipped
    }
    assert len(misleading) == 12
    assert misleading <= caught


def test_a_careless_model_is_not_caught_where_all_that_it_says_is_proven() -> None:
    (outcome,) = [o for o in careless() if o.task.id == "counts-leads-and-customers"]
    assert outcome.count(RIGHT) == 3
    assert not outcome.false_certainty


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_no_module_is_too_long_to_read(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_the_truth_shares_nothing_with_the_server() -> None:
    tree = ast.parse(Path(str(world.__file__)).read_text("utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in imported if name and name.startswith(("smoc_mcp", "evals"))}
    assert ours == {"smoc_mcp.sandbox"}


# They can fail


async def test_a_plan_that_reads_a_wrong_number_is_wrong_and_falsely_certain() -> None:
    def plan(given: Given) -> Planned:
        found = yield ask("contacts_stats", created_after=given["since"])
        yield say(count=found["total"] + 1, certainty=found["total_certainty"])

    outcome = await outcome_of(replace(named("counts-new-of-a-month"), plan=plan))
    assert (outcome.count(RIGHT), outcome.count(WRONG)) == (1, 1)
    assert outcome.false_certainty == 1


async def test_another_truth_makes_the_same_plan_wrong() -> None:
    def truth(company: World, given: Given) -> list[Truth]:
        del given
        return [exact(count=company.size + 1)]

    outcome = await outcome_of(replace(named("counts-nobody-yet"), truth=truth))
    assert outcome.count(WRONG) == 1
    assert outcome.false_certainty == 1


async def test_a_plan_that_says_nothing_makes_no_claim() -> None:
    def plan(given: Given) -> Planned:
        yield ask("contacts_list", limit=1)
        del given

    outcome = await outcome_of(replace(named("counts-nobody-yet"), plan=plan))
    assert outcome.count(NOT_MADE) == 2
    assert not outcome.false_certainty


async def test_a_plan_that_cannot_read_an_answer_fails_its_task_alone() -> None:
    def plan(given: Given) -> Planned:
        del given
        found = yield ask("contacts_stats")
        yield say(count=found["numbers"])

    broken = replace(named("counts-nobody-yet"), plan=plan)
    other = named("absence-address-of-a-few")
    first, second = await HERE([broken, other], Scripted())
    assert "numbers" in first.failed
    assert first.count(NOT_MADE) == 2
    assert second.count(RIGHT) == 2


async def test_calls_that_are_refused_are_counted_and_the_model_is_told_why() -> None:
    told: list[str] = []

    def plan(given: Given) -> Planned:
        del given
        told.append((yield ask("contacts_delete"))["error"])
        told.append((yield ask("contacts_stats", group_by="shoe_size"))["error"])
        found = yield ask("contacts_stats")
        yield say(count=found["total"], certainty="exact")

    outcome = await outcome_of(replace(named("counts-nobody-yet"), plan=plan))
    assert (outcome.calls, outcome.errors) == (3, 2)
    assert "no such tool; it has contacts_list" in told[0]
    assert "shoe_size" in told[1]
    assert not outcome.within_budget


async def test_a_model_that_never_ends_is_stopped() -> None:
    def plan(given: Given) -> Planned:
        del given
        while True:
            yield ask("contacts_stats")

    task = replace(named("counts-nobody-yet"), plan=plan)
    (outcome,) = await HERE([task], Scripted(), limits=Limits(replies=3))
    assert "3 replies" in outcome.failed
    (outcome,) = await HERE([task], Scripted(), limits=Limits(10**9, seconds=0.2))
    assert "0.2 seconds" in outcome.failed


async def test_what_a_server_does_not_offer_is_skipped_and_said() -> None:
    needed = Needed("contacts_stats", "shoe_size")
    outcome = await outcome_of(replace(named("counts-nobody-yet"), needs=needed))
    assert outcome.skipped == "the server has no `contacts_stats shoe_size`"
    assert not outcome.calls
    assert not outcome.scores


@pytest.mark.parametrize(
    ("needed", "lacks"),
    [
        (Needed("contacts_stats"), False),
        (Needed("contacts_delete"), True),
        (Needed("contacts_stats", "scope"), False),
        (Needed("contacts_stats", "scope", "in_hand"), False),
        (Needed("contacts_stats", "scope", "everywhere"), True),
        (Needed("contacts_stats", "measure", "days_quiet"), False),
        (Needed("contacts_stats", "measure", "height"), True),
    ],
    ids=str,
)
async def test_a_need_is_looked_for_in_the_definitions_of_the_tools(
    needed: Needed, lacks: bool
) -> None:
    with serve_companies([0]) as (url, _):
        async with open_here(url, 0, "text") as server:
            assert server.lacks(needed) is lacks


# The score


@pytest.mark.parametrize(
    ("words", "claims"),
    [
        ('Nine.\n```json\n{"count": 9}\n```', {"count": 9}),
        ('{"count": 9}', {"count": 9}),
        ('By {created_after}:\n\n{"count": 9,\n "certainty": "exact"} Anything else?',
         {"count": 9, "certainty": "exact"}),
        ('First {"count": 8}, no: {"count": 9}', {"count": 9}),
        ('{"weeks": {"2026-11-02": 3}, "certainty": "exact"}',
         {"weeks": {"2026-11-02": 3}, "certainty": "exact"}),
        ("Nine, I think.", {}),
        ('{"count": 9', {}),
        ('["count"]', {}),
    ],
)  # fmt: skip
def test_the_last_object_of_the_words_is_what_is_claimed(
    words: str, claims: dict[str, object]
) -> None:
    assert claims_in(words) == claims


@pytest.mark.parametrize(
    ("said", "truth", "right"),
    [
        ("1,234", 1_234, True),
        (1_234.0, 1_234, True),
        (True, 1, False),
        ("12.5%", 0.125, True),
        (0.13, 0.125, True),
        (0.14, 0.125, False),
        ("Google ", "google", True),
        (["b", "a", "a"], {"a", "b"}, True),
        (["a"], {"a", "b"}, False),
        ("a", {"a"}, True),
        ({"2026-11-02": "3", "2026-11-09": 0}, {"2026-11-02": 3}, True),
        ({"2026-11-02": 4}, {"2026-11-02": 3}, False),
        ([3], {"2026-11-02": 3}, False),
        ("Brand", one_of("brand", "autumn"), True),
        ("spring", one_of("brand", "autumn"), False),
        (7, between(5, 9), True),
        (10, between(5, 9), False),
        ("many", 9, False),
    ],
)
def test_a_claim_is_right_however_it_is_written(said: object, truth: object, right: bool) -> None:
    verdicts = score({"it": said, "certainty": "exact"}, exact(it=truth)).verdicts
    assert verdicts["it"] is (RIGHT if right else WRONG)


PROVEN, BOUND = exact(count=9), at_least(count=9)
ABSENT = at_least({"found": "no"}, found="not_proven")


@pytest.mark.parametrize(
    ("said", "truth", "verdicts", "false"),
    [
        ({"count": 9, "certainty": "exact"}, PROVEN, (RIGHT, RIGHT), False),
        ({"count": 9, "certainty": "exact_unless_deleted"}, PROVEN, (RIGHT, RIGHT), False),
        ({"count": 9, "certainty": "at_least"}, PROVEN, (RIGHT, NOT_MADE), False),
        ({"count": 9}, PROVEN, (RIGHT, NOT_MADE), False),
        ({"count": 8, "certainty": "exact"}, PROVEN, (WRONG, RIGHT), True),
        ({"count": 8, "certainty": "at_least"}, PROVEN, (WRONG, NOT_MADE), False),
        ({"count": 9, "certainty": "exact"}, BOUND, (RIGHT, WRONG), True),
        ({"count": 9, "certainty": "at_least"}, BOUND, (RIGHT, RIGHT), False),
        ({"cannot_say": True}, PROVEN, (NOT_MADE, NOT_MADE), False),
        ({}, PROVEN, (NOT_MADE, NOT_MADE), False),
        ({"found": "No", "certainty": "at_least"}, ABSENT, (WRONG, RIGHT), True),
        ({"found": "not_proven", "certainty": "at_least"}, ABSENT, (RIGHT, RIGHT), False),
        ({"cannot_say": True}, unknowable(), (RIGHT,), False),
        ({"count": 9, "certainty": "at_least"}, unknowable(), (WRONG,), False),
        ({"count": 9, "certainty": "exact"}, unknowable(), (WRONG,), True),
        ({}, unknowable(), (NOT_MADE,), False),
    ],
)
def test_more_certainty_than_is_proven_is_counted_apart(
    said: dict[str, object], truth: Truth, verdicts: tuple[Verdict, ...], false: bool
) -> None:
    scored = score(said, truth)
    assert tuple(scored.verdicts.values()) == verdicts
    assert scored.false_certainty is false


# What is printed


def test_the_list_names_every_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [task.id for task in TASKS]


def test_a_run_prints_the_table_and_what_was_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--model", "scripted", "--only", "nobody-yet", "--form", "text"]) == 0
    said = capsys.readouterr().out
    assert "**false certainty**" in said
    assert "| counts | 1 | 1 | 2 | 0 | 0 | 0 | 1 | 0 |" in said


def test_a_run_keeps_what_was_said_in_each_task(tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    asked = ["run", "--model", "careless", "--only", "address-of-", "--details", str(file)]
    assert main(asked) == 0
    kept = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    said = {each["id"]: each for each in kept}
    assert set(said) == {"absence-address-of-a-few", "absence-address-of-many"}
    of_many = said["absence-address-of-many"]
    assert of_many["claims"] == [{"found": "no", "certainty": "exact"}]
    assert of_many["false_certainty"] == [True]
    assert "```json" in of_many["words"][0]


def test_a_run_writes_the_page_with_the_careless_model_beside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "RESULTS.md"
    assert main(["run", "--model", "scripted", "--only", "nobody-yet", "--write", str(file)]) == 0
    text = file.read_text("utf-8")
    assert capsys.readouterr().out.splitlines()[2] in text
    assert text.index("## scripted, structured") < text.index("## careless, structured")


def test_the_page_of_a_real_model_does_not_say_that_there_was_none() -> None:
    text = page([Run("some-model", "text", date(2026, 11, 24), [])], [], [])
    assert "No real model" not in text
    assert "## some-model, text, 2026-11-24" in text


def test_the_page_says_that_no_real_model_was_run_and_what_was_skipped() -> None:
    text = page([], [Run("scripted", "text", date(2026, 11, 24), scripted())], ["command"])
    assert "No real model has been run" in text
    assert "## scripted, text, 2026-11-24" in text
    kinds = Counter(task.kind for task in TASKS)
    for kind, tasks in kinds.items():
        assert f"| {kind} | {tasks} |" in text
    for outcome in scripted():
        assert (f"`{outcome.task.id}`" in text) is bool(outcome.skipped)
