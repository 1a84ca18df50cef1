"""Whisper's tokens: which may be said, which steer, and how they become text and words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from neural_hive.errors import ModelError

_LETTERS = "áàâãäåæéèêëíìîïóòôõöøœúùûüçñýÿ"
#: What Portuguese, Spanish and English are written with, and signs that occur in technical speech.
WRITTEN_WITH = frozenset(
    [chr(c) for c in range(32, 127)] + list(_LETTERS + _LETTERS.upper()) + list("ªº°§€£¥©®™±×÷·¡¿«»–—‘’“”…½¼¾²³µ\u00ad")
)
_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")


def _byte_decoder() -> dict[str, int]:
    """GPT-2's printable stand-ins for bytes. Source: openai/gpt-2 `encoder.py`, bytes_to_unicode."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in plain]
    return {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(rest)}


def _could_be_written(raw: bytes) -> bool:
    """Whether these bytes are text of our languages, or a piece of one of its multi-byte letters."""
    try:
        return all(char in WRITTEN_WITH for char in raw.decode())
    except UnicodeDecodeError:
        return len(raw) == 1 or (raw[:1] == b" " and len(raw) <= 3)


class Tokens:
    """The vocabulary of one checkpoint.

    Attributes:
        sot, eot, transcribe, no_timestamps, no_speech: int ids of the tokens that steer.
        languages: language code → int id.
        sayable: int64 (n_out,) sorted ids that the decoder may output: text of our languages, end of text, the language
            tokens and "no speech".
    """

    def __init__(self, directory: Path, vocabulary: Sequence[str], suppressed: Sequence[int]) -> None:
        """Read `tokenizer.json` and sort the vocabulary.

        Raises:
            ModelError: the tokenizer is missing or lacks a token that Whisper needs.
        """
        path = directory / "tokenizer.json"
        if not path.exists():
            raise ModelError(f"{path} is missing.")
        self._tokenizer = Tokenizer.from_file(str(path))
        index = {token: i for i, token in enumerate(vocabulary)}
        self.n_vocabulary = len(vocabulary)
        self.sot = self._need(index, "<|startoftranscript|>")
        self.eot = self._need(index, "<|endoftext|>")
        self.transcribe = self._need(index, "<|transcribe|>")
        self.no_timestamps = self._need(index, "<|notimestamps|>")
        self.previous = self._need(index, "<|startofprev|>")
        self.no_speech = index.get("<|nospeech|>", index.get("<|nocaptions|>", -1))
        self.languages = {m[1]: i for t, i in index.items() if i > self.eot and (m := _LANGUAGE.fullmatch(t))}
        self.sayable = self._sayable(vocabulary, frozenset(suppressed))

    @staticmethod
    def _need(index: dict[str, int], token: str) -> int:
        try:
            return index[token]
        except KeyError as error:
            raise ModelError(f"The vocabulary has no {token}: not a multilingual Whisper.") from error

    def _sayable(self, vocabulary: Sequence[str], suppressed: frozenset[int]) -> NDArray[np.int64]:
        decoder = _byte_decoder()
        text = [
            i
            for i, token in enumerate(vocabulary[: self.eot])
            if i not in suppressed
            and all(char in decoder for char in token)
            and _could_be_written(bytes(decoder[char] for char in token))
        ]
        steering = [self.eot, *self.languages.values(), *([self.no_speech] if self.no_speech >= 0 else [])]
        return np.array(sorted({*text, *steering}), np.int64)

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, no special tokens."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids`; tokens that steer are left out."""
        return str(self._tokenizer.decode([i for i in ids if i < self.eot], skip_special_tokens=True))

    def words(self, ids: Sequence[int]) -> list[tuple[str, slice]]:
        """Split `ids` at the spaces: each word with its leading space and punctuation, and the slice of `ids` it
        covers.

        Tokens that hold part of a letter are joined with what completes it.
        """
        found: list[tuple[str, slice]] = []
        start = 0
        for end in range(1, len(ids) + 1):
            piece = self.decode(ids[start:end])
            if "\ufffd" in piece and end < len(ids):
                continue
            if piece.startswith(" ") or not found:
                found.append((piece, slice(start, end)))
            else:
                text, span = found[-1]
                found[-1] = (text + piece, slice(span.start, end))
            start = end
        return found
