"""Which language a text is in: Portuguese (Brazilian or European), Spanish, English, another one, or none."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable
from importlib import resources
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neural_hive.errors import ModelError
from neural_hive.understanding.variety import portuguese_variety

#: Languages the hive works in; all others are only named.
SUPPORTED = ("pt", "es", "en")
UNDETERMINED = "und"

_MODEL = "language.npz"
_IGNORED = re.compile(r"‹[^›\n]{0,40}›|(?<!\w)(?:\w{1,64}://\S+|[\w.+\-]{1,64}@\S+|\w+(?:[._/\\]\w+)+|\w*\d\w*)")
_MAY_BE_IGNORED = re.compile(r"[\d‹@._/\\]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MAX_CHARS = 2_000  # enough to tell a language; keeps the cost bounded
_MAX_WORD = 24
#: Log-odds that the caller's own word for the language adds.
_HINT_LOGIT = 1.5
#: Below this probability of the best language the text is said to be in none.
_MIN_PROBABILITY = 0.30
#: A stretch of words that speaks this much more (in logits of single words) for another supported language makes a
#: text mixed.
_MIXED_LOGITS = 5.0
_SCRIPTS = {
    "CYRILLIC": "ru", "GREEK": "el", "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko",
    "ARABIC": "ar", "HEBREW": "he",
    "DEVANAGARI": "hi", "THAI": "th", "ARMENIAN": "hy", "GEORGIAN": "ka", "BENGALI": "bn", "TAMIL": "ta",
}  # fmt: skip


class Heard(NamedTuple):
    """What language a text is in.

    language: `pt`, `es`, `en`, another ISO 639-1 code, or `und`. variant: `pt-BR`, `pt-PT` or empty. probability: of
    the
    language, calibrated, in [0, 1]. is_mixed: a part of the text is in another of the supported languages (a borrowed
    technical word does not count).
    """

    language: str
    variant: str
    probability: float
    is_mixed: bool


def words_of(text: str) -> list[str]:
    """The words that tell a language: lower case, without placeholders, addresses, paths, codes and numbers."""
    plain = text[:_MAX_CHARS].lower()
    if _MAY_BE_IGNORED.search(plain):
        plain = _IGNORED.sub(" ", plain)
    return [word[:_MAX_WORD] for word in _WORD.findall(plain)]


def word_features(word: str) -> list[str]:
    """The word itself and its 1- to 4-grams of characters, with `^` and `$` as its edges."""
    framed = f"^{word}$"
    grams = [framed[at : at + length] for length in (2, 3, 4) for at in range(len(framed) - length + 1)]
    return [f"={word}", *(character for character in word if not character.isascii()), *grams]


def borrowed_words() -> frozenset[str]:
    """English words that Portuguese and Spanish texts borrow; they do not make a text mixed."""
    lines = (resources.files(__package__) / "borrowed.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


class LanguageIdentifier:
    """Identifies languages with a linear model over words and character n-grams (see `learning/language_model.py`).

    Raises:
        ModelError: the model file is missing or damaged.
    """

    def __init__(self, path: Path | None = None) -> None:
        with _opened(path) as data:
            grams = bytes(data["grams"]).decode().split("\n")
            self._rows = {gram: row for row, gram in enumerate(grams)}
            self._weights = data["weights"].astype(np.float32) * data["scales"]  # (n_grams, n_languages)
            self._bias: np.ndarray[Any, np.dtype[np.float32]] = data["bias"].astype(np.float32)  # (n_languages,)
            self.languages: tuple[str, ...] = tuple(bytes(data["languages"]).decode().split())
        self._supported = [self.languages.index(language) for language in SUPPORTED]
        self._borrowed = borrowed_words()
        self._words = _WordVectors(len(self.languages))

    def identify(self, text: str, hint: str | None = None) -> Heard:
        """The language of `text`.

        Args:
            text: as received or masked; only the first 2,000 characters count.
            hint: the caller's word for the language (`pt`, `pt-BR`…); settles only what the text leaves open.
        """
        words = words_of(text)
        foreign = _by_script(words)
        if foreign:
            return Heard(foreign, "", 0.99, False)
        hinted = (hint or "")[:2].lower()
        if not words:
            return self._without_words(hinted, hint)
        vectors = self._words.of(words, self._word_vector)  # (n_words, n_languages)
        logits = vectors.sum(axis=0) / np.sqrt(len(words)) + self._bias
        if hinted in SUPPORTED:
            logits[self.languages.index(hinted)] += _HINT_LOGIT
        return self._heard(words, vectors, logits, hint)

    def _heard(self, words: list[str], vectors: Any, logits: Any, hint: str | None) -> Heard:
        odds = np.exp(logits - logits.max())
        best = int(odds.argmax())
        probability = float(odds[best] / odds.sum())
        language = self.languages[best]
        if probability < _MIN_PROBABILITY:
            return Heard(UNDETERMINED, "", probability, False)
        variant = portuguese_variety(words, hint) if language == "pt" else ""
        return Heard(language, variant, probability, self._is_mixed(words, vectors, best))

    def _is_mixed(self, words: list[str], vectors: Any, best: int) -> bool:
        """Whether some stretch of at least three words, not counting borrowed ones, speaks clearly for another
        supported language."""
        if len(words) < 5 or best not in self._supported:
            return False
        own = vectors[[row for row, word in enumerate(words) if word not in self._borrowed]]
        for other in self._supported:
            gains = own[:, other] - own[:, best]
            if gains[gains > 0].sum() >= _MIXED_LOGITS and _best_stretch(gains.tolist()) >= _MIXED_LOGITS:
                return True
        return False

    def _without_words(self, hinted: str, hint: str | None) -> Heard:
        if hinted in SUPPORTED:
            return Heard(hinted, portuguese_variety([], hint) if hinted == "pt" else "", 0.5, False)
        return Heard(UNDETERMINED, "", 0.0, False)

    def _word_vector(self, word: str) -> Any:
        rows = [row for feature in word_features(word) if (row := self._rows.get(feature)) is not None]
        return self._weights[rows].sum(axis=0)


class _WordVectors:
    """Vectors of the words met so far, in one table so that a text costs one look-up; emptied when full."""

    _MAX_WORDS = 16_384

    def __init__(self, n_languages: int) -> None:
        self._rows: dict[str, int] = {}
        self._table = np.zeros((self._MAX_WORDS, n_languages), np.float32)  # (n_words, n_languages)
        self._lock = threading.Lock()

    def of(self, words: list[str], compute: Callable[[str], Any]) -> Any:
        """float32 (n_words, n_languages), one row for each word."""
        with self._lock:
            if len(self._rows) + len(words) > self._MAX_WORDS:
                self._rows = {}
            rows = self._rows
            for word in words:
                if word not in rows:
                    self._table[len(rows)] = compute(word)
                    rows[word] = len(rows)
            return self._table[[rows[word] for word in words]]


def _opened(path: Path | None) -> Any:
    source = path or resources.files(__package__) / _MODEL
    try:
        return np.load(str(source), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"the language model {source} cannot be read") from error


def _best_stretch(gains: list[float]) -> float:
    """The largest sum of at least three neighbouring gains (Kadane's algorithm on running sums)."""
    sums = [0.0, *accumulate(gains)]
    lowest, best = 0.0, 0.0
    for end in range(3, len(sums)):
        lowest = min(lowest, sums[end - 3])
        best = max(best, sums[end] - lowest)
    return best


def _by_script(words: list[str]) -> str:
    """The language that a script other than Latin suggests when most letters are in it; empty otherwise."""
    joined = "".join(words)
    if not joined or joined.isascii():
        return ""
    counts: dict[str, int] = {}
    for character in joined[:200]:
        if ord(character) > 0x24F:
            language = _SCRIPTS.get(unicodedata.name(character, "?").split()[0], "")
            counts[language] = counts.get(language, 0) + 1
    counts.pop("", None)
    if not counts or sum(counts.values()) * 2 < min(len(joined), 200):
        return ""
    return "ja" if "ja" in counts else max(counts, key=lambda language: counts[language])
