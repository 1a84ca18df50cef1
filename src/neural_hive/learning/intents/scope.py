"""Whether a text asks for anything the model knows: learnt from known classes that were hidden, never from outside texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_hive.learning.intents.calibrate import Doubles
from neural_hive.learning.intents.linear import Scored

#: What is looked at; each rises with the likelihood that the text is in scope.
SIGNALS = (
    "top score",
    "lead over the second",
    "energy",
    "likeness to an example",
    "known words",
    "known pairs",
    "known characters",
)
#: Key of the threshold for a language that has none of its own.
ANY_LANGUAGE = ""
#: Fewer rows than this say too little about the tail of a language.
_LEAST_ROWS = 100
_RIDGE = 1.0
#: A signal that hardly varies in the data still may a little, in its own unit (scores and shares are of the order of 1).
_LEAST_SCALE = 0.02
_N_STEPS = 30


def signals(scored: Scored, temperature: float) -> Doubles:
    """float64 (n_texts, n_signals), in the order of `SIGNALS`.

    The energy is temperature × logsumexp(scores / temperature). Source: Liu et al. 2020, "Energy-based
    out-of-distribution detection". Likeness to the nearest example: Sun et al. 2022, "Out-of-distribution detection with
    deep nearest neighbors".
    """
    scores = scored.scores.astype(np.float64)
    top_two = np.sort(scores, axis=1)[:, -2:]
    second, top = top_two[:, 0], top_two[:, -1]
    energy = top + temperature * np.log(np.exp((scores - top[:, None]) / temperature).sum(axis=1))
    return np.column_stack([top, top - second, energy, scored.nearest, scored.known])


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """A weighted sum of standardised signals, and the least sum that is in scope.

    mean, scale, weights: float64 (n_signals,). thresholds: by language; `ANY_LANGUAGE` is always there.
    """

    mean: Doubles
    scale: Doubles
    weights: Doubles
    thresholds: Mapping[str, float]

    def score(self, found: Doubles) -> Doubles:
        """float64 (n_texts,): the higher, the surer that the text is in scope."""
        total: Doubles = (found - self.mean) / self.scale @ self.weights
        return total

    def threshold(self, language: str) -> float:
        """Least score that is in scope for this language."""
        return self.thresholds.get(language, self.thresholds[ANY_LANGUAGE])


@dataclass(frozen=True, slots=True)
class Sample:
    """Texts that a model has not been trained on. found: float64 (n_texts, n_signals). languages: one per text."""

    found: Doubles
    languages: Sequence[str]


def fit_scope(inside: Sample, outside: Sample, acceptance: float) -> ScopeRule:
    """Learn the rule.

    Args:
        inside: texts of known classes that were labelled correctly.
        outside: texts of classes that were hidden from the model; may be empty, then every signal counts the same.
        acceptance: share of `inside` that must stay in scope, per language.
    """
    mean, scale = inside.found.mean(axis=0), np.maximum(inside.found.std(axis=0), _LEAST_SCALE)
    if len(outside.found):
        weights = _signal_weights((inside.found - mean) / scale, (outside.found - mean) / scale)
    else:
        weights = np.ones(len(mean)) / len(mean)
    rule = ScopeRule(mean, scale, weights, {})
    return ScopeRule(mean, scale, weights, _thresholds(rule.score(inside.found), inside.languages, acceptance))


def _thresholds(scores: Doubles, languages: Sequence[str], acceptance: float) -> dict[str, float]:
    named = np.asarray(languages)
    found = {ANY_LANGUAGE: float(np.quantile(scores, 1 - acceptance))}
    for language in sorted(set(languages) - {ANY_LANGUAGE}):
        own = scores[named == language]
        if len(own) >= _LEAST_ROWS:
            found[language] = float(np.quantile(own, 1 - acceptance))
    return found


def _signal_weights(inside: Doubles, outside: Doubles) -> Doubles:
    """Logistic regression; a signal whose weight would point the wrong way is left out."""
    used = np.ones(inside.shape[1], dtype=np.bool_)
    while True:
        weights = np.zeros(inside.shape[1])
        weights[used] = _logistic(inside[:, used], outside[:, used])
        if (weights >= 0).all():
            return weights if weights.any() else np.ones(len(weights)) / len(weights)
        used &= weights > 0


def _logistic(inside: Doubles, outside: Doubles) -> Doubles:
    """Ridge logistic regression by Newton's method; both sides weigh the same. float64 (n_signals,).

    Source: Hastie, Tibshirani & Friedman 2009, "The elements of statistical learning", section 4.4.1.
    """
    x = np.vstack([inside, outside])
    x = np.column_stack([x, np.ones(len(x))])
    y = np.concatenate([np.ones(len(inside)), np.zeros(len(outside))])
    share = np.where(y == 1, 0.5 / len(inside), 0.5 / len(outside)) * len(x)
    ridge = np.diag([_RIDGE] * inside.shape[1] + [1e-6])
    weights = np.zeros(x.shape[1])
    for _ in range(_N_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (share * (p - y)) + ridge @ weights
        curvature = (x * (share * np.maximum(p * (1 - p), 1e-6))[:, None]).T @ x + ridge
        step = np.linalg.solve(curvature, slope)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights[:-1]


def area_under_roc(inside: Doubles, outside: Doubles) -> float:
    """Probability that a text in scope scores higher than one out of scope; ties count half. 0.5 if there are none."""
    if not len(inside) or not len(outside):
        return 0.5
    both = np.concatenate([inside, outside])
    _, number, sizes = np.unique(both, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(sizes) - (sizes - 1) / 2)[number]
    return float((ranks[: len(inside)].sum() - len(inside) * (len(inside) + 1) / 2) / (len(inside) * len(outside)))
