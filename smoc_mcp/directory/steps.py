"""A question under way: it looks, asks for more, looks again, and has its answer."""

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

from smoc_mcp.directory.reading import Reading
from smoc_mcp.directory.sync import Asked

__all__ = ["Fetch", "Question", "Steps", "answer_from", "take_steps"]

T = TypeVar("T")
Fetch = Callable[[Asked], Awaitable[None]]
Steps = Generator[Fetch, Reading, T]
"""It looks at a reading, yields what it wants fetched, is sent the reading after that, and returns
its answer. Each look is one visit to the store."""
Question = Callable[[Reading], Steps[T]]


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    value: T


Proceed = Callable[[Reading], Fetch | _Answer[T]]


async def take_steps(
    ask: Question[T],
    read: Callable[[Proceed[T]], Awaitable[Fetch | _Answer[T]]],
    asked: Asked,
) -> T:
    """Read and fetch in turn, until a question has its answer.

    The last reading is the answer's own: what it claims was so at one moment.

    Args:
        ask: The question.
        read: Lets something look at a new reading, and returns what that returns.
        asked: What may be fetched, and for how long.
    """
    steps: Steps[T] | None = None

    def proceed(reading: Reading) -> Fetch | _Answer[T]:
        nonlocal steps
        try:
            if steps is None:
                steps = ask(reading)
                return next(steps)
            return steps.send(reading)
        except StopIteration as stop:
            return _Answer(stop.value)

    while not isinstance(step := await read(proceed), _Answer):
        await step(asked)
    return step.value


def answer_from(ask: Question[T], reading: Reading) -> T:
    """Return the answer to a question from one reading, whatever it would have fetched."""
    steps = ask(reading)
    try:
        next(steps)
        while True:
            steps.send(reading)
    except StopIteration as stop:
        answer: T = stop.value
        return answer
