"""Digits said as words ("um dois três…"), as speech recognition and dictation may write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neural_hive.understanding.privacy.finding import LIKELY, Found

_DIGITS: dict[str, str] = {
    word: digit
    for digit, words in {
        "0": "zero cero oh",
        "1": "um uma uno una one",
        "2": "dois duas dos two",
        "3": "três tres three",
        "4": "quatro cuatro four",
        "5": "cinco five",
        "6": "seis meia six",
        "7": "sete siete seven",
        "8": "oito ocho eight",
        "9": "nove nueve nine",
    }.items()
    for word in words.split()
}
_FILLERS = r"ponto|punto|dot|point|traço|traco|guion|guión|hífen|hifen|dash|barra|slash|e|y|and"
_WORD = "|".join(sorted(_DIGITS, key=len, reverse=True))
_UNIT = rf"(?:{_WORD}|\d)(?![^\W_])"
_RUN = re.compile(rf"(?<![^\W_]){_UNIT}(?:[\s,.\-]{{1,3}}(?:(?:{_FILLERS})[\s,]{{1,2}})?{_UNIT}){{6,}}", re.IGNORECASE)
_ONE = re.compile(rf"(?:{_WORD}|\d)(?![^\W_])", re.IGNORECASE)
_HAS_WORD = re.compile(rf"(?<![^\W_])(?:{_WORD})(?![^\W_])(?:\W{{1,3}}(?:{_WORD}|\d)(?![^\W_])){{2}}", re.IGNORECASE)


def spoken_numbers(text: str) -> Iterator[Found]:
    """Rows of at least seven spoken digits; what they identify is decided by `kind_of_digits` of the caller."""
    if not _HAS_WORD.search(text):
        return
    for match in _RUN.finditer(text):
        digits = "".join(_DIGITS.get(unit.lower(), unit) for unit in _ONE.findall(match.group()))
        if any(character.isalpha() for character in match.group()):
            yield Found("number", match.start(), match.end(), LIKELY, digits)
