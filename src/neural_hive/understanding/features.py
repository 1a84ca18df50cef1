"""Text → weighted n-grams: the one featuriser that training and serving share."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

_WORD = re.compile(r"\w+")
#: Characters in a character n-gram, with the edges of the word.
_MIN_CHARS, _MAX_CHARS = 2, 5
#: Words that may stand between the two of a pair.
_MOST_BETWEEN = 2
#: A "word" beyond this is a key, a URL or noise; its n-grams say nothing and cost much.
_MAX_WORD = 64


def plain(text: str) -> str:
    """The form that is read: compatibility characters unified (NFKC), lower case; half a surrogate pair becomes '?'."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).lower().encode("utf-8", "replace").decode("utf-8")


def word_ngrams(text: str) -> list[str]:
    """Words and pairs of neighbouring words of a text in its plain form."""
    words = _WORD.findall(text)
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def word_pairs(text: str) -> list[str]:
    """Pairs of words in their order, at most two words between them; '^' and '$' stand for the ends: 'a b' → ^ a, ^ b, ^ $, …

    Source: Guthrie et al. 2006, "A closer look at skip-gram modelling", LREC.
    """
    found = _WORD.findall(text)
    words = ["^", *found, "$"] if found else []
    return [f"{first} {later}" for at, first in enumerate(words) for later in words[at + 1 : at + 2 + _MOST_BETWEEN]]


def char_ngrams(text: str) -> list[str]:
    """2 to 5 characters within a word and its edges: 'já' → ' j', 'já', 'á ', ' já', 'já ', ' já '."""
    grams: list[str] = []
    for word in text.split():
        framed = f" {word[:_MAX_WORD]} "
        n = len(framed)
        for size in range(_MIN_CHARS, min(_MAX_CHARS, n) + 1):
            grams += [framed[at : at + size] for at in range(n - size + 1)]
    return grams


#: The views of a text by name, in the order of their columns.
VIEWS: Mapping[str, Callable[[str], list[str]]] = {"words": word_ngrams, "pairs": word_pairs, "chars": char_ngrams}


@dataclass(frozen=True, slots=True)
class SparseRows:
    """Rows of which only the non-zero places are kept (compressed sparse rows).

    starts: int64 (n_rows + 1,), where each row begins. columns: int64 (n_kept,). values: float32 (n_kept,).
    """

    starts: Integers
    columns: Integers
    values: Floats
    n_columns: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def row_of(self) -> Integers:
        """int64 (n_kept,): the row of each value."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def take(self, rows: Integers) -> SparseRows:
        """These rows, in this order."""
        lengths = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], lengths)
        return SparseRows(starts, self.columns[places], self.values[places], self.n_columns)

    def keep(self, wanted: NDArray[np.bool_]) -> SparseRows:
        """Only the columns where `wanted`, bool (n_columns,), renumbered from 0."""
        number = np.cumsum(wanted) - 1
        kept = wanted[self.columns]
        starts = np.concatenate([[0], np.cumsum(kept)])[self.starts]
        return SparseRows(starts, number[self.columns[kept]], self.values[kept], int(wanted.sum()))

    def document_frequency(self) -> Integers:
        """int64 (n_columns,): rows that have something in a column."""
        return np.bincount(self.columns, minlength=self.n_columns)

    def sums(self) -> Floats:
        """float32 (n_rows,): the sum of each row."""
        return np.bincount(self.row_of, self.values, minlength=len(self)).astype(np.float32)


def count(texts: Iterable[str], view: str, vocabulary: Mapping[str, int]) -> tuple[SparseRows, Floats]:
    """How often each n-gram of the vocabulary stands in each text.

    Returns:
        The counts, and float32 (n_texts,): all n-grams of each text, known or not.
    """
    ngrams_of, place = VIEWS[view], vocabulary.get
    tallies: list[Counter[int | None]] = []
    totals: list[int] = []
    for text in texts:
        ngrams = ngrams_of(plain(text))
        tally = Counter(map(place, ngrams))
        del tally[None]
        tallies.append(tally)
        totals.append(len(ngrams))
    starts = np.fromiter(accumulate(map(len, tallies), initial=0), np.int64, len(tallies) + 1)
    columns = np.fromiter(chain.from_iterable(tallies), np.int64, starts[-1])
    values = np.fromiter(chain.from_iterable(tally.values() for tally in tallies), np.float32, starts[-1])
    return SparseRows(starts, columns, values, len(vocabulary)), np.asarray(totals, dtype=np.float32)


def learn_vocabulary(texts: Iterable[str], view: str) -> dict[str, int]:
    """Every n-gram of the texts with its column, in alphabetical order, so that it depends on what is said alone."""
    ngrams_of = VIEWS[view]
    seen = {ngram for text in texts for ngram in ngrams_of(plain(text))}
    return {ngram: column for column, ngram in enumerate(sorted(seen))}


def inverse_document_frequency(n_texts: int, document_frequency: Integers) -> Floats:
    """ln((1 + n) / (1 + df)) + 1, float32 (n_columns,).

    Source: Spärck Jones 1972; smoothed as if one more text held every n-gram once.
    """
    return (np.log((1 + n_texts) / (1 + document_frequency)) + 1).astype(np.float32)


def weigh(counts: SparseRows, idf: Floats) -> SparseRows:
    """TF-IDF with 1 + ln(count), each row of length 1 (or empty).

    Source: Salton & Buckley 1988, "Term-weighting approaches in automatic text retrieval".
    """
    weights = (1 + np.log(counts.values)) * idf[counts.columns]
    squares = np.bincount(counts.row_of, weights * weights, minlength=len(counts))
    length = np.sqrt(np.maximum(squares, 1e-12)).astype(np.float32)
    return SparseRows(counts.starts, counts.columns, weights / length[counts.row_of], counts.n_columns)


@dataclass(frozen=True, slots=True)
class NgramView:
    """One trained view: its n-grams with their columns, and their inverse document frequency, float32 (n_columns,)."""

    name: str
    vocabulary: Mapping[str, int]
    idf: Floats

    def transform(self, texts: Sequence[str]) -> tuple[SparseRows, Floats]:
        """Weighted n-grams of the texts, and float32 (n_texts,): the share of each text's n-grams that is known."""
        counts, totals = count(texts, self.name, self.vocabulary)
        return weigh(counts, self.idf), coverage(counts, totals)


def coverage(counts: SparseRows, totals: Floats) -> Floats:
    """float32 (n_texts,) in [0, 1]: the share of each text's n-grams that is counted; 0 for a text without any."""
    share: Floats = (counts.sums() / np.maximum(totals, np.float32(1))).astype(np.float32)
    return share
