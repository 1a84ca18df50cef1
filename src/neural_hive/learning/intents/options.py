"""What can be chosen when intents are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: Called with what is being done and the share of the whole work that is done, in [0, 1].
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Everything that, with the rows, decides the model to the last byte.

    name, version, data_license, description: for the model card. encoder: see `load_encoder`. seed: of every random
    choice. acceptance: share of correctly labelled requests that the out-of-scope threshold lets through, in (0, 1].
    n_folds: parts of the cross-validation. n_exact: up to so many rows, the model is averaged with one that is solved exactly and
    compares with every training text; memory grows with the square of it, to about 2 GB. n_landmarks: training texts that others
    are compared with. sharpness: of these comparisons, exp(sharpness × (cosine − 1)). penalties, meaning_weights: candidates
    for the L2 penalty and for the weight of the sentence vector against the n-grams; the first is the default that another must
    clearly beat. n_choice_rows: rows used to compare candidates. part_weights: candidates for what the words that labels share count for.
    """

    name: str = "intents"
    version: str = "1"
    data_license: str = "not stated"
    description: str = ""
    encoder: str = "use"
    seed: int = 0
    acceptance: float = 0.99
    n_folds: int = 4
    n_exact: int = 16_384
    n_landmarks: int = 1_536
    sharpness: float = 2.0
    penalties: tuple[float, ...] = (1.67, 0.5)
    meaning_weights: tuple[float, ...] = (3.0, 1.5, 6.0)
    n_choice_rows: int = 3_000
    part_weights: tuple[float, ...] = (0.0, 0.15, 0.3)


def silent(_doing: str, _share: float) -> None:
    """Progress that nobody watches."""
