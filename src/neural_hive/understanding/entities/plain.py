"""A folded twin of a text: lower case, no accents, the same offsets."""

from __future__ import annotations

_ACCENTS = str.maketrans("áàâãäåéèêëíìîïóòôõöúùûüçñý", "aaaaaaeeeeiiiiooooouuuucny")


def plain_of(text: str) -> str:
    """`text` in lower case without the accents of the three languages; character i stays character i."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := character.lower()) == 1 else character for character in text)
    return lowered if lowered.isascii() else lowered.translate(_ACCENTS)
