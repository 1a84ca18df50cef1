"""One linear model per output, all at once, with an L2 penalty: by least squares, exactly, or by squared hinge loss, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_hive.understanding.features import Floats, SparseRows

_N_NEWTON_STEPS = 7
_N_GRADIENT_STEPS = 15
#: Stop when this share of the (row, output) pairs at most changes sides of the margin, or the residual shrank to this.
_LEAST_CHANGE = 5e-4
_LEAST_RESIDUAL = 1e-3


def fit_exactly(gram: Floats, signs: Floats, penalty: float) -> Floats:
    """The A that minimises Σ (y − G a)² + penalty × aᵀ G a for each output; float32 (n_rows, n_outputs).

    The weights of the linear model are Xᵀ A where G = X Xᵀ. Time grows with n_rows³, memory with n_rows².

    Args:
        gram: float32 (n_rows, n_rows), inner products of the training rows; is overwritten.
        signs: float32 (n_rows, n_outputs), +1 or −1: what each output should say of each row.
        penalty: strength of the L2 penalty.

    Source: Saunders, Gammerman & Vovk 1998, "Ridge regression learning algorithm in dual variables", ICML.
    """
    linalg = import_module("scipy.linalg")
    gram.flat[:: len(gram) + 1] += np.float32(penalty)
    factor = linalg.cho_factor(gram.T, lower=True, overwrite_a=True, check_finite=False)  # the transpose is not copied
    solved: Floats = linalg.cho_solve(factor, signs, check_finite=False)
    return np.ascontiguousarray(solved, dtype=np.float32)


def sparse_matrix(rows: SparseRows) -> Any:
    """The rows as SciPy's matrix, float32 (n_rows, n_columns)."""
    return import_module("scipy.sparse").csr_matrix((rows.values, rows.columns, rows.starts), shape=(len(rows), rows.n_columns))


class Features:
    """The feature matrix X of n_rows: sparse columns, then dense columns, then the constant 1."""

    def __init__(self, sparse: SparseRows, dense: Floats) -> None:
        self._sparse = sparse_matrix(sparse)
        self._sparse_t: Any = self._sparse.T.tocsr()
        self._dense = np.hstack([dense, np.ones((len(dense), 1), dtype=np.float32)])
        self._n_sparse = sparse.n_columns
        self.n_rows, self.n_columns = len(sparse), sparse.n_columns + self._dense.shape[1]

    def times(self, weights: Floats) -> Floats:
        """X W: float32 (n_columns, n_outputs) → (n_rows, n_outputs)."""
        product: Floats = self._sparse @ weights[: self._n_sparse]
        product += self._dense @ weights[self._n_sparse :]
        return product

    def transposed_times(self, values: Floats) -> Floats:
        """Xᵀ V: float32 (n_rows, n_outputs) → (n_columns, n_outputs)."""
        product = np.empty((self.n_columns, values.shape[1]), dtype=np.float32)
        product[: self._n_sparse] = self._sparse_t @ values
        product[self._n_sparse :] = self._dense.T @ values
        return product


@dataclass(slots=True)
class _Problem:
    features: Features
    signs: Floats
    penalty: float

    def objective(self, weights: Floats, scores: Floats) -> float:
        slack = np.maximum(1 - self.signs * scores, 0)
        return float((slack * slack).sum(dtype=np.float64) + self.penalty * (weights * weights).sum(dtype=np.float64))


def fit_outputs(features: Features, signs: Floats, penalty: float) -> Floats:
    """Minimise Σ max(0, 1 − y xᵀw)² + penalty × ‖w‖² for each output; float32 (n_columns, n_outputs).

    Args:
        features: of the training rows.
        signs: float32 (n_rows, n_outputs), +1 or −1: what each output should say of each row.
        penalty: strength of the L2 penalty; what liblinear calls 1 / (2 C).

    Source: Keerthi & DeCoste 2005, "A modified finite Newton method for fast solution of large scale linear SVMs".
    """
    problem = _Problem(features, signs, penalty)
    weights = np.zeros((features.n_columns, signs.shape[1]), dtype=np.float32)
    scores = np.zeros_like(signs)
    active = np.ones(signs.shape, dtype=np.bool_)
    for _ in range(_N_NEWTON_STEPS):
        goal = _newton_goal(problem, weights, active)
        weights, scores = _best_on_the_way(problem, weights, scores, goal)
        now = signs * scores < 1
        if np.count_nonzero(now != active) <= _LEAST_CHANGE * active.size:
            break
        active = now
    return weights


def _newton_goal(problem: _Problem, start: Floats, active: NDArray[np.bool_]) -> Floats:
    """Where the penalised least-squares problem on the active pairs has its minimum, approached from `start`."""
    features, penalty = problem.features, np.float32(problem.penalty)

    def curvature(direction: Floats) -> Floats:
        product = features.transposed_times(features.times(direction) * active)
        product += penalty * direction
        return product

    wanted = features.transposed_times(active * problem.signs)
    point = start.copy()
    residual = wanted - curvature(point)
    direction = residual.copy()
    size = _squares(residual)
    enough = _LEAST_RESIDUAL**2 * _squares(wanted)
    for _ in range(_N_GRADIENT_STEPS):
        if (size <= enough).all():
            break
        curved = curvature(direction)
        step = size / np.maximum(_inner(direction, curved), np.float32(1e-20))
        point += step * direction
        residual -= step * curved
        before, size = size, _squares(residual)
        direction *= size / np.maximum(before, np.float32(1e-20))
        direction += residual
    return point


def _best_on_the_way(problem: _Problem, start: Floats, scores: Floats, goal: Floats) -> tuple[Floats, Floats]:
    """The goal, or a point half or a quarter of the way to it if the loss is lower there."""
    goal_scores = problem.features.times(goal)
    bound = problem.objective(start, scores)
    for _ in range(2):
        if problem.objective(goal, goal_scores) <= bound:
            break
        goal, goal_scores = _middle(start, goal), _middle(scores, goal_scores)
    return goal, goal_scores


def _middle(a: Floats, b: Floats) -> Floats:
    middle: Floats = (a + b) * np.float32(0.5)
    return middle


def _inner(a: Floats, b: Floats) -> Floats:
    products: Floats = np.einsum("ij,ij->j", a, b)
    return products


def _squares(a: Floats) -> Floats:
    return _inner(a, a)
