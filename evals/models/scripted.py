"""Two models without a key: one follows the plan of each task, one is careless about certainty.

The first proves that tasks can be done and that the harness scores; the second that the harness
notices what a careless reader would conclude.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from evals.models.chat import Chat, ModelError, Offer, Reply, Result, ToolCall
from evals.task import Ask, Found, Given, Plan, Planned, Say, Task

__all__ = ["Careless", "Scripted"]


class Scripted:
    """Follows the plan of each task."""

    name = "scripted"

    def chat(self, task: Task, given: Given, offer: Offer) -> Chat:
        """Begin to follow the plan."""
        del offer
        return _Script(task.plan(given))


class Careless:
    """Ignores certainty.

    It follows the careless plan of a task, or the careful one, but takes all that it is told as
    exact, and for nobody whom it cannot find.
    """

    name = "careless"

    def chat(self, task: Task, given: Given, offer: Offer) -> Chat:
        """Begin to follow the plan carelessly."""
        del offer
        if task.careless is not None:
            return _Script(task.careless(given))
        return _Script(_carelessly(task.plan, given))


class _Script:
    """A conversation in which each step of a plan is a reply."""

    def __init__(self, plan: Planned) -> None:
        self._plan = plan
        self._begun = False
        self._calls = 0

    async def ask(self, question: str) -> Reply:
        del question  # what it names is given to the plan
        found = self._next(None if not self._begun else {})
        self._begun = True
        return found

    async def give(self, results: Sequence[Result]) -> Reply:
        (result,) = results
        return self._next(result.found)

    def _next(self, found: Found | None) -> Reply:
        try:
            step = next(self._plan) if found is None else self._plan.send(found)
        except StopIteration:
            return Reply("")
        except (LookupError, TypeError, ValueError) as wrong:
            # The answer is not what the plan was written for: a task that cannot be done.
            raise ModelError(f"the plan could not read {found}: {wrong!r}") from wrong
        if isinstance(step, Ask):
            self._calls += 1
            return Reply("", [ToolCall(f"call-{self._calls}", step.tool, step.arguments)])
        block = json.dumps(_plain(step.claims), ensure_ascii=False)
        return Reply(f"That is what the answers say.\n```json\n{block}\n```")


def _carelessly(plan: Plan, given: Given) -> Generator[Ask | Say, Found, None]:
    steps = plan(given)
    found: Found | None = None
    while True:
        try:
            step = next(steps) if found is None else steps.send(found)
        except StopIteration:
            return
        if isinstance(step, Say):
            step = Say({name: _sure(name, value) for name, value in step.claims.items()})
        found = (yield step) or {}


def _sure(name: str, value: object) -> object:
    if name == "certainty":
        return "exact"
    return "no" if value == "not_proven" else value


def _plain(claims: Mapping[str, object]) -> dict[str, Any]:
    return {name: sorted(v) if isinstance(v, set) else v for name, v in claims.items()}
