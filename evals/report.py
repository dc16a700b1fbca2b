"""What came of a run: a table by kind, the tasks that were not right, and RESULTS.md."""

from collections.abc import Iterable, Sequence
from datetime import date
from textwrap import fill
from typing import NamedTuple

from evals.runner import Outcome
from evals.scoring import Verdict

__all__ = ["Run", "detail", "page", "table", "troubles"]

_COLUMNS = (
    "kind", "tasks", "run", "right", "wrong", "not made", "**false certainty**", "calls", "errors",
    "tokens", "seconds",
)  # fmt: skip

_NO_REAL_MODEL = (
    "**No real model has been run yet**: there was no key where this was written. Both wire "
    "formats are tested against a server of our own that speaks them, no more."
)


class Run(NamedTuple):
    """A run of tasks.

    Attributes:
        model: Who was asked.
        form: In which form the model was given answers.
        day: When.
        outcomes: What came of it.
    """

    model: str
    form: str
    day: date
    outcomes: Sequence[Outcome]


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the table by kind, in Markdown."""
    kinds = list(dict.fromkeys(outcome.task.kind for outcome in outcomes))
    rows = [_row(kind, [o for o in outcomes if o.task.kind == kind]) for kind in kinds]
    rows.append(_row("all", outcomes))
    return "\n".join(_line(cells) for cells in (_COLUMNS, ["---"] * len(_COLUMNS), *rows))


def troubles(outcomes: Iterable[Outcome]) -> list[str]:
    """Return a line for each task that did not end or was not all right, and what was not run."""
    skipped: dict[str, list[str]] = {}
    lines: list[str] = []
    for outcome in outcomes:
        if outcome.skipped:
            skipped.setdefault(outcome.skipped, []).append(f"`{outcome.task.id}`")
        else:
            lines += _about(outcome)
    return lines + [f"not run, for {why}: {', '.join(tasks)}" for why, tasks in skipped.items()]


def detail(outcome: Outcome) -> dict[str, object]:
    """Return what came of one task, with what was said, as an object of JSON."""
    return {
        "id": outcome.task.id,
        "words": outcome.words,
        "claims": outcome.said,
        "verdicts": [dict(s.verdicts) for s in outcome.scores],
        "false_certainty": [s.false_certainty for s in outcome.scores],
        "calls": outcome.calls,
        "errors": outcome.errors,
        "tokens": outcome.tokens,
        "seconds": round(outcome.seconds, 1),
        "skipped": outcome.skipped,
        "failed": outcome.failed,
    }


def page(real: Sequence[Run], scripted: Sequence[Run], commands: Sequence[str]) -> str:
    """Return RESULTS.md: what was run, what was not, and the tables.

    Args:
        real: Runs of real models.
        scripted: Those of the scripted ones.
        commands: How to run them.
    """
    parts = [
        "# Results",
        "What a model concludes of the server's answers, held against the whole company. A claim "
        "is right, wrong or not made; false certainty is a turn in which exact, or nobody, was "
        "said where it is not so or not proven. Tokens are o200k's, of the answers of tools.",
        "\n".join(f"    {command}" for command in commands),
        *([] if real else [_NO_REAL_MODEL]),
        "Two models are scripted. `scripted` follows a plan for each task, so its numbers say that "
        "the tasks can be done and what they cost at least, not how well a model does; `careless` "
        "ignores certainty, so its false certainty says that the score notices.",
    ]
    for run in (*real, *scripted):
        about = f"## {run.model}, {run.form}, {run.day.isoformat()}"
        parts += [about, table(run.outcomes)]
        if lines := troubles(run.outcomes):
            parts.append("\n".join(f"- {line}" for line in lines))
    return "\n\n".join(map(_wrapped, parts)) + "\n"


def _wrapped(part: str) -> str:
    """Return a paragraph in lines of a width that can be read; tables and lists as they are."""
    return part if "\n" in part else fill(part, 100, break_on_hyphens=False)


def _row(name: str, outcomes: Sequence[Outcome]) -> list[str]:
    ran = [o for o in outcomes if not o.skipped]
    numbers = (
        len(outcomes),
        len(ran),
        *(sum(o.count(verdict) for o in ran) for verdict in Verdict),
        sum(o.false_certainty for o in ran),
        sum(o.calls for o in ran),
        sum(o.errors for o in ran),
        sum(o.tokens for o in ran),
    )
    return [name, *(f"{number:,}" for number in numbers), f"{sum(o.seconds for o in ran):.1f}"]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _about(outcome: Outcome) -> Iterable[str]:
    name = f"`{outcome.task.id}`"
    if outcome.failed:
        yield f"{name} did not end: {outcome.failed}"
    for turn, score in enumerate(outcome.scores, 1):
        amiss = [f"{claim} {v}" for claim, v in score.verdicts.items() if v is not Verdict.RIGHT]
        if score.false_certainty:
            amiss.append("**false certainty**")
        if amiss:
            yield f"{name}, turn {turn}: {', '.join(amiss)}"
    if not outcome.within_budget:
        yield (
            f"{name} took {outcome.calls} calls and {outcome.tokens:,} tokens, of "
            f"{outcome.task.calls} and {outcome.task.tokens:,}"
        )
