"""Where in a recording somebody speaks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from neural_hive.errors import ModelError

SAMPLE_RATE_HZ = 16_000
#: What the network reads at a time and remembers of the piece before. Source: snakers4/silero-vad, `utils_vad.py`.
FRAME, CONTEXT = 512, 64
_SHA256 = "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2"
_FRAMES_PER_RUN = 2_000


class Span(NamedTuple):
    """A stretch of samples: [start, end)."""

    start: int
    end: int

    @property
    def n_samples(self) -> int:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True)
class VadOptions:
    """What counts as speech. Source of the defaults: snakers4/silero-vad `get_speech_timestamps`, except where said.

    Attributes:
        threshold: Probability in [0, 1] at which speech begins.
        release: Probability below which it may end.
        min_speech_s: Shorter spans are dropped, seconds.
        min_silence_s: A shorter pause does not end a span, seconds.
        pad_s: Kept before and after each span, seconds; Whisper needs the soft edges of words.
        min_peak: A span must reach this probability once; music and noise hover below it (measured,
            docs/explanation/speech.md).
    """

    threshold: float = 0.5
    release: float = 0.35
    min_speech_s: float = 0.1
    min_silence_s: float = 0.5
    pad_s: float = 0.4
    min_peak: float = 0.7


class VoiceActivityDetector:
    """Silero VAD by onnxruntime on one thread; keeps no state between recordings."""

    def __init__(self, path: Path | None = None) -> None:
        """Load the network that ships with the package.

        Raises:
            ModelError: the file is missing or is not the one that was measured.
        """
        file = path or Path(__file__).with_name("silero_vad_v6.onnx")
        try:
            model = file.read_bytes()
        except OSError as error:
            raise ModelError(f"The voice detector {file.name} is missing.") from error
        if path is None and hashlib.sha256(model).hexdigest() != _SHA256:
            raise ModelError(f"The voice detector {file.name} is damaged.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def probabilities(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of speech per 32 ms: float32 (⌈n_samples / 512⌉,) in [0, 1].

        Args:
            waveform: float32 (n_samples,), mono, 16 kHz, in [-1, 1].
        """
        n_frames = -(-len(waveform) // FRAME)
        frames = np.pad(waveform, (0, n_frames * FRAME - len(waveform))).reshape(n_frames, FRAME)
        before = np.vstack([np.zeros((1, CONTEXT), np.float32), frames[:-1, -CONTEXT:]])[:n_frames]
        pieces = np.concatenate([before, frames], axis=1)
        h = c = np.zeros((1, 1, 128), np.float32)
        found = [np.zeros(0, np.float32)]
        for at in range(0, n_frames, _FRAMES_PER_RUN):
            out, h, c = self._session.run(None, {"input": pieces[at : at + _FRAMES_PER_RUN], "h": h, "c": c})
            found.append(np.asarray(out, np.float32).reshape(-1))
        return np.concatenate(found)

    def spans(self, waveform: NDArray[np.float32], options: VadOptions | None = None) -> list[Span]:
        """Stretches of speech in order, padded, never overlapping; none for silence, noise and music."""
        chosen = options or VadOptions()
        return pad(speech(self.probabilities(waveform), chosen), len(waveform), round(chosen.pad_s * SAMPLE_RATE_HZ))


def speech(probabilities: NDArray[np.float32], options: VadOptions) -> list[Span]:
    """Runs of speech by hysteresis: begins at `threshold`, ends where it stays below `release` for `min_silence_s`."""
    min_silence, min_speech = (s * SAMPLE_RATE_HZ / FRAME for s in (options.min_silence_s, options.min_speech_s))
    found: list[tuple[int, int]] = []
    start: int | None = None
    last = 0
    for i, probability in enumerate(probabilities.tolist()):
        if start is None:
            start, last = (i, i) if probability >= options.threshold else (None, i)
        elif probability >= options.release:
            last = i
        elif i - last > min_silence:
            found.append((start, last + 1))
            start = None
    if start is not None:
        found.append((start, last + 1))
    heard = ((a, b) for a, b in found if b - a >= min_speech and probabilities[a:b].max() >= options.min_peak)
    return [Span(a * FRAME, b * FRAME) for a, b in heard]


def pad(spans: Sequence[Span], n_samples: int, padding: int) -> list[Span]:
    """Widen every span by `padding` samples on each side, by half the pause where two would meet."""
    out: list[Span] = []
    for i, span in enumerate(spans):
        before = spans[i - 1].end if i else -padding * 2
        after = spans[i + 1].start if i + 1 < len(spans) else n_samples + padding * 2
        start = max(0, span.start - min(padding, (span.start - before) // 2))
        end = min(n_samples, span.end + min(padding, (after - span.end) // 2))
        out.append(Span(start, end))
    return out


def group(spans: Sequence[Span], *, max_s: float, max_pause_s: float) -> list[Span]:
    """Join neighbours into windows of at most `max_s`, never over a pause longer than `max_pause_s`.

    Cut what is longer still.
    """
    limit, pause = round(max_s * SAMPLE_RATE_HZ), round(max_pause_s * SAMPLE_RATE_HZ)
    out: list[Span] = []
    for span in spans:
        for start in range(span.start, span.end, limit):
            piece = Span(start, min(span.end, start + limit))
            if out and piece.start - out[-1].end <= pause and piece.end - out[-1].start <= limit and piece.start == span.start:
                out[-1] = Span(out[-1].start, piece.end)
            else:
                out.append(piece)
    return out
