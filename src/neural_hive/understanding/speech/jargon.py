"""Puts a company's own words right: "cubernetes" → "Kubernetes", where it sounds so and the ear was unsure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: A word surer than this is left alone unless only spaces and capitals differ. Source: made-up mishearings in the
#: tests.
MAX_CONFIDENCE = 0.75
#: A word that only resembles a term must be less sure still, its key long, and the likeness in [0, 1] of the two keys
#: high: "depois" and "deploy" are at 0.83. Source: the same.
MAX_CONFIDENCE_ALIKE, MIN_LIKENESS, MIN_KEY_ALIKE = 0.6, 0.85, 7
MIN_KEY = 5
_MAX_WORDS = 4
#: Sounds that Portuguese, Spanish and English spell differently, applied in order to text without diacritics.
_SOUNDS = (
    ("ph", "f"), ("th", "t"), ("sch", "x"), ("sh", "x"), ("ch", "x"), ("ck", "k"), ("qu", "k"), ("ce", "se"),
    ("ci", "si"),
    ("cy", "si"), ("c", "k"), ("q", "k"), ("ge", "je"), ("gi", "ji"), ("lh", "li"), ("ll", "l"), ("nh", "ni"),
    ("h", ""),
    ("w", "u"), ("y", "i"), ("z", "s"), ("v", "b"), ("oo", "u"), ("ee", "i"),
)  # fmt: skip
_DIGITS = {
    "0": ("zero", "cero"), "1": ("um", "uno", "one"), "2": ("dois", "dos", "two"), "3": ("tres", "three"),
    "4": ("quatro", "cuatro", "four"), "5": ("cinco", "five"), "6": ("seis", "six"), "7": ("sete", "siete", "seven"),
    "8": ("oito", "ocho", "eight"), "9": ("nove", "nueve", "nine"),
}  # fmt: skip


@dataclass(frozen=True)
class HeardWord:
    """A word with the sound of a space before it, e.g. " rollback,", and its calibrated confidence in [0, 1]."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Correction:
    """Words `start` to `end` (exclusive) are read as `text`."""

    start: int
    end: int
    text: str


def sound_key(text: str) -> str:
    """How `text` sounds, spelled one way: lower case a–z and digits, doubled letters once."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if c.isascii() and c.isalnum())
    for spelling, sound in _SOUNDS:
        plain = plain.replace(spelling, sound)
    return re.sub(r"(.)\1+", r"\1", plain)


def spoken_forms(term: str) -> set[str]:
    """Sound keys of a term: as written, and with each digit said in each language."""
    forms = {term}
    for digit in sorted({c for c in term if c.isdigit()}):
        forms |= {form.replace(digit, f" {name} ") for form in forms for name in _DIGITS.get(digit, ())}
    return {key for form in forms if (key := sound_key(form))}


class Vocabulary:
    """A domain's terms, indexed by sound. A term is never invented: it replaces only words that sound like it."""

    def __init__(self, terms: Sequence[str]) -> None:
        """Args: terms: names as they should be written; shorter than three letters are ignored."""
        self.terms = tuple(terms)
        self._by_key: dict[str, str] = {}
        for term in terms:
            for key in spoken_forms(term):
                if len(key) >= 3:
                    self._by_key.setdefault(key, term)
        self._written = {term.casefold(): term for term in terms}

    def corrections(self, words: Sequence[HeardWord]) -> list[Correction]:
        """What to replace, in order, never overlapping; the likest run of words first, then the longest."""
        found: list[Correction] = []
        at = 0
        while at < len(words) and self._by_key:
            runs = [hit for size in range(_MAX_WORDS, 0, -1) if (hit := self._match(words, at, size))]
            best = max(runs, key=lambda hit: hit[0], default=None)
            if best and best[1].text != _bare("".join(w.text for w in words[at : best[1].end])):
                found.append(best[1])
            at = best[1].end if best else at + 1
        return found

    def _match(self, words: Sequence[HeardWord], start: int, size: int) -> tuple[float, Correction] | None:
        run = words[start : start + size]
        if len(run) < size or any(_ends_clause(word.text) for word in run[:-1]):
            return None
        heard = _bare("".join(word.text for word in run))
        if heard.casefold() in self._written:
            return 1.0, Correction(start, start + size, self._written[heard.casefold()])
        likeness, term = self._sounds_like(sound_key(heard), min(word.confidence for word in run), is_run=size > 1)
        return (likeness, Correction(start, start + size, term)) if term else None

    def _sounds_like(self, key: str, confidence: float, *, is_run: bool) -> tuple[float, str | None]:
        """Likeness in [0, 1] and the term, None where none is like enough for this confidence."""
        if len(key) >= MIN_KEY and key in self._by_key and (is_run or confidence < MAX_CONFIDENCE):
            return 1.0, self._by_key[key]
        if confidence >= MAX_CONFIDENCE_ALIKE or len(key) < MIN_KEY_ALIKE:
            return 0.0, None
        likeness, best = max(((_likeness(key, other), other) for other in self._by_key), default=(0.0, ""))
        is_alike = likeness >= MIN_LIKENESS and len(best) >= MIN_KEY_ALIKE
        return likeness, self._by_key[best] if is_alike else None


def _bare(text: str) -> str:
    return text.strip(" .,;:!?¿¡\"'()")


def _likeness(a: str, b: str) -> float:
    if abs(len(a) - len(b)) > 0.4 * max(len(a), len(b)) or a[:1] != b[:1]:
        return 0.0
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def _ends_clause(word: str) -> bool:
    return word.rstrip()[-1:] in {".", ",", ";", ":", "!", "?"}


def replaced(original: str, term: str) -> str:
    """`term` with the space and the punctuation that stood around `original`."""
    body = _bare(original)
    before, _, after = original.partition(body) if body else (original, "", "")
    return f"{before}{term}{after}"
