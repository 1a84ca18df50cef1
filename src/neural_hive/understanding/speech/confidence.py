"""How far a word, and a whole transcript, can be trusted: log-probabilities → calibrated probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Logistic:
    """σ(bias + weights · features). Source: Platt 1999, "Probabilistic Outputs for Support Vector Machines"."""

    bias: float
    weights: tuple[float, ...]

    def __call__(self, features: Sequence[float]) -> float:
        """Probability in [0, 1]."""
        z = self.bias + sum(w * x for w, x in zip(self.weights, features, strict=True))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


#: Fitted by `python -P benchmarks/speech.py --fit-confidence` on 65 development clips, each clean and in two of five kinds of bad
#: sound: 1,743 words (a word is right if it aligns with the same word of the reference) and 195 readings (right if at most a
#: tenth of their words is wrong). Calibration errors over ten folds of clips: docs/explanation/speech.md.
WORD = Logistic(4.22, (1.938, 2.333, -2.791))
UTTERANCE = Logistic(-5.153, (-2.044,))


def word_features(logprobs: Sequence[float], avg_logprob: float, cost: float) -> tuple[float, float, float]:
    """Least log-probability of the word's tokens, the mean of the whole reading, and what the word costs for being rare."""
    return min(logprobs), avg_logprob, cost


def word_confidence(logprobs: Sequence[float], avg_logprob: float, cost: float) -> float:
    """Probability in [0, 1] that the word is right; 0 for a word without tokens.

    Args:
        logprobs: Of its tokens, natural.
        avg_logprob: Of the whole reading, per token.
        cost: `rarity.WordCost` of the word, ≥ 0.
    """
    return WORD(word_features(logprobs, avg_logprob, cost)) if logprobs else 0.0


def utterance_features(word_confidences: Sequence[float]) -> tuple[float]:
    """The natural logarithm of the share of words that is expected to be wrong."""
    expected_wrong = sum(1 - score for score in word_confidences) / max(1, len(word_confidences))
    return (math.log(max(1e-4, expected_wrong)),)


def utterance_confidence(word_confidences: Sequence[float]) -> float:
    """Probability in [0, 1] that at most a tenth of the words is wrong, so none of fewer than ten; 0 without words.

    A share, since that every word is right grows unlikely with their number: each long intent would be doubted.
    """
    return UTTERANCE(utterance_features(word_confidences)) if word_confidences else 0.0
