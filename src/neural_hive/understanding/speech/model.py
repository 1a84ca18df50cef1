"""Whisper in memory: two inference sessions and the calls that the decoding loop needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from neural_hive.understanding.speech.checkpoint import Checkpoint
from neural_hive.understanding.speech.compiled import fingerprint, graph
from neural_hive.understanding.speech.features import LogMel
from neural_hive.understanding.speech.network import decoder_graph, encoder_graph
from neural_hive.understanding.speech.tokens import Tokens

#: Beam candidates wanted per hypothesis: the beam and one that may end. Source: openai/whisper
#: `BeamSearchDecoder.update`.
N_BEST = 6
#: Seconds of sound per encoder position. Source: openai/whisper, conv2 has stride 2 over 10 ms frames.
POSITION_S = 0.02
MAX_WINDOW_S = 30.0
_DIGIT = re.compile("[0-9]")


@dataclass(frozen=True)
class Memory:
    """One encoded window.

    `feeds` holds cross-attention keys and values by input name, float32 (n_heads, n_positions, d_head).
    """

    feeds: dict[str, Any]
    n_positions: int


@dataclass
class Past:
    """Keys and values of every token fed so far, of all hypotheses, by input name.

    Float32 (n_heads, n_past, d_head).
    """

    feeds: dict[str, Any]
    n_past: int = 0


@dataclass(frozen=True)
class Step:
    """What one decoder step says.

    Attributes:
        best: float32 (n_rows, N_BEST) natural log-probabilities, best first.
        best_index: int64 (n_rows, N_BEST) positions in `Tokens.sayable`.
        attention: float32 (n_alignment_heads, n, n_positions), each row sums to 1.
        log_probs: float32 (n_rows, n_sayable).
    """

    best: NDArray[np.float32]
    best_index: NDArray[np.int64]
    attention: NDArray[np.float32]
    log_probs: NDArray[np.float32]


class WhisperModel:
    """A loaded checkpoint. Nothing in it changes, so that several threads may read with it at once.

    Attributes:
        tokens: The vocabulary.
        mel: Sound → spectrogram.
        n_context: Most tokens that fit into the decoder.
        begin_suppressed, numerals: bool (n_sayable,): what must not come first; what holds a digit.
        opening: ids of the tokens that begin with a space, and so a word.
        ends_word: bool (n_sayable,): those, and the end of the text.
        n_threads: Threads of one call, and calls that are worth making at once.
        name: Name of the directory and hash of the weights.
    """

    def __init__(self, directory: Path, *, n_threads: int = 2) -> None:
        """Read, quantise and pack the weights.

        Raises:
            ModelError: the directory holds no usable Whisper.
        """
        checkpoint = Checkpoint(directory)
        config = checkpoint.config
        self.tokens = Tokens(directory, checkpoint.vocabulary, config.get("suppress_ids", []))
        n_heads = int(checkpoint.raw("encoder/num_heads"))
        version = fingerprint(directory)
        encoder = graph(directory, "encoder", version, lambda: encoder_graph(checkpoint, n_heads))
        sayable = self.tokens.sayable
        decoder = graph(directory, "decoder", version, lambda: decoder_graph(checkpoint, n_heads, sayable, N_BEST))
        self.n_threads = n_threads
        self._encoder = _session(encoder, n_threads)
        self._decoder = _session(decoder, n_threads)
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix="step")
        self._embeddings = checkpoint.raw("decoder/embeddings/weight")
        self._decoder_positions = checkpoint.float32("decoder/position_encodings/encodings")
        self._encoder_positions = checkpoint.float32("encoder/position_encodings/encodings")
        self.mel = LogMel(int(checkpoint.raw("encoder/conv1/weight").shape[1]))
        self.n_context = len(self._decoder_positions)
        self._shape = (n_heads, 0, self._embeddings.shape[1] // n_heads)
        self._memory_names = [o.name for o in self._encoder.get_outputs()]
        self._step_names = [o.name for o in self._decoder.get_outputs()]
        self._kept = [n for n in self._step_names if n.startswith(("key_", "value_"))]
        self.begin_suppressed = np.isin(self.tokens.sayable, config.get("suppress_ids_begin", []))
        self.numerals = np.array([_DIGIT.search(checkpoint.vocabulary[i]) is not None for i in sayable.tolist()])
        self.opening = frozenset(i for i in sayable.tolist() if checkpoint.vocabulary[i].startswith("Ġ"))
        self.ends_word = np.isin(sayable, [*self.opening, self.tokens.eot])
        self.name = f"{directory.name}@{version}"

    def encode(self, waveform: NDArray[np.float32], window_s: float) -> Memory:
        """Encode `waveform` (float32 (n_samples,), mono, 16 kHz) padded with silence to `window_s` ≤ 30 seconds."""
        mel = self.mel(waveform, window_s)
        n_positions = mel.shape[-1] // 2
        feeds = {"mel": mel, "positions": self._encoder_positions[:n_positions]}
        values = self._encoder.run_with_ort_values(self._memory_names, {k: _value(v) for k, v in feeds.items()})
        return Memory(dict(zip(self._memory_names, values, strict=True)), n_positions)

    def at_once(self, step: Callable[[Memory, Past], Step], memories: Sequence[Memory], pasts: Sequence[Past]) -> list[Step]:
        """`step` of every memory with its past: of several on several threads, since a small step does not fill two cores."""
        if len(memories) == 1:
            return [step(memories[0], pasts[0])]
        return list(self._threads.map(step, memories, pasts))

    def start(self) -> Past:
        """An empty past."""
        empty = np.zeros(self._shape, np.float32)
        return Past({f"past_{name}": _value(empty) for name in self._kept})

    def step(
        self,
        memory: Memory,
        past: Past,
        tokens: NDArray[np.int64],
        positions: NDArray[np.int64],
        mask: NDArray[np.float32],
        bias: NDArray[np.float32],
        *,
        rows: NDArray[np.int64] | None = None,
    ) -> Step:
        """Feed tokens and extend `past` with them.

        Args:
            memory: The encoded window.
            past: What was fed before; changed in place.
            tokens: int64 (n,) vocabulary ids.
            positions: int64 (n,) place of each token in its hypothesis, from 0.
            mask: float32 (n, n_past + n), 0 where a row may look, -inf elsewhere.
            bias: float32 (n_sayable,) added to the logits; -inf forbids.
            rows: int64 (r,) which of the n rows to predict from; all by default.
        """
        x = self._embeddings[tokens].astype(np.float32) + self._decoder_positions[positions]
        wanted = np.arange(len(tokens)) if rows is None else rows
        own = {"x": x, "mask": mask, "rows": wanted, "bias": bias}
        feeds = {name: _value(array) for name, array in own.items()} | past.feeds | memory.feeds
        values = self._decoder.run_with_ort_values(self._step_names, feeds)
        out = dict(zip(self._step_names, values, strict=True))
        past.feeds = {f"past_{name}": out[name] for name in self._kept}
        past.n_past += len(tokens)
        return Step(*(out[name].numpy() for name in ("best", "best_index", "attention", "log_probs")))


def _value(array: NDArray[Any]) -> Any:
    return onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array))


def _session(model: str | bytes, n_threads: int) -> Any:
    """A session on the CPU. Waiting threads sleep: spinning takes the cores from whatever else runs, the other session first."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = n_threads
    # Every step has another shape: a plan of memory kept for each would grow with the shapes seen.
    options.enable_mem_pattern = False
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
