"""What a word costs a reading: nothing if people write it, more the rarer it is, most if nobody does.

Whisper base hears a strange accent as words that no language has ("presioni", "opresione"), with good log-probabilities.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_hive.errors import ModelError

#: Made by `python -m neural_hive.learning.rare_words` from wordfreq (Speer 2022, doi:10.5281/zenodo.7199437).
TABLE = Path(__file__).with_name("rarity.npz")
#: Zipf frequencies (log10 of occurrences in 10⁹ words, van Heuven et al. 2014): from `COMMON` on a word costs nothing; below
#: `LISTED` it is as good as unwritten, since lists of such words are full of misprints.
COMMON, LISTED = 3.0, 2.0
#: Log-probability (natural) that a word loses per unit of Zipf frequency below `COMMON`. Source: measured on the development
#: clips, docs/explanation/speech.md; 0.15 to 0.8 all help.
COST_PER_ZIPF = 0.4

_SEPARATORS = re.compile(r"[^\w']+")

WordCost = Callable[[str], float]


def free(_: str) -> float:
    """Nothing costs anything."""
    return 0.0


def plain_words(text: str) -> list[str]:
    """The words of `text` in lower case, as the table has them; what holds a digit is left out."""
    pieces = (piece.strip("'_") for piece in _SEPARATORS.split(text.casefold()))
    return [piece for piece in pieces if piece and not any(c.isdigit() for c in piece)]


def code(word: str) -> int:
    """32 bits that stand for a word; of 10⁵ words that are not listed, about three look as if they were."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "little")


class Rarity:
    """The table of all languages: per language the codes of its words, sorted, and a cost each."""

    def __init__(self, path: Path = TABLE) -> None:
        """Read the table.

        Raises:
            ModelError: it is missing or damaged.
        """
        try:
            with np.load(path) as stored:
                steps = {name: stored[name] for name in stored.files}
        except (OSError, ValueError) as error:
            raise ModelError(f"The table of words {path.name} is missing or damaged.") from error
        self._codes = {name: np.cumsum(steps[name], dtype=np.uint32) for name in steps if "_" not in name}
        self._tenths: dict[str, NDArray[np.uint8]] = {name: steps[f"{name}_tenths"] for name in self._codes}

    def of(self, language: str, known: Iterable[str] = ()) -> WordCost:
        """What a text costs in this language, in natural log-probability ≥ 0: the sum over its words.

        Args:
            language: pt, en or es; in another nothing costs anything.
            known: Terms that cost nothing.
        """
        if language not in self._codes:
            return free
        common = frozenset(word for term in known for word in plain_words(term))
        return lru_cache(maxsize=4096)(lambda text: sum(self._cost(language, word, common) for word in plain_words(text)))

    def _cost(self, language: str, word: str, common: frozenset[str]) -> float:
        if word in common:
            return 0.0
        codes, wanted = self._codes[language], np.uint32(code(word))
        at = int(np.searchsorted(codes, wanted))
        is_listed = at < len(codes) and codes[at] == wanted
        below = int(self._tenths[language][at]) / 10 if is_listed else COMMON
        return COST_PER_ZIPF * below
