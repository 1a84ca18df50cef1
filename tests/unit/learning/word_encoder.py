"""A sentence encoder for tests: the sum of one random direction per word. Fast, deterministic, no files."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class WordEncoder:
    """Texts with the same words get the same vector."""

    digest = "1" * 64

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 (n_texts, 64), each of length 1."""
        vectors = [self._vector(text) for text in texts]
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), 64)

    def _vector(self, text: str) -> NDArray[np.float64]:
        words = re.findall(r"\w+", text.lower()) or ["-"]
        total = np.sum([np.random.default_rng(zlib.crc32(word.encode())).normal(size=64) for word in words], axis=0)
        length = float(np.linalg.norm(total))
        return np.asarray(total / length)
