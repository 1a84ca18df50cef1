"""Sentence vectors of one tenant in memory, searched by cosine: signs first, then exactly.

Beyond a few hundred vectors a search compares signs (one bit per dimension) to choose candidates, then computes the
exact cosine of those. Source: Charikar 2002, "Similarity estimation techniques from rounding algorithms".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

#: Vectors whose exact cosine is computed in one search.
N_CANDIDATES = 128
#: Newest vectors kept per tenant: 8,192 take about 18 MB, and a search of them a tenth of a millisecond.
MAX_VECTORS = 8_192
#: Share of differing signs beyond which two vectors are not compared. At cosine 0.6 the expected share is
#: arccos(0.6) / π = 0.295; this is five standard deviations of 512 signs above it.
_MAX_DIFFERING = 0.4


class VectorIndex:
    """The newest vectors of a tenant, in order of arrival.

    A vector is float16 (n_dimensions,), L2-normalised, little-endian bytes, each with its row number in the store.
    """

    def __init__(self, n_dimensions: int) -> None:
        self.last_row = 0
        self._n = 0
        self._n_dimensions = n_dimensions
        self._rows = np.zeros(0, dtype=np.int64)
        self._vectors = np.zeros((0, n_dimensions), dtype=np.float32)
        self._signs = np.zeros((-(-n_dimensions // 64), 0), dtype=np.uint64)  # word by word: 64 signs of every vector

    def extend(self, rows: Sequence[int], vectors: Sequence[bytes]) -> None:
        """Add vectors, at most MAX_VECTORS at a time; the oldest go when there are too many."""
        if not rows:
            return
        block = np.frombuffer(b"".join(vectors), dtype="<f2").reshape(len(rows), self._n_dimensions)
        self._reserve(len(rows))
        end = self._n + len(rows)
        self._rows[self._n : end] = rows
        self._vectors[self._n : end] = block
        self._signs[:, self._n : end] = _signs(block).T
        self._n = end
        self.last_row = rows[-1]

    def nearest(self, vector: bytes, limit: int, threshold: float) -> list[tuple[int, float]]:
        """Rows and cosines of at most `limit` vectors from `threshold` up, most similar first, then newest first."""
        query = np.frombuffer(vector, dtype="<f2")
        chosen = self._candidates(query)
        # not by BLAS: for so little it would wake a thread on every core, each of which spins for a while afterwards
        cosines = np.einsum("ij,j->i", self._vectors[chosen], query.astype(np.float32))
        order = np.lexsort((-self._rows[chosen], -cosines))
        best = [(int(self._rows[chosen[i]]), float(cosines[i])) for i in order[:limit]]
        return [(row, min(1.0, cosine)) for row, cosine in best if cosine >= threshold]

    def _candidates(self, query: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        """Places of the vectors that agree with the query in most signs; all of them when they are few."""
        if self._n <= N_CANDIDATES:
            return np.arange(self._n)
        # few large steps: between two of them another thread may take the interpreter
        asked = _signs(query[None, :])[0][:, None]
        differing = np.bitwise_count(self._signs[:, : self._n] ^ asked).sum(axis=0, dtype=np.uint16)
        near = np.flatnonzero(differing <= _MAX_DIFFERING * self._n_dimensions)
        if len(near) > N_CANDIDATES:
            near = near[np.argpartition(differing[near], N_CANDIDATES)[:N_CANDIDATES]]
        return near

    def _reserve(self, n_more: int) -> None:
        """Make room, doubling up to an eighth above the limit; when that is full, the oldest go."""
        if self._n + n_more <= len(self._rows):
            return
        kept = slice(max(0, self._n + n_more - MAX_VECTORS), self._n)
        n_kept = kept.stop - kept.start
        size = max(n_kept + n_more, min(1024 + 2 * (n_kept + n_more), MAX_VECTORS + MAX_VECTORS // 8))
        self._rows = _moved(self._rows, kept, size)
        self._vectors = _moved(self._vectors, kept, size)
        self._signs = np.ascontiguousarray(_moved(self._signs.T, kept, size).T)
        self._n = n_kept


def _moved(array: npt.NDArray[Any], kept: slice, size: int) -> npt.NDArray[Any]:
    grown = np.zeros((size, *array.shape[1:]), dtype=array.dtype)
    grown[: kept.stop - kept.start] = array[kept]
    return grown


def _signs(vectors: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Signs as bits. vectors: float (n, d). Returns uint64 (n, ceil(d / 64))."""
    bits = np.packbits(vectors > 0, axis=1)
    padded = np.zeros((len(bits), -(-bits.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)
