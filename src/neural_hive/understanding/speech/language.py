"""Which language a recording is in, from the same short encoding that is then decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_hive.understanding.speech.tokens import Tokens

SUPPORTED = ("pt", "en", "es")
#: Another language is named only if the model gives it this much and ours together less than the second number.
_FOREIGN, _OURS = 0.5, 0.3
#: Whisper base calls short or accented Spanish and Portuguese Italian, Latin or Galician with up to 0.9 (8 of our 65
#: clips in faster-whisper), and nine Italian recordings of 2 to 22 s Italian with 0.993 or more: a neighbour must be near
#: certain, over a short stretch all the more. Source: measured, docs/explanation/speech.md.
NEIGHBOURS = frozenset({"gl", "ca", "it", "la", "oc", "ro", "ht", "tl"})
_NEIGHBOUR, _NEIGHBOUR_SHORT, _SHORT_S = 0.95, 0.98, 5.0


@dataclass(frozen=True)
class Heard:
    """The language chosen, its probability among all, and whether it is one of ours."""

    language: str
    probability: float
    is_supported: bool


def probabilities(log_probs: NDArray[np.float32], tokens: Tokens) -> dict[str, float]:
    """Language code → probability in [0, 1], sum 1, from the prediction after the first token.

    Args:
        log_probs: float32 (n_sayable,), natural.
        tokens: The vocabulary.
    """
    codes = list(tokens.languages)
    at = np.searchsorted(tokens.sayable, [tokens.languages[code] for code in codes])
    weights = np.exp(log_probs[at] - log_probs[at].max())
    return dict(zip(codes, (weights / weights.sum()).tolist(), strict=True))


def choose(found: Mapping[str, float], duration_s: float, hint: str | None = None) -> Heard:
    """The caller's word if given, else the likeliest of ours, unless another language is clearly spoken.

    Args:
        found: Language code → probability in [0, 1].
        duration_s: Length of the speech, seconds.
        hint: The caller's word: pt, en or es.
    """
    if hint is not None:
        return Heard(hint, min(1.0, found.get(hint, 0.0)), hint in SUPPORTED)
    ours = {code: found.get(code, 0.0) for code in SUPPORTED}
    total = sum(ours.values())
    top = max(found, key=lambda code: found[code])
    needed = _needed(top, duration_s)
    if top not in ours and found[top] >= needed and total < _OURS:
        return Heard(top, min(1.0, found[top]), is_supported=False)
    best = max(ours, key=lambda code: ours[code])
    return Heard(best, min(1.0, ours[best] / total) if total > 0 else 0.0, is_supported=True)


def _needed(code: str, duration_s: float) -> float:
    """Probability in [0, 1] at which another language is believed."""
    if code not in NEIGHBOURS:
        return _FOREIGN
    return _NEIGHBOUR if duration_s >= _SHORT_S else _NEIGHBOUR_SHORT
