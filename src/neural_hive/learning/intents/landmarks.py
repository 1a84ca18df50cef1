"""Comparison with examples: how alike the meaning of a text is to some training texts, as features for a linear model."""

from __future__ import annotations

import numpy as np

from neural_hive.understanding.features import Floats

#: Directions of the landmarks' own likeness matrix weaker than this share of the strongest are rounding noise.
_LEAST_EIGENVALUE = 1e-5


def likeness(vectors: Floats, landmarks: Floats, sharpness: float) -> Floats:
    """exp(sharpness × (cosine − 1)), float32 (n_texts, n_landmarks), in (0, 1]: the Gaussian kernel on the unit sphere.

    Args:
        vectors: float32 (n_texts, n_dimensions), each of length 1.
        landmarks: float32 (n_landmarks, n_dimensions), each of length 1.
        sharpness: 1 / bandwidth².
    """
    cosines: Floats = vectors @ landmarks.T
    cosines -= 1
    cosines *= np.float32(sharpness)
    np.exp(cosines, out=cosines)
    return cosines


def choose_landmarks(vectors: Floats, n_landmarks: int, rng: np.random.Generator) -> Floats:
    """Different training vectors, drawn at random: float32 (≤ n_landmarks, n_dimensions), in their order."""
    distinct = np.sort(np.unique(vectors, axis=0, return_index=True)[1])
    n = min(n_landmarks, len(distinct))
    chosen: Floats = vectors[np.sort(rng.choice(distinct, n, replace=False))]
    return chosen


def whitening(landmarks: Floats, sharpness: float) -> Floats:
    """M, float32 (n_landmarks, n_features), so that rows of `likeness @ M` have the kernel as their inner product.

    Source: Williams & Seeger 2001, "Using the Nyström method to speed up kernel machines".
    """
    values, directions = np.linalg.eigh(likeness(landmarks, landmarks, sharpness).astype(np.float64))
    kept = values > _LEAST_EIGENVALUE * values[-1]
    matrix: Floats = (directions[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    return matrix
