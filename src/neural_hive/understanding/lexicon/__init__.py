"""The words of the frame vocabulary in three languages, compiled into one matcher."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from neural_hive.phrases import Match, PhraseMatcher, Words, fold

_FILES = ("actions", "objects", "circumstances")
#: Most words between the parts of a phrase: "guardar [la clave de la API de pagos] en texto plano".
MAX_GAP = 7
#: Roles whose words are grammar: they count only in the text's own language ('no' is 'in the' in Portuguese).
_GRAMMAR = frozenset({"scope", "negate", "refuse", "affirm", "mood", "urgent", "irreversible", "reversible", "later"})
#: English words that mean something else in Portuguese or Spanish ('data' is a date).
_FALSE_FRIENDS = frozenset(
    {"data", "fine", "fines", "role", "tax", "guest", "fix", "any", "set", "law", "host", "one", "complete", "balance"}
)


@dataclass(frozen=True, slots=True)
class Cue:
    """What a phrase means. role: action, object, scope, environment, safeguard, …; name: the word of the vocabulary."""

    role: str
    name: str
    language: str
    order: int
    excluded: tuple[str, ...] = ()


class Lexicon:
    """All cues of the three files."""

    def __init__(self) -> None:
        self._matcher = PhraseMatcher(_cues(), max_gap=MAX_GAP)

    def find(self, words: Words, languages: frozenset[str]) -> list[Match[Cue]]:
        """Cues in a text written in `languages` (of pt, en, es); English jargon counts in any language."""
        return [m for m in self._matcher.find(words) if _counts(m, words, languages)]


def _counts(match: Match[Cue], words: Words, languages: frozenset[str]) -> bool:
    cue = match.payload
    first = words.folded[match.first]
    if cue.excluded and first.startswith(cue.excluded):
        return False
    if cue.language in languages:
        return True
    if cue.language != "en" or cue.role in _GRAMMAR:
        return False
    return not (match.first == match.last and first in _FALSE_FRIENDS)


def _cues() -> Iterator[tuple[str, Cue]]:
    for order, (role, name, by_language) in enumerate(_entries()):
        excluded = tuple(fold(w).rstrip("*") for w in by_language.get("not", ()))
        for language in ("pt", "en", "es"):
            for phrase in by_language.get(language, ()):
                yield phrase, Cue(role, name, language, order, excluded)


def _entries() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(role, name, {language: phrases}) of every entry in file order."""
    for file in _FILES:
        table = tomllib.loads(resources.files(__package__).joinpath(f"{file}.toml").read_text(encoding="utf-8"))
        for key, value in table.items():
            if file != "circumstances":
                yield file.removesuffix("s"), key, value
            elif "en" in value:
                yield key, key, value
            else:
                for name, phrases in value.items():
                    yield key, name, phrases


def vocabulary() -> dict[str, frozenset[str]]:
    """Words that frame rules may use, by key: action, object, scope, environment, safeguard, waived, mood."""
    words: dict[str, set[str]] = {}
    for role, name, _ in _entries():
        words.setdefault(role, set()).add(name)
    result = {role: frozenset(names) for role, names in words.items()}
    result["waived"] = result["safeguard"]
    result["mood"] = result["mood"] | {"request"}
    result["scope"] = result["scope"] | {"unknown"}
    result["environment"] = result["environment"] | {"unknown"}
    return result
