"""What a text means, as one vector: the sentence's own, and what its words say in their context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neural_hive.understanding.encoder import SentenceEncoder, WordEncoder
from neural_hive.understanding.features import Floats

_N_AXES = 256
#: An axis is estimated from so many texts at least.
_TEXTS_PER_AXIS = 8
#: An axis along which texts differ less than by this share of the strongest one is noise.
_LEAST_VARIANCE = 1e-4
_HALF = np.float32(0.5**0.5)


def read_texts(encoder: SentenceEncoder, texts: Sequence[str]) -> tuple[Floats, Floats]:
    """Sentence vectors, float32 (n_texts, n_dimensions), and words in context, float32 (n_texts, n_features).

    n_features is 0 where the encoder gives sentence vectors alone.
    """
    if isinstance(encoder, WordEncoder):
        return encoder.encode_words(texts)
    return encoder.encode(texts), np.zeros((len(texts), 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Meaning:
    """How the two become one.

    center: float32 (n_features,). axes: float32 (n_features, n_axes), the directions in which the words of the training texts
    differ most, each scaled so that it counts the same; n_axes 0 leaves the sentence vector alone.
    """

    center: Floats
    axes: Floats

    @property
    def n_axes(self) -> int:
        """Of the words; 0 where the sentence vector stands alone."""
        return self.axes.shape[1]

    def of(self, sentences: Floats, words: Floats) -> Floats:
        """float32 (n_texts, n_dimensions + n_axes), each of length 1; either half counts the same in a cosine."""
        if not self.n_axes:
            return sentences
        spread = (words - self.center) @ self.axes
        spread /= np.maximum(np.linalg.norm(spread, axis=1, keepdims=True), np.float32(1e-12))
        return np.hstack([sentences * _HALF, spread * _HALF])


def fit_meaning(words: Floats) -> Meaning:
    """Learn what is usual in the words of some texts, float32 (n_texts, n_features); labels play no part in it.

    Source: principal components whitened, Mu & Viswanath 2018, "All-but-the-top" and Su et al. 2021, "Whitening sentence
    representations for better semantics and faster retrieval".
    """
    n_axes = min(_N_AXES, len(words) // _TEXTS_PER_AXIS, words.shape[1])
    center: Floats = words.mean(axis=0, dtype=np.float64).astype(np.float32)
    if not n_axes:
        return Meaning(center, np.zeros((len(center), 0), dtype=np.float32))
    apart = words - center
    variances, directions = np.linalg.eigh((apart.T @ apart).astype(np.float64) / len(words))
    kept = np.flatnonzero(variances > _LEAST_VARIANCE * variances[-1])[-n_axes:]
    axes: Floats = (directions[:, kept] / np.sqrt(variances[kept])).astype(np.float32)
    return Meaning(center, axes)
