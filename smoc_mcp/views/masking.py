"""Finds e-mail addresses and phone numbers in free text, however they are written, and masks them.

They are looked for in a shadow of the text, in which what pages and links encode (`%40`, `&#64;`)
and digits of every kind are plain characters. What is found is replaced in the text itself. It
masks rather too much than too little.
"""

import html
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from smoc_mcp.text.cleaning import pattern

if TYPE_CHECKING:
    import regex

__all__ = ["STARS", "masked_address", "masked_number", "without_addresses", "without_numbers"]

STARS = "***"

_CODED = (
    r"(?<entity>&(?:amp;?|#0*38;?|#[xX]0*26;?)*"
    r"(?<what>#0*\d{1,7}|#[xX]0*[0-9a-fA-F]{1,6}|[A-Za-z]\w{1,31});?)"
    r"|(?<bytes>(?:%(?:25)*[89A-Fa-f][0-9A-Fa-f])+)"
    r"|%(?:25)*(?<byte>[0-7][0-9A-Fa-f])"
    r"|(?<quoted>=40)(?=[\w-]{1,63}\.\w)"
    r"|(?<keycap>\d)\ufe0f?\u20e3"
    r"|[^\x00-\x7f]"
)
_PLAIN = r"[&%=]|[^\x00-\x7f]"
_SIGNS = {"\uff20": "@", "\ufe6b": "@", "\uff0b": "+", "\uff0e": "."}

_LOCAL = r"[^\s@<>()\[\]{}]"
_LABEL = r"[\w-]{1,63}"
_DOT = r"(?:\.|\s{0,3}[\[({]\s?dot\s?[\])}]\s{0,3}|\s{1,3}dot\s{1,3})"
_AT_APART = r"(?:\s{0,4}@\s{0,4}|\s{0,4}[\[({]\s?(?:at|@)\s?[\])}]\s{0,4}|\s{1,4}at\s{1,4})"
_ADDRESS = (
    rf"(?i)(?:(?<!{_LOCAL})(?<local>{_LOCAL}++)|(?<local>\"[^\"\n]{{1,64}}+\"))"
    rf"(?:@(?<domain>\[[^\]\s]{{1,64}}\]|[^\s@<>()\[\]\"',;:|?&=/]++)"
    rf"|{_AT_APART}(?<domain>\[[^\]\s]{{1,64}}\]|{_LABEL}(?:{_DOT}{_LABEL})+))"
)
_IN_LINK = r"^(?:\w+:)?//[^\s?]*\?(?:[\w.-]+=[^&=]*&)*[\w.-]+=|^mailto:"
_DOMAIN = r"^(?:\[.*\]|[\w.-]*)"

_BETWEEN = r"[\s()./\\,_:;\u00b7*'\u2019~|\[\]\u2022\u2010-\u2015\u2212-]{0,5}"
_DATE = (
    r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d)?)?"
)
_NUMBER = rf"(?<!\d)(?<date>{_DATE})(?!{_BETWEEN}\d)|\+?\d(?:{_BETWEEN}\d){{6,}}+"


def without_addresses(text: str) -> str:
    """Return a text with its e-mail addresses as `a***@example.com`."""
    return _replaced(text, _ADDRESS, _shown_address)


def without_numbers(text: str) -> str:
    """Return a text with its phone numbers, and what else has seven digits, as `***67`."""
    return _replaced(text, _NUMBER, lambda found: found["date"] or masked_number(found[0]))


def masked_address(address: str) -> str:
    """Return an address as its first letter and its domain; stars for what is no address."""
    shadow, _ = _shadow(address)
    local, at, domain = shadow.rpartition("@")
    kept = pattern(_DOMAIN).match(domain.strip())
    return f"{local.strip()[:1]}{STARS}{at}{kept[0] if kept else ''}" if at else STARS


def masked_number(number: str) -> str:
    """Return a number as its last two digits."""
    return f"{STARS}{number[-2:]}" if len(number) > 4 else STARS


def _shown_address(found: "regex.Match[str]") -> str:
    local = found["local"]
    link = pattern(_IN_LINK).match(local)
    before = link[0] if link else ""
    local = local[len(before) :]
    signs = len(local) - len(local.lstrip("\"',;:|?&=/.!"))
    kept = pattern(_DOMAIN).match(found["domain"])
    shown = f"{local[signs : signs + 1]}{STARS}@{kept[0] if kept else ''}"
    return f"{before}{local[:signs]}{shown}{found['domain'][kept.end() if kept else 0 :]}"


def _replaced(text: str, looked_for: str, shown: "Callable[[regex.Match[str]], str]") -> str:
    shadow, at = _shadow(text)
    if at is None:
        return pattern(looked_for).sub(shown, text)
    parts: list[str] = []
    done = 0
    for found in pattern(looked_for).finditer(shadow):
        new = shown(found)
        if new != found[0]:
            parts += (text[done : at[found.start()]], new)
            done = at[found.end()]
    return "".join([*parts, text[done:]])


def _shadow(text: str) -> tuple[str, list[int] | None]:
    """Return a text with plain characters for coded ones, and where each begins in the text.

    The list has one place more, for the end; None where shadow and text are the same.
    """
    if not pattern(_PLAIN).search(text):
        return text, None
    plain: list[str] = []
    at: list[int] = []
    done = 0
    for found in pattern(_CODED).finditer(text):
        meant = _meant(found)
        if not meant:
            continue
        plain += (text[done : found.start()], meant)
        at += range(done, found.start())
        at.append(found.start())
        done = found.end()
    plain.append(text[done:])
    at += range(done, len(text) + 1)
    return "".join(plain), at


def _meant(found: "regex.Match[str]") -> str:
    """Return the one character that is meant; nothing for what is no code of one."""
    if found["entity"]:
        meant = html.unescape(f"&{found['what']};")
        if len(meant) != 1:
            return ""
    elif found["bytes"]:
        coded = bytes(int(part[-2:], 16) for part in found["bytes"].split("%")[1:])
        meant = coded.decode("utf-8", "replace")[:1]
    elif found["byte"]:
        meant = chr(int(found["byte"], 16))
    elif found["quoted"]:
        meant = "@"
    else:
        meant = found["keycap"] or found[0]
    digit = unicodedata.digit(meant, None)
    return str(digit) if digit is not None else _SIGNS.get(meant, meant)
