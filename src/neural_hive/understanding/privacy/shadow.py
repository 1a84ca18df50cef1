"""A plain copy of a text to search in: ASCII digits, dashes and spaces, nothing invisible, and the way back to the
original."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

#: Stands for text that is already masked; no pattern matches it.
FILLER = "\ue000"
PLACEHOLDER = re.compile(r"‹([a-z][a-z_]{0,30})-(\d{1,6})›")

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)
_COMBINING = re.compile("[\u0300-\u036f]")


class Shadow(NamedTuple):
    """`text` is the plain copy; `origin[i]` is where its character i begins in the original (None: at i)."""

    text: str
    origin: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` lies in the original."""
        if self.origin is None:
            return start, end
        return self.origin[start], self.origin[end]


class _PlainTable(dict[int, str]):
    """For `str.translate`: digits of any script, full-width ASCII, dashes and spaces become ASCII; learnt as they
    are met."""

    def __missing__(self, code: int) -> str:
        plain = _plain(chr(code))
        self[code] = plain
        return plain


def _plain(character: str) -> str:
    code = ord(character)
    if 0xFF01 <= code <= 0xFF5E:
        return chr(code - 0xFEE0)
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category == "Pd" or character == "\u2212":
        return "-"
    if category == "Zs":
        return " "
    return {
        "\u2024": ".",
        "\u3002": ".",
        "\uff61": ".",
        "\ufe52": ".",
        "\u2044": "/",
        "\u2215": "/",
        "\u2019": "'",
    }.get(character, character)


_TABLE = _PlainTable()


def shadow_of(text: str) -> Shadow:
    """A plain copy of `text`; linear in its length."""
    if text.isascii():
        return Shadow(text, None)
    origin = None
    if _INVISIBLE.search(text) or _COMBINING.search(text):
        text, origin = _composed(text)
    plain = text.translate(_TABLE)
    if "‹" in plain:
        plain = PLACEHOLDER.sub(lambda match: FILLER * len(match.group()), plain)
    return Shadow(plain, origin)


def _composed(text: str) -> tuple[str, list[int]]:
    """The text without invisible characters and with accents joined to their letters."""
    characters: list[str] = []
    origin: list[int] = []
    for position, character in enumerate(text):
        if _INVISIBLE.match(character):
            continue
        if characters and _COMBINING.match(character):
            joined = unicodedata.normalize("NFC", characters[-1] + character)
            characters[-1] = joined if len(joined) == 1 else characters[-1]
            continue
        characters.append(character)
        origin.append(position)
    origin.append(len(text))
    return "".join(characters), origin
