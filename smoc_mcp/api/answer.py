"""Reads the body of an answer: the two counts, and as much of each contact as can be read."""

import json
from typing import Any

from pydantic_core import from_json

from smoc_mcp.api.failures import cut_off, html, not_json, wrong_shape
from smoc_mcp.api.models import ApiAnswer, ReadContact, read_contact

__all__ = ["read_answer"]

_LONGEST_NUMBER = 400


def read_answer(body: bytes, limit: int) -> ApiAnswer:
    """Return what the body of an answer to a request for `limit` contacts holds.

    Raises:
        UnreadableAnswerError: It is not what the guide promises.
    """
    answer = _decode(body)
    if not isinstance(answer, dict):
        raise wrong_shape("an object")
    data = answer.get("data")
    if not isinstance(data, list):
        raise wrong_shape("the list `data`")
    leads, customers = _count(answer, "leadsCount"), _count(answer, "customerCount")
    sent = len(data)
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
    )


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
        # The fast parser refuses half surrogate pairs and wrong UTF-8. One odd name must not hide
        # 499 contacts, so the lenient parser goes first, and what is half becomes a question mark.
        text = body.decode("utf-8-sig", errors="replace")
        lenient = json.loads(text, parse_int=_parse_int)
        return from_json(json.dumps(lenient, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        raise not_json() from None


def _parse_int(number: str) -> int | str:
    # Python refuses to read a number of thousands of digits; as a text it harms nobody.
    return int(number) if len(number) < _LONGEST_NUMBER else number


def _count(answer: dict[str, Any], name: str) -> int:
    value = answer.get(name)
    if isinstance(value, str) and value.isdecimal() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value % 1:
        raise wrong_shape(f"the number `{name}`")
    return int(value)
