"""Ask a model sixty questions and hold what it concludes against the truth.

python -m evals list
python -m evals run --model scripted
python -m evals run --model anthropic/claude-sonnet-4-5 --form text
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio

from evals.models.chat import Model
from evals.models.posting import Endpoint
from evals.models.scripted import Careless, Scripted
from evals.models.wires import WIRES, RemoteModel
from evals.report import Run, detail, page, table, troubles
from evals.runner import Limits, Outcome, run_tasks
from evals.task import Task
from evals.tasks import TASKS

__all__ = ["main", "model_of"]

_USUAL = Limits()
_RESULTS = Path(__file__).parent / "RESULTS.md"
_SCRIPTED: Mapping[str, Model] = {"scripted": Scripted(), "careless": Careless()}
_COMMANDS = (
    "python -m evals run --model scripted --write",
    "python -m evals run --model anthropic/MODEL   # ANTHROPIC_API_KEY",
    "python -m evals run --model openai/MODEL      # OPENAI_API_KEY; EVALS_BASE_URL for others",
)


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("list", help="print the tasks")
    run = commands.add_parser("run", help="ask a model")
    run.add_argument(
        "--model", required=True, help="scripted, careless, anthropic/NAME or openai/NAME"
    )
    run.add_argument("--form", choices=["text", "structured"], default="structured")
    run.add_argument("--only", default="", help="tasks whose id has this in it")
    run.add_argument("--replies", type=int, default=_USUAL.replies, help="the most of one turn")
    run.add_argument("--seconds", type=float, default=_USUAL.seconds, help="the most of one task")
    run.add_argument("--seed", type=int, default=0, help="makes other companies of these sizes")
    run.add_argument(
        "--write",
        type=Path,
        nargs="?",
        const=_RESULTS,
        metavar="FILE",
        help="write the page, into evals/RESULTS.md or another file",
    )
    run.add_argument(
        "--details", type=Path, metavar="FILE", help="add what was said in each task, as JSON lines"
    )
    asked = parser.parse_args(words)
    if asked.command == "list":
        print(*(_listed(task) for task in TASKS), sep="\n")
        return 0
    try:
        model = model_of(asked.model, os.environ)
    except ValueError as wrong:
        parser.error(str(wrong))
    return _run(model, asked)


def model_of(name: str, environment: Mapping[str, str]) -> Model:
    """Return the model of a name, with the key and address that the environment has for it.

    Raises:
        ValueError: There is no such model, or no key.
    """
    if name in _SCRIPTED:
        return _SCRIPTED[name]
    word, _, remote = name.partition("/")
    wire = WIRES.get(word)
    if wire is None or not remote:
        raise ValueError(
            f"--model {name!r} is none of scripted, careless, anthropic/NAME and openai/NAME"
        )
    key = environment.get(wire.key_variable, "")
    if not key:
        raise ValueError(f"set {wire.key_variable} to the key of {name}")
    base = environment.get("EVALS_BASE_URL", "") or wire.base_url
    return RemoteModel(wire, remote, Endpoint(base.rstrip("/") + wire.path, wire.headers(key)))


def _run(model: Model, asked: argparse.Namespace) -> int:
    run = _run_of(model, asked)
    print(table(run.outcomes), *troubles(run.outcomes), sep="\n")
    if asked.write:
        others = [_run_of(other, asked) for other in _SCRIPTED.values() if other is not model]
        real = [] if model in _SCRIPTED.values() else [run]
        scripted = [run, *others] if not real else others
        asked.write.write_text(page(real, scripted, _COMMANDS), "utf-8")
    return 1 if any(outcome.failed for outcome in run.outcomes) else 0


def _run_of(model: Model, asked: argparse.Namespace) -> Run:
    tasks = [task for task in TASKS if asked.only in task.id]
    limits = Limits(asked.replies, asked.seconds)
    told = partial(_tell, asked.details)
    outcomes = anyio.run(run_tasks, tasks, model, asked.form, limits, asked.seed, told)
    return Run(model.name, asked.form, datetime.now(UTC).date(), outcomes)


def _tell(details: Path | None, outcome: Outcome) -> None:
    """Say that a task has ended, for real models take their time; keep what was said in it."""
    how = "skipped" if outcome.skipped else outcome.failed or f"{outcome.calls} calls"
    print(f"{outcome.task.id}: {how}, {outcome.seconds:.1f} s", file=sys.stderr)
    if details is not None:
        with details.open("a", encoding="utf-8") as file:
            file.write(json.dumps(detail(outcome), ensure_ascii=False) + "\n")


def _listed(task: Task) -> str:
    needs = f"  [needs {task.needs}]" if task.needs else ""
    return f"{task.id:<48} {task.size:>5,}  {task.turns[0].question}{needs}"


if __name__ == "__main__":
    sys.exit(main())
