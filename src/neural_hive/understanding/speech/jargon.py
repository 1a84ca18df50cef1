"""Puts a company's own words right: "cubernetes" → "Kubernetes", where it sounds so and the ear was unsure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: A word this sure is left alone unless it sounds exactly like a term. Sources: measured on made-up mishearings in the tests.
MAX_CONFIDENCE = 0.75
#: Least likeness in [0, 1] of the two sound keys, and the shortest key that may differ at all.
MIN_LIKENESS, MIN_KEY = 0.8, 5
_MAX_WORDS = 4
#: Sounds that Portuguese, Spanish and English spell differently, applied in order to text without diacritics.
_SOUNDS = (
    ("ph", "f"), ("th", "t"), ("sch", "x"), ("sh", "x"), ("ch", "x"), ("ck", "k"), ("qu", "k"), ("ce", "se"), ("ci", "si"),
    ("cy", "si"), ("c", "k"), ("q", "k"), ("ge", "je"), ("gi", "ji"), ("lh", "li"), ("ll", "l"), ("nh", "ni"), ("h", ""),
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
        self._by_key: dict[str, str] = {}
        for term in terms:
            for key in spoken_forms(term):
                if len(key) >= 3:
                    self._by_key.setdefault(key, term)
        self._written = {term.casefold(): term for term in terms}

    def corrections(self, words: Sequence[HeardWord]) -> list[Correction]:
        """What to replace, in order, never overlapping; longer runs of words first."""
        found: list[Correction] = []
        at = 0
        while at < len(words) and self._by_key:
            hit = next((c for n in range(_MAX_WORDS, 0, -1) if (c := self._match(words, at, n))), None)
            if hit:
                found.append(hit)
            at = hit.end if hit else at + 1
        return found

    def _match(self, words: Sequence[HeardWord], start: int, size: int) -> Correction | None:
        run = words[start : start + size]
        if len(run) < size or any(_ends_clause(word.text) for word in run[:-1]):
            return None
        heard = "".join(word.text for word in run).strip(" .,;:!?¿¡\"'()")
        term = self._written.get(heard.casefold()) or self._sounds_like(heard, min(w.confidence for w in run), size)
        return Correction(start, start + size, term) if term and term != heard else None

    def _sounds_like(self, heard: str, confidence: float, size: int) -> str | None:
        key = sound_key(heard)
        if len(key) < MIN_KEY:
            return None
        exact = self._by_key.get(key)
        if exact and (size > 1 or confidence < MAX_CONFIDENCE or " " in exact or not exact.islower()):
            return exact
        if confidence >= MAX_CONFIDENCE:
            return None
        likeness, best = max(((_likeness(key, other), other) for other in self._by_key), default=(0.0, ""))
        return self._by_key[best] if likeness >= MIN_LIKENESS and len(best) >= MIN_KEY else None


def _likeness(a: str, b: str) -> float:
    if abs(len(a) - len(b)) > 0.4 * max(len(a), len(b)) or a[:1] != b[:1]:
        return 0.0
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def _ends_clause(word: str) -> bool:
    return word.rstrip()[-1:] in {".", ",", ";", ":", "!", "?"}


def replaced(original: str, term: str) -> str:
    """`term` with the space and the punctuation that stood around `original`."""
    body = original.strip(" .,;:!?¿¡\"'()")
    before, _, after = original.partition(body) if body else (original, "", "")
    return f"{before}{term}{after}"
