"""What counts as a text: NFC, no control or invisible characters, at least one letter or digit."""

from __future__ import annotations

import unicodedata

from neural_hive.errors import TextRejectedError

#: Categories that nobody sees: controls, format (zero width, bidi, tags, soft hyphen), lone surrogates.
#: Source: Unicode Standard Annex #44, table 12; Trojan Source (CVE-2021-42574) for the bidi controls.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
_LINE_BREAKS = str.maketrans({"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"})


def clean_text(text: str, max_chars: int) -> str:
    """The text as it is judged and recorded. Cleaning a clean text changes nothing.

    Args:
        text: as it came from outside; any string, lone surrogates included.
        max_chars: longest text, in code points.

    Raises:
        TextRejectedError: it is too long, holds a NUL, or has neither letter nor digit. The message says which.
    """
    if len(text) > max_chars:
        raise TextRejectedError(f"The text has {len(text)} characters; at most {max_chars} are allowed. Shorten it.")
    if "\0" in text:
        raise TextRejectedError("The text contains a NUL character; send plain text.")
    cleaned = _visible(unicodedata.normalize("NFC", text)).strip()
    if not any(map(str.isalnum, cleaned)):
        raise TextRejectedError("The text is empty: it has neither a letter nor a digit. Say what you want in words.")
    if len(cleaned) > max_chars:
        raise TextRejectedError(f"The text has more than {max_chars} characters once normalised. Shorten it.")
    return cleaned


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").translate(_LINE_BREAKS)
    kept = "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) not in _INVISIBLE)
    return unicodedata.normalize("NFC", kept)
