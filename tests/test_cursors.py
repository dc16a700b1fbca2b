"""Cursors give back what was put in; anything else is refused with a sentence."""

import base64
import os
import string
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoc_mcp.errors import CursorError
from smoc_mcp.questions.cursors import Value, _hash, decode, encode, fingerprint

QUESTION = fingerprint("contacts_list", [("sort", "created")])
OTHER = fingerprint("contacts_list", [("sort", "updated")])
ANY_TEXT = st.text(st.characters())
VALUES = st.lists(st.integers(-(2**63), 2**63 - 1) | ANY_TEXT | st.lists(ANY_TEXT), max_size=8)
ALPHABET = string.ascii_letters + string.digits + "-_"


@settings(deadline=None)
@given(VALUES)
def test_a_cursor_gives_back_its_values(values: list[Value]) -> None:
    assert decode(encode(QUESTION, *values), QUESTION) == values


@settings(deadline=None)
@given(VALUES)
def test_a_cursor_is_one_word_that_no_client_has_to_escape(values: list[Value]) -> None:
    assert set(encode(QUESTION, *values)) <= set(ALPHABET)


def test_blanks_around_a_cursor_do_not_matter() -> None:
    assert decode(f"  {encode(QUESTION, 1)}\n", QUESTION) == [1]


@settings(deadline=None, max_examples=300)
@given(VALUES, st.data())
def test_a_changed_character_is_a_cursor_error(values: list[Value], data: st.DataObject) -> None:
    cursor = encode(QUESTION, *values)
    at = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(
        (st.sampled_from(ALPHABET + "+/=") | st.characters()).filter(lambda c: c != cursor[at])
    )
    with pytest.raises(CursorError, match="damaged"):
        decode(cursor[:at] + other + cursor[at + 1 :], QUESTION)


@settings(deadline=None)
@given(VALUES, st.data())
def test_a_cut_off_cursor_is_a_cursor_error(values: list[Value], data: st.DataObject) -> None:
    cursor = encode(QUESTION, *values)
    with pytest.raises(CursorError, match="damaged"):
        decode(cursor[: data.draw(st.integers(0, len(cursor) - 1))], QUESTION)


@settings(deadline=None)
@given(VALUES, st.text(ALPHABET + "+/=", min_size=1) | st.text(min_size=1))
def test_a_longer_cursor_is_a_cursor_error(values: list[Value], more: str) -> None:
    longer = encode(QUESTION, *values) + more
    if longer.strip() == encode(QUESTION, *values):
        return
    with pytest.raises(CursorError, match="damaged"):
        decode(longer, QUESTION)


@settings(deadline=None)
@given(ANY_TEXT | st.text(ALPHABET))
def test_any_other_text_is_a_cursor_error_and_nothing_else(text: str) -> None:
    with pytest.raises(CursorError, match="damaged"):
        decode(text, QUESTION)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"5", b"{}", b"[", b"[1", b"[null]", b"[true]", b"[1.5]", b"[NaN]", b"[{}]"),
        *(b"[[1]]", b"[[[]]]", b"[" * 100_000, b"[%d]" % 10**40, b"[%d]" % -(2**64), b"\xff"),
        b"[" + b"9" * 5_000 + b"]",
    ],
    ids=lambda content: ascii(content[:12]),
)
def test_a_cursor_that_somebody_made_by_hand_is_a_cursor_error(content: bytes) -> None:
    body = QUESTION + content
    forged = base64.urlsafe_b64encode(_hash(body) + body).rstrip(b"=").decode()
    with pytest.raises(CursorError, match="damaged"):
        decode(forged, QUESTION)


@settings(deadline=None)
@given(VALUES)
def test_a_cursor_of_another_question_says_so(values: list[Value]) -> None:
    with pytest.raises(CursorError, match="another question"):
        decode(encode(OTHER, *values), QUESTION)


def test_both_errors_say_how_to_begin_again() -> None:
    for cursor in ("x", encode(OTHER, 1)):
        with pytest.raises(CursorError, match="leave it out to begin at the start"):
            decode(cursor, QUESTION)


def test_a_cursor_is_the_same_in_every_process() -> None:
    program = (
        "from smoc_mcp.questions.cursors import encode, fingerprint\n"
        "print(encode(fingerprint('contacts_list', [('sort', 'created')]), 1, 'a'))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == encode(QUESTION, 1, "a")


@given(ANY_TEXT, ANY_TEXT)
def test_other_parameters_have_another_fingerprint(one: str, two: str) -> None:
    same = fingerprint("contacts_search", [("city", one)]) == fingerprint(
        "contacts_search", [("city", two)]
    )
    assert same == (one == two)
