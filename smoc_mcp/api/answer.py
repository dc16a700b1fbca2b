"""Reads an answer: its two counts, its contacts as far as they can be read, and its time."""

import email.utils
import json
import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from pydantic_core import from_json

from smoc_mcp.api.failures import cut_off, html, not_json, too_many, wrong_shape
from smoc_mcp.api.models import ApiAnswer, ReadContact, read_contact
from smoc_mcp.text.times import YEARS, Moment, as_moment

__all__ = ["read_answer"]

_LONGEST_NUMBER = 400
_MOST_CONTACTS = 10**15
"""No company has so many; a count past it is no count."""
_DEEPEST = 100
"""How deep brackets may be nested; the parsers give up at some 200."""
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_LONGEST_AGE = 2**31
"""Seconds; what is more is taken for this, as HTTP's rule says."""


def read_answer(body: bytes, limit: int, headers: Mapping[str, str] | None = None) -> ApiAnswer:
    """Return what an answer to a request for `limit` contacts holds.

    Args:
        body: Decompressed.
        limit: How many contacts were asked for.
        headers: Those of the answer, by their names in lower case; `date` and `age` are read.

    Raises:
        UnreadableAnswerError: It is not what the guide promises, or holds more than was asked for.
    """
    headers = headers or {}
    answer = _decode(body)
    if not isinstance(answer, dict):
        raise wrong_shape("an object")
    data = answer.get("data")
    if not isinstance(data, list):
        raise wrong_shape("the list `data`")
    leads, customers = _count(answer, "leadsCount"), _count(answer, "customerCount")
    sent = len(data)
    if sent > limit:
        raise too_many(limit)
    data.reverse()
    contacts: list[ReadContact] = []
    while data:
        # Each goes as soon as it is read: all of them take ten times the body.
        if (contact := read_contact(data.pop(), whole=False)) is not None:
            contacts.append(contact)
    return ApiAnswer(
        contacts=tuple(contacts),
        sent=sent,
        limit=limit,
        leads=leads,
        customers=customers,
        answered=_answered(headers.get("date", "")),
        age=_age(headers.get("age", "")),
    )


def _answered(date: str) -> Moment | None:
    """Return the moment that a Date header names; None if it names none."""
    try:
        when = email.utils.parsedate_to_datetime(date)
        if when.year not in YEARS:
            return None
        return as_moment(when if when.tzinfo else when.replace(tzinfo=UTC))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _age(seconds: str) -> int:
    """Return the seconds that an Age header names; 0 if it names none."""
    seconds = seconds.strip()
    if not (seconds.isascii() and seconds.isdecimal()):
        return 0
    return min(int(seconds), _LONGEST_AGE) if len(seconds) < 12 else _LONGEST_AGE


def _decode(body: bytes) -> object:
    try:
        return from_json(body)
    except ValueError as error:
        broke_off = "EOF while parsing" in str(error)
    if body.lstrip().startswith(b"<"):
        raise html()
    if broke_off:
        raise cut_off()
    try:
        # The fast parser refuses half surrogate pairs, wrong UTF-8 and deep nesting. One odd value
        # must not hide 499 contacts, so the lenient parser goes first: what is half becomes a
        # question mark, and what is too deep an empty object, which no field takes for a value.
        text = _shallow(body).decode("utf-8-sig", errors="replace")
        lenient = json.loads(text, parse_int=_parse_int)
        return from_json(json.dumps(lenient, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        raise not_json() from None


def _shallow(body: bytes) -> bytes:
    """Return JSON with an empty object in place of each value that is nested too deep."""
    kept: list[bytes] = []
    depth = begin = 0
    for found in _STRING_OR_BRACKET.finditer(body):
        sign = found[0]
        if sign in (b"[", b"{"):
            depth += 1
            if depth == _DEEPEST:
                kept += (body[begin : found.start()], b"{}")
        elif sign in (b"]", b"}"):
            if depth == _DEEPEST:
                begin = found.end()
            depth -= 1
    return b"".join([*kept, body[begin:]]) if kept and depth < _DEEPEST else body


def _parse_int(number: str) -> int | str:
    # Python refuses to read a number of thousands of digits; as a text it harms nobody.
    return int(number) if len(number) < _LONGEST_NUMBER else number


def _count(answer: dict[str, Any], name: str) -> int:
    value = answer.get(name)
    if isinstance(value, str) and value.isdecimal() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_shape(f"the number `{name}`")
    if not 0 <= value < _MOST_CONTACTS or value % 1:
        raise wrong_shape(f"the number `{name}`")
    return int(value)
