"""The error tree is what its docstring draws."""

import inspect
import re

import pytest

from smoc_mcp import errors
from smoc_mcp.errors import RateLimitedError, SmocError

CLASSES: dict[str, type[SmocError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, SmocError)
}
BRANCH = re.compile(r"^([│├└─ ]*)([A-Z]\w+)(?: {2,}(.+))?$")


def drawn() -> dict[str, str]:
    """Return the parent of each class that the docstring draws; the root's is Exception."""
    parents: dict[str, str] = {}
    above = ["Exception"]
    for line in (errors.__doc__ or "").splitlines():
        if branch := BRANCH.match(line):
            depth = len(branch[1]) // 4
            del above[depth + 1 :]
            parents[branch[2]] = above[-1]
            above.append(branch[2])
    return parents


def test_the_docstring_draws_the_classes_and_their_parents() -> None:
    bases = {name: [base.__name__ for base in kind.__bases__] for name, kind in CLASSES.items()}
    assert {name: [parent] for name, parent in drawn().items()} == bases


def test_every_branch_but_the_root_says_when_it_happens() -> None:
    branches = [b for line in (errors.__doc__ or "").splitlines() if (b := BRANCH.match(line))]
    assert [b[2] for b in branches if not b[3]] == ["SmocError"]


def test_every_class_of_the_module_is_a_foreseen_failure() -> None:
    classes = {name for name, kind in vars(errors).items() if inspect.isclass(kind)}
    assert classes == set(CLASSES)


def test_every_class_is_exported_and_nothing_else() -> None:
    assert set(errors.__all__) == set(CLASSES)


def test_the_exports_are_sorted() -> None:
    assert errors.__all__ == sorted(errors.__all__)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_text_of_a_failure_is_its_message(name: str) -> None:
    message = "what happened, then what to do next"
    assert str(CLASSES[name](message)) == message


def test_a_rate_limit_tells_how_long_to_wait_where_the_api_said() -> None:
    assert RateLimitedError("later", 3.5).retry_after == 3.5
    assert RateLimitedError("later").retry_after is None
