"""Shares can be taken of a proven part only."""

import ast

import pytest

from smoc_mcp.proof.certainty import Certainty, Proof
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import COUNTED
from tests.test_architecture import MODULES, name_of


@pytest.mark.parametrize("certainty", [Certainty.EXACT, Certainty.EXACT_UNLESS_DELETED])
def test_a_share_is_of_the_whole_part_or_of_a_group_of_it(certainty: Certainty) -> None:
    part = Part(Proof(certainty, 0), 30)
    assert (part.share(10), part.share(1, of=8)) == (0.3333, 0.125)


def test_no_part_is_made_of_a_sample() -> None:
    with pytest.raises(ValueError, match="nothing can be compared"):
        Part(Proof(Certainty.AT_LEAST, 0), 30)


def test_there_is_no_share_of_nobody() -> None:
    assert Part(Proof(Certainty.EXACT, 0), 0).share(0) is None
    assert Part(Proof(Certainty.EXACT, 0), 5).share(0, of=0) is None


def test_a_part_says_whether_it_is_all_that_was_asked_for() -> None:
    proof = Proof(Certainty.EXACT, 0)
    assert Part(proof, 1).is_whole
    assert not Part(proof, 1, since=5).is_whole
    assert not Part(proof, 1, statuses=COUNTED).is_whole


def test_nothing_else_makes_a_share() -> None:
    makers = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Share"
    }
    assert makers == {"proof.part"}
