"""Scores → probabilities that mean what they say, and how far off they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_hive.understanding.features import Floats, Integers

_N_BINS = 15
_LOWEST, _HIGHEST = 0.05, 5.0
_GOLDEN = (5**0.5 - 1) / 2
_N_HALVINGS = 40

Doubles = NDArray[np.float64]


def probabilities(scores: Floats, temperature: float) -> Doubles:
    """softmax(scores / temperature), float64 (n_texts, n_classes); a score of −∞ gets 0."""
    scaled = scores.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    return scaled


def log_loss(scores: Floats, truth: Integers, temperature: float) -> float:
    """Mean of −ln p(truth), in nats."""
    chosen = probabilities(scores, temperature)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def fit_temperature(scores: Floats, truth: Integers) -> float:
    """The temperature of least log loss, by golden-section search on its logarithm.

    Args:
        scores: float32 (n_texts, n_classes) of texts that the model was not trained on.
        truth: int64 (n_texts,).

    One more text is counted whose answer is wrong, so that a handful of right answers teaches no certainty.

    Source: Guo et al. 2017, "On calibration of modern neural networks", ICML; Platt 1999, "Probabilistic outputs for
    support vector machines", for targets short of certainty.
    """
    below = scores.astype(np.float64)
    below -= below.max(axis=1, keepdims=True)
    others = below.copy()
    others[np.arange(len(truth)), truth] = -np.inf
    told = len(truth) * below[np.arange(len(truth)), truth].mean() + others.max(axis=1).mean()

    def loss(temperature: float) -> float:
        return float((len(truth) + 1) * np.log(np.exp(below / temperature).sum(axis=1)).mean() - told / temperature)

    low, high = np.log(_LOWEST), np.log(_HIGHEST)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    loss_left, loss_right = (loss(float(np.exp(at))) for at in (left, right))
    for _ in range(_N_HALVINGS):
        if loss_left <= loss_right:
            high, right, loss_right = right, left, loss_left
            left = high - _GOLDEN * (high - low)
            loss_left = loss(float(np.exp(left)))
        else:
            low, left, loss_left = left, right, loss_right
            right = low + _GOLDEN * (high - low)
            loss_right = loss(float(np.exp(right)))
    return float(np.exp((low + high) / 2))


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence: n of them, their mean confidence and the share that is right."""

    n: int
    confidence: float
    accuracy: float


def reliability(confidence: Doubles, is_right: NDArray[np.bool_], n_bins: int = _N_BINS) -> list[Bin]:
    """Bins of equal width over [0, 1]; empty ones are left out."""
    place = np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)
    chosen = [place == at for at in range(n_bins)]
    return [Bin(int(c.sum()), float(confidence[c].mean()), float(is_right[c].mean())) for c in chosen if c.any()]


def expected_calibration_error(confidence: Doubles, is_right: NDArray[np.bool_], n_bins: int = _N_BINS) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by their size, in [0, 1].

    Source: Naeini, Cooper & Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning", AAAI.
    """
    bins = reliability(confidence, is_right, n_bins)
    n = sum(b.n for b in bins)
    return sum(b.n * abs(b.confidence - b.accuracy) for b in bins) / n if n else 0.0
