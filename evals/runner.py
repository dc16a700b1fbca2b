"""Runs tasks: asks a model, makes the calls that it wants, and scores its last words."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from evals.models.chat import Chat, Model, ModelError, Reply, Result
from evals.scoring import CANNOT_SAY, TurnScore, Verdict, claims_in, score
from evals.serving import Form, OpenServer, Served, open_server, serve_companies, tokens_of
from evals.task import Task, Turn
from evals.world import World

__all__ = ["Limits", "Outcome", "run_task", "run_tasks"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one task may take.

    Attributes:
        replies: The most replies of a model to one question.
        seconds: For the whole task.
    """

    replies: int = 12
    seconds: float = 300


_USUAL = Limits()


@dataclass(slots=True)
class Outcome:
    """What became of one task.

    Attributes:
        task: Which.
        scores: Of each turn; of a turn that was not reached every claim is not made.
        words: The last words of each turn.
        said: What they claim.
        calls: How many calls of tools.
        errors: How many of them were refused.
        tokens: What the answers of the tools take.
        seconds: How long it took.
        skipped: Why it was not run; otherwise empty.
        failed: Why it did not end; otherwise empty.
    """

    task: Task
    scores: list[TurnScore] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    said: list[Mapping[str, object]] = field(default_factory=list)
    calls: int = 0
    errors: int = 0
    tokens: int = 0
    seconds: float = 0.0
    skipped: str = ""
    failed: str = ""

    def count(self, verdict: Verdict) -> int:
        """Return how many claims became that."""
        return sum(list(s.verdicts.values()).count(verdict) for s in self.scores)

    @property
    def false_certainty(self) -> int:
        """In how many turns more was claimed than is true or proven."""
        return sum(s.false_certainty for s in self.scores)

    @property
    def within_budget(self) -> bool:
        """Whether it took no more calls and tokens than it should."""
        return self.calls <= self.task.calls and self.tokens <= self.task.tokens


async def run_tasks(
    tasks: Sequence[Task],
    model: Model,
    form: Form = "structured",
    limits: Limits = _USUAL,
    seed: int = 0,
    tell: Callable[[Outcome], None] = lambda _: None,
    opening: OpenServer = open_server,
) -> list[Outcome]:
    """Return what became of each task, in their order.

    The tasks of one company share a server, as the questions of one person do.

    Args:
        tasks: Which.
        model: Who is asked.
        form: In which form the model is given answers.
        limits: How much one task may take.
        seed: Makes other companies of the same sizes.
        tell: Is told of each task when it has ended.
        opening: Starts the server; over stdio by default, as a client would.
    """
    sizes = sorted({task.size for task in tasks})
    outcomes: dict[str, Outcome] = {}

    async def run_company(url: str, world: World, size: int) -> None:
        async with opening(url, size, form) as server:
            for task in tasks:
                if task.size == size:
                    outcomes[task.id] = await run_task(task, model, server, world, limits)
                    tell(outcomes[task.id])

    with serve_companies(sizes, seed) as (url, worlds):
        async with anyio.create_task_group() as group:
            for size in sizes:
                group.start_soon(run_company, url, worlds[size], size)
    return [outcomes[task.id] for task in tasks]


async def run_task(
    task: Task, model: Model, server: Served, world: World, limits: Limits
) -> Outcome:
    """Return what became of a task."""
    outcome = Outcome(task)
    if task.needs is not None and server.lacks(task.needs):
        outcome.skipped = f"the server has no `{task.needs}`"
        return outcome
    try:
        given = task.given(world)
    except StopIteration:
        outcome.skipped = "nobody in its company is as it needs somebody to be"
        return outcome
    truths = task.truth(world, given)
    began = time.perf_counter()
    try:
        with anyio.fail_after(limits.seconds):
            chat = model.chat(task, given, server.offer())
            for turn, truth in zip(task.turns, truths, strict=True):
                question = f"{turn.question.format_map(given)}\n\n{_how_to_end(turn)}"
                words = await _last_words(chat, question, server, outcome, limits)
                outcome.words.append(words)
                outcome.said.append(claims_in(words))
                outcome.scores.append(score(outcome.said[-1], truth))
    except TimeoutError:
        outcome.failed = f"it took longer than {limits.seconds:g} seconds"
    except ModelError as failed:
        outcome.failed = str(failed)
    outcome.seconds = time.perf_counter() - began
    outcome.scores += [score({}, truth) for truth in truths[len(outcome.scores) :]]
    return outcome


async def _last_words(
    chat: Chat, question: str, server: Served, outcome: Outcome, limits: Limits
) -> str:
    """Return what a model says when it has no more calls to make."""
    reply: Reply = await chat.ask(question)
    for _ in range(limits.replies):
        if not reply.calls:
            return reply.text
        results: list[Result] = []
        for call in reply.calls:
            result = await server.call(call)
            outcome.calls += 1
            outcome.errors += result.is_error
            outcome.tokens += tokens_of(result.shown)
            results.append(result)
        reply = await chat.give(results)
    if not reply.calls:
        return reply.text
    raise ModelError(f"it still called tools after {limits.replies} replies")


def _how_to_end(turn: Turn) -> str:
    """Return the part of a question that asks for the claims."""
    fields = ", ".join(f'"{name}": {kind}' for name, kind in turn.claims.items())
    return (
        f'End with one JSON object: {{{fields}, "certainty": "exact" or "at_least"}}. certainty is '
        f"what the tools prove of it. If it cannot be told from what they prove, end with "
        f'{{"{CANNOT_SAY}": true}} instead.'
    )
