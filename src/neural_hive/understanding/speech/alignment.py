"""When each word was said: dynamic time warping over the decoder's attention."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neural_hive.understanding.speech.model import POSITION_S

_MEDIAN_WIDTH = 7


def token_times(attention: NDArray[np.float32], duration_s: float) -> NDArray[np.float64]:
    """Boundaries of tokens in seconds: float64 (n_tokens + 1,), non-decreasing, in [0, duration_s].

    Source: openai/whisper `timing.py` (normalise each head, median filter of width 7, mean, dynamic time warping).

    Args:
        attention: float32 (n_heads, n_tokens, n_positions), rows sum to 1.
        duration_s: Length of the sound within the window, seconds.
    """
    n_tokens = attention.shape[1]
    n_heard = min(attention.shape[2], max(n_tokens + 1, int(duration_s / POSITION_S)))
    heard = attention[:, :, :n_heard]
    heard = heard / np.maximum(heard.sum(axis=-1, keepdims=True), 1e-9)
    spread = heard.std(axis=1, keepdims=True)
    cost = -_median((heard - heard.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-9)).mean(axis=0)
    rows, columns = _warp(cost.astype(np.float64))
    first = np.searchsorted(rows, np.arange(n_tokens))
    times: NDArray[np.float64] = np.minimum(np.append(columns[first] * POSITION_S, duration_s), duration_s)
    return times


def _median(attention: NDArray[np.float32]) -> NDArray[np.float32]:
    half = _MEDIAN_WIDTH // 2
    if attention.shape[-1] <= half:
        return attention
    padded = np.pad(attention, ((0, 0), (0, 0), (half, half)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN_WIDTH, axis=-1)
    middle: NDArray[np.float32] = np.partition(windows, half, axis=-1)[..., half]
    return middle


def _warp(cost: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cheapest monotone path through `cost` (n_tokens, n_positions): its rows and columns, in order."""
    n_rows, n_columns = cost.shape
    total = np.full((n_rows + 1, n_columns + 1), np.inf)
    total[0, 0] = 0
    came = np.zeros((n_rows + 1, n_columns + 1), np.int8)
    # Cells of one antidiagonal depend only on the two before, so each is done at once.
    for diagonal in range(2, n_rows + n_columns + 1):
        i = np.arange(max(1, diagonal - n_columns), min(n_rows, diagonal - 1) + 1)
        j = diagonal - i
        options = np.stack([total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]])
        choice = options.argmin(axis=0)
        came[i, j] = choice
        total[i, j] = cost[i - 1, j - 1] + options.min(axis=0)
    return _trace(came, n_rows, n_columns)


def _trace(came: NDArray[np.int8], i: int, j: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    path = []
    while i > 0 and j > 0:
        path.append((i - 1, j - 1))
        move = came[i, j]
        i, j = i - (move in (0, 1)), j - (move in (0, 2))
    forward = np.array(path[::-1], np.int64).reshape(-1, 2)
    return forward[:, 0], forward[:, 1]
