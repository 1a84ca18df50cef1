"""What the console says, in pt, en and es: texts, numbers and times. One file per language in `texts/`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import Any

from neural_hive.contracts import Language
from neural_hive.contracts.names import names

FALLBACK = Language.EN.value
LANGUAGES: tuple[str, ...] = tuple(language.value for language in Language)
#: Kinds of word that the contracts name themselves; everything else is in `texts/`.
_NAMED_BY_CONTRACTS = frozenset({"specialist", "safeguard"})


@dataclass(frozen=True, slots=True)
class Wording:
    """The console in one language. Call it with a text's dotted key and the values for its braces."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: Any) -> str:
        """The text. Raises KeyError for a key that is not in the catalogue."""
        text = self.texts[key]
        return text.format(**values) if values else text

    def name(self, kind: str, word: object) -> str:
        """What people call a word of the contracts; one that is not in the catalogue is shown without underscores."""
        if kind in _NAMED_BY_CONTRACTS and str(word) in names(kind, self.language):
            return names(kind, self.language)[str(word)]
        return self.texts.get(f"{kind}.{word}") or str(word).replace("_", " ")

    def count(self, key: str, n: int) -> str:
        """A text that depends on a number: `key.one` or `key.other`."""
        return self(f"{key}.one" if n == 1 else f"{key}.other", n=self.number(n))

    def score(self, value: float) -> str:
        """A score in [0, 1] with two digits."""
        return self._decimal(f"{value:.2f}")

    def percent(self, value: float, digits: int = 0) -> str:
        """A share in [0, 1] as a percentage."""
        text = self._decimal(f"{value * 100:.{digits}f}")
        return f"{text}%" if self.language == "en" else f"{text}\u00a0%"

    def number(self, value: float, digits: int = 0) -> str:
        """A number with the thousands apart."""
        text = f"{value:,.{digits}f}"
        return text if self.language == "en" else text.replace(",", "\u202f").replace(".", ",")

    def day(self, at: datetime) -> str:
        """A date, UTC."""
        return f"{at.astimezone(UTC):{_DATES[self.language]}}"

    def moment(self, at: datetime) -> str:
        """A date and time, UTC."""
        return f"{at.astimezone(UTC):{_DATES[self.language]} %H:%M} UTC"

    def _decimal(self, text: str) -> str:
        return text if self.language == "en" else text.replace(".", ",")


_DATES = {"en": "%Y-%m-%d", "pt": "%d/%m/%Y", "es": "%d/%m/%Y"}


@lru_cache(maxsize=len(LANGUAGES))
def wording(language: str) -> Wording:
    """The console in `language`, which is one of LANGUAGES."""
    source = resources.files(__package__).joinpath("texts", f"{language}.toml").read_text(encoding="utf-8")
    return Wording(language, dict(_flat(tomllib.loads(source))))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, str(value)


def choose_language(chosen: str | None, accept_language: str | None) -> str:
    """The person's choice, else the first of the browser's languages that the console speaks, else English.

    Source: RFC 9110, section 12.5.4 (Accept-Language), matched by primary subtag.
    """
    if chosen in LANGUAGES:
        return chosen
    for tag in _by_preference(accept_language or ""):
        if tag in LANGUAGES:
            return tag
    return FALLBACK


def _by_preference(header: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for item in header[:500].split(","):
        tag, _, parameter = item.strip().partition(";")
        weight = _quality(parameter)
        if weight > 0:
            weighted.append((-weight, tag.strip().partition("-")[0].lower()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: pair[0])]


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
