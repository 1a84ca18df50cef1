"""Words and their parts → votes: what the wording says beside the sentence vector, at the cost of one look-up a word.

A sentence vector knows that two texts mean alike; that a text is worded as a requirement about access or about upkeep shows in
its words, their stems and endings. Parts of words carry over to forms, and often to languages, that were not trained on
(Bojanowski et al. 2017, "Enriching word vectors with subword information").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neural_hive.understanding.features import inverse_document_frequency

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

#: Characters in a part of a word, with the edges of the word.
_MIN_CHARS, _MAX_CHARS = 3, 5
#: A "word" beyond this is a key or noise.
_MAX_WORD = 40
#: Words whose votes are kept; the next one clears them.
_N_KEPT = 20_000


def units(words: Sequence[str]) -> list[str]:
    """Words and pairs of neighbouring words, joined by a space. words: folded, as `split_words` gives them."""
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def parts(unit: str) -> list[str]:
    """A pair is itself; a word is itself and its parts of 3 to 5 characters: 'sair' → '=sair', ' sa', 'sai', …, 'air '.

    Of a number only the length counts.
    """
    if " " in unit:
        return [unit]
    word = "0" * len(unit) if unit.isdigit() else unit
    framed = f" {word[:_MAX_WORD]} "
    sizes = range(_MIN_CHARS, min(_MAX_CHARS, len(framed)) + 1)
    return [f"={word}", *(framed[at : at + size] for size in sizes for at in range(len(framed) - size + 1))]


class Wording:
    """A vocabulary of parts with their inverse document frequency, float32 (n_parts,)."""

    def __init__(self, vocabulary: Sequence[str], idf: Floats) -> None:
        self.vocabulary, self.idf = tuple(vocabulary), idf
        self._place = {part: i for i, part in enumerate(self.vocabulary)}

    @classmethod
    def learn(cls, texts: Sequence[Sequence[str]], least: int) -> Wording:
        """The parts that stand in at least `least` of the texts (each its folded words), in alphabetical order."""
        frequency: Counter[str] = Counter()
        for words in texts:
            frequency.update({part for unit in units(words) for part in parts(unit)})
        kept = sorted(part for part, n in frequency.items() if n >= least)
        return cls(kept, inverse_document_frequency(len(texts), np.array([frequency[part] for part in kept], dtype=np.int64)))

    def of(self, unit: str) -> tuple[Integers, Floats]:
        """The known parts of a unit: int64 columns (n,), rising, and float32 TF-IDF (n,) of length 1 or empty."""
        tally = Counter(place for part in parts(unit) if (place := self._place.get(part)) is not None)
        columns = np.array(sorted(tally), dtype=np.int64)
        values = np.array([tally[c] for c in columns.tolist()], dtype=np.float32) * self.idf[columns]
        length = np.sqrt(values @ values) if len(values) else 0.0
        return columns, (values / length).astype(np.float32) if length else values

    def row(self, words: Sequence[str]) -> dict[int, float]:
        """A text as column → value: the sum of its units over the square root of the number of its words."""
        row: dict[int, float] = {}
        for unit in units(words):
            columns, values = self.of(unit)
            for column, value in zip(columns.tolist(), values.tolist(), strict=True):
                row[column] = row.get(column, 0.0) + value
        scale = _scale(words)
        return {column: value * scale for column, value in row.items()}


class WordVotes:
    """A linear head on `Wording.row`, worked out word by word and remembered. Thread-safe.

    weights: float32 (n_parts, n_labels), with which a row would be multiplied.
    """

    def __init__(self, wording: Wording, weights: Floats) -> None:
        self._wording, self._weights = wording, weights
        self._kept: dict[str, Floats] = {}

    def logits(self, words: Sequence[str]) -> Floats:
        """float32 (n_labels,): what the words of a text vote for, without the bias."""
        total = np.zeros(self._weights.shape[1], dtype=np.float32)
        for votes in self._votes(units(words)):
            total += votes
        total *= _scale(words)
        return total

    def _votes(self, all_units: Iterable[str]) -> Iterable[Floats]:
        for unit in all_units:
            votes = self._kept.get(unit)
            if votes is None:
                columns, values = self._wording.of(unit)
                votes = (values @ self._weights[columns]).astype(np.float32)
                if len(self._kept) >= _N_KEPT:
                    self._kept.clear()
                self._kept[unit] = votes
            yield votes


def _scale(words: Sequence[str]) -> float:
    return float(1.0 / np.sqrt(max(1, len(words))))
