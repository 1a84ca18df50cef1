"""Brazilian or European Portuguese, by the words and spellings that only one of them uses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

#: A double spelling: the vowel before m or n is closed in Brazil (ô, ê) and open in Portugal (ó, é).
_CLOSED, _OPEN = (
    ("ômi", "ômo", "ôni", "ôno", "ônu", "êni", "êmi", "êne"),
    ("ómi", "ómo", "óni", "óno", "ónu", "éni", "émi", "éne"),
)
_GERUND_AUXILIARIES = frozenset(
    [
        "está",
        "estão",
        "estou",
        "estava",
        "estavam",
        "tá",
        "tô",
        "tão",
        "estamos",
        "esta",
        "estao",
        "vem",
        "vêm",
        "anda",
        "andam",
        "fica",
        "ficam",
        "ficou",
    ]
)
_STRONG_SCORE, _WEAK_SCORE = 2, 1


def portuguese_variety(words: Sequence[str], hint: str | None = None) -> str:
    """`pt-BR`, `pt-PT`, or empty when the words do not tell; a hint of `pt-BR` or `pt-PT` settles a draw.

    Args:
        words: lower-case words of a Portuguese text, in order.
        hint: the caller's language tag, if any.
    """
    score = sum(_leaning(word) for word in words) + _aspect(words)
    if score:
        return "pt-BR" if score > 0 else "pt-PT"
    tag = (hint or "").replace("_", "-").lower()
    return {"pt-br": "pt-BR", "pt-pt": "pt-PT"}.get(tag, "")


@lru_cache(maxsize=1)
def _known_words() -> dict[str, frozenset[str]]:
    """Section of varieties.txt → its words; read once."""
    sections: dict[str, set[str]] = {}
    words: set[str] = set()
    for line in (resources.files(__package__) / "varieties.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            words = sections.setdefault(line.strip("[]"), set())
        elif not line.startswith("#"):
            words.update(line.split())
    return {section: frozenset(members) for section, members in sections.items()}


@lru_cache(maxsize=8_192)
def _leaning(word: str) -> int:
    """How much a word speaks for Brazil (positive) or Portugal (negative)."""
    known = _known_words()
    size = _WEAK_SCORE if word in known["weak"] else _STRONG_SCORE
    if word in known["pt-BR"]:
        return size
    if word in known["pt-PT"]:
        return -size
    if any(part in word for part in _CLOSED):
        return _STRONG_SCORE
    return -_STRONG_SCORE if any(part in word for part in _OPEN) else 0


def _aspect(words: Sequence[str]) -> int:
    """ "está fazendo" is Brazilian, "está a fazer" European."""
    score = 0
    for at, word in enumerate(words[:-1]):
        if word in _GERUND_AUXILIARIES:
            following = words[at + 1]
            if following.endswith(("ando", "endo", "indo")):
                score += _STRONG_SCORE
            elif following == "a" and at + 2 < len(words) and words[at + 2].endswith(("ar", "er", "ir")):
                score -= _STRONG_SCORE
    return score
