"""The catalogue of words around a decision, in Portuguese, English and Spanish."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from neural_hive.contracts import Case, Language


@dataclass(frozen=True, slots=True)
class Labels:
    """Words of one language. A word that it does not hold, such as a specialist of your own, stands for itself."""

    language: str
    words: dict[str, str]

    def __getitem__(self, word: str) -> str:
        return self.words.get(word, word)

    def score(self, value: float) -> str:
        """A score in [0, 1] with two decimals, as the language writes them."""
        return f"{value:.2f}" if self.language == Language.EN else f"{value:.2f}".replace(".", ",")


@cache
def load_labels(language: str) -> Labels:
    """The labels of pt, en or es; English for any other language."""
    catalogue = tomllib.loads((resources.files("neural_hive.cli") / "labels.toml").read_text(encoding="utf-8"))
    known = language if language in catalogue else Language.EN.value
    return Labels(known, catalogue[known])


def labels_of(case: Case, answer_language: str = "") -> Labels:
    """Labels in the language that the case's decision is written in."""
    said = case.understanding.language if case.understanding else case.intent.language or ""
    return load_labels(answer_language or said)
