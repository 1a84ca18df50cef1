"""Waveform → log-mel spectrogram, in numpy: the picture of sound that Whisper was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
#: Source: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", section 2.2 (25 ms windows
#: every 10 ms) and openai/whisper `audio.py`.
N_FFT, HOP = 400, 160
FRAMES_PER_S = SAMPLE_RATE_HZ // HOP
_FLOOR, _DYNAMIC_RANGE = 1e-10, 8.0


def mel_filters(n_mels: int) -> NDArray[np.float32]:
    """Slaney's mel filter bank: float32 (n_mels, n_fft // 2 + 1), each triangle of unit area in Hz.

    Source: Slaney 1998, Auditory Toolbox; linear below 1 kHz (200/3 Hz per mel), logarithmic above (ln 6.4 / 27).
    """
    bins = np.fft.rfftfreq(N_FFT, 1.0 / SAMPLE_RATE_HZ)
    mels = np.linspace(0.0, 15.0 + np.log(8_000 / 1_000.0) / (np.log(6.4) / 27.0), n_mels + 2)
    hz = np.where(mels < 15.0, mels * 200.0 / 3, 1_000.0 * np.exp((mels - 15.0) * np.log(6.4) / 27.0))
    ramps = hz[:, None] - bins[None, :]
    widths = np.diff(hz)[:, None]
    triangles = np.maximum(0.0, np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]))
    bank: NDArray[np.float32] = (triangles * (2.0 / (hz[2:] - hz[:-2]))[:, None]).astype(np.float32)
    return bank


class LogMel:
    """Computes log-mel spectrograms; keeps its window and filter bank, and reads only the bins they touch."""

    def __init__(self, n_mels: int = 80) -> None:
        self._window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
        self._filters = np.ascontiguousarray(mel_filters(n_mels).T)
        self.n_mels = n_mels

    def __call__(self, waveform: NDArray[np.float32], window_s: float) -> NDArray[np.float32]:
        """The spectrogram of `waveform`, padded with silence to `window_s`.

        Args:
            waveform: float32 (n_samples,), mono, 16 kHz, in [-1, 1].
            window_s: Length of the result in seconds, a multiple of 0.02; a longer waveform is cut.

        Returns:
            float32 (1, n_mels, 100 · window_s): log10 power, at most 8 decades below its maximum, scaled to about
            [-1, 1.5].
        """
        n_frames = round(window_s * FRAMES_PER_S)
        heard = waveform[: n_frames * HOP]
        n_heard = min(n_frames, len(heard) // HOP + 3)
        # Past the end of the recording every frame is the same floor, so it needs no transform.
        # The last samples are mirrored only when the window is full, as in the reference.
        padding = n_heard * HOP + N_FFT // 2 - len(heard)
        edge = np.pad(heard, (N_FFT // 2, 0), mode="reflect") if len(heard) > N_FFT // 2 else np.pad(heard, (N_FFT // 2, 0))
        padded = np.pad(edge, (0, max(0, padding)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP][:n_heard]
        power = np.abs(np.fft.rfft(frames * self._window, axis=-1)) ** 2
        mel = np.full((n_frames, self.n_mels), _FLOOR, np.float32)
        mel[:n_heard] = np.maximum(power.astype(np.float32) @ self._filters, _FLOOR)
        log = np.log10(mel)
        scaled: NDArray[np.float32] = (np.maximum(log, log.max() - _DYNAMIC_RANGE) + 4.0) / 4.0
        return np.ascontiguousarray(scaled.T[None], dtype=np.float32)
