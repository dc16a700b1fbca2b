"""The tasks: a module for each kind."""

from collections.abc import Sequence

from evals.task import Task
from evals.tasks import (
    absence,
    counts,
    lists,
    lookalikes,
    measures,
    misleading,
    people,
    trends,
    turns,
)

__all__ = ["TASKS"]

TASKS: Sequence[Task] = (
    *counts.TASKS,
    *trends.TASKS,
    *people.TASKS,
    *absence.TASKS,
    *turns.TASKS,
    *misleading.TASKS,
    *lookalikes.TASKS,
    *measures.TASKS,
    *lists.TASKS,
)
