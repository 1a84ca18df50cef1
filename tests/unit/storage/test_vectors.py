"""The vector search: exact when there are few, and as good as exact when there are many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from neural_hive.storage.graph import vectors
from neural_hive.storage.graph.vectors import VectorIndex


def unit(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    normed: npt.NDArray[np.float64] = values / np.linalg.norm(values, axis=-1, keepdims=True)
    return normed


def stored(values: npt.NDArray[np.float64]) -> list[bytes]:
    return [row.astype("<f2").tobytes() for row in values]


def filled(values: npt.NDArray[np.float64]) -> VectorIndex:
    index = VectorIndex(values.shape[1])
    index.extend(list(range(1, len(values) + 1)), stored(values))
    return index


def test_an_empty_index_finds_nothing() -> None:
    assert VectorIndex(512).nearest(stored(np.ones((1, 512)))[0], 5, 0.0) == []


def test_many_vectors_are_searched_as_well_as_exactly() -> None:
    random = np.random.default_rng(1)
    topics = unit(random.normal(size=(40, 512)))
    values = unit(topics[random.integers(0, 40, 6000)] + 0.6 * unit(random.normal(size=(6000, 512))))
    index = filled(values)
    hits = 0
    for query in values[::300]:
        exact = values @ query
        best = set((np.argsort(-exact)[:5] + 1).tolist())
        hits += len(best & {row for row, _ in index.nearest(stored(query[None])[0], 5, 0.6)})
    assert hits >= 0.97 * 5 * 20


def test_vectors_added_later_are_found_and_the_oldest_go_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vectors, "MAX_VECTORS", 1000)
    values = unit(np.random.default_rng(2).normal(size=(3000, 64)))
    index = VectorIndex(64)
    for start in range(0, 3000, 250):
        index.extend(list(range(start, start + 250)), stored(values[start : start + 250]))
        newest = stored(values[start + 249 : start + 250])[0]
        assert index.nearest(newest, 1, 0.9)[0][0] == start + 249
    assert index.nearest(stored(values[:1])[0], 1, 0.9) == []
    assert len(index._rows) <= 1125


def test_a_cosine_is_never_above_one() -> None:
    value = unit(np.ones((1, 512)))
    assert filled(value).nearest(stored(value)[0], 1, 0.6)[0][1] <= 1.0
