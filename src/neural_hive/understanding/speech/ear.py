"""The hive's ear: recordings in, transcripts out, by one bounded worker process that exists only while it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_hive.contracts import Transcript
from neural_hive.errors import OverloadedError, UnavailableError, UnsupportedLanguageError
from neural_hive.understanding.audio import AudioLimits, check_size
from neural_hive.understanding.speech.language import SUPPORTED
from neural_hive.understanding.speech.process import Request, SpeechProcess, WorkerLimits
from neural_hive.understanding.speech.weights import resolve

Progress = Callable[[float], None]
_MAX_TERMS, _MAX_TERM_CHARS = 2_000, 60


@dataclass(frozen=True)
class EarOptions:
    """How the ear behaves.

    Attributes:
        max_waiting: Requests accepted at once, the running one included; more are shed.
        idle_s: Seconds without work after which the worker and its memory are given back.
        max_jobs: Requests after which the worker is replaced, so that nothing can accumulate in it.
        limits: Bounds of the worker.
        audio: Bounds of a recording.
    """

    max_waiting: int = 8
    idle_s: float = 300.0
    max_jobs: int = 500
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    audio: AudioLimits = field(default_factory=AudioLimits)


class Ear:
    """Transcribes recordings one at a time; the first request starts the worker, idleness ends it.

    Safe for any number of concurrent callers on one event loop. A cancelled caller leaves the queue, or its running
    request ends unheard. The worker is killed when it exceeds its limits and started again for the next request.
    """

    def __init__(self, model: str | Path = "whisper-base", options: EarOptions | None = None) -> None:
        """Args: model: a known name or a directory with a CTranslate2 Whisper model; looked up at the first request."""
        self._model, self.options = model, options or EarOptions()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ear")
        self._process: SpeechProcess | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._n_waiting = 0
        self._mean_s = 1.0
        self._is_closed = False

    @property
    def n_waiting(self) -> int:
        """Requests accepted and not answered, the running one included."""
        return self._n_waiting

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, None while there is none."""
        return self._process.pid if self._process and self._process.is_alive() else None

    async def transcribe(
        self,
        audio: bytes,
        *,
        language: str | None = None,
        vocabulary: Sequence[str] = (),
        word_times: bool = False,
        progress: Progress | None = None,
    ) -> Transcript:
        """What is said in a recording.

        Args:
            audio: The bytes of a WAV, FLAC, MP3, AAC, OGG, Opus, M4A, WebM or AIFF file.
            language: pt, en or es when the caller knows it; otherwise it is chosen among them.
            vocabulary: Terms of the domain as they should be written; at most 2,000 of at most 60 characters are used.
            word_times: Whether segments list their words with times and confidence.
            progress: Called on the event loop with the share in [0, 1] that is done; on long recordings several times.

        Returns:
            The transcript. Nobody speaking is a value (`has_speech` false), and so is another language (`language`
            names it, `text` is empty).

        Raises:
            AudioRejectedError: the bytes are no usable recording; sending them again fails again.
            UnsupportedLanguageError: `language` is none of pt, en, es.
            OverloadedError: too many requests wait; retry after `retry_after_s`.
            ModelError: the model is missing or damaged.
            UnavailableError: the worker failed; a retry is safe.
        """
        check_size(audio, self.options.audio)
        return await self._submit(Request(audio, False, *_wishes(language, vocabulary, word_times)), progress)

    async def transcribe_samples(
        self,
        samples: NDArray[np.float32],
        *,
        language: str | None = None,
        vocabulary: Sequence[str] = (),
        word_times: bool = False,
    ) -> Transcript:
        """The same for sound that is already float32 (n_samples,), mono, 16 kHz, in [-1, 1]; for streams."""
        body = np.ascontiguousarray(samples, np.float32).tobytes()
        return await self._submit(Request(body, True, *_wishes(language, vocabulary, word_times)), None)

    async def transcribe_path(
        self,
        path: Path,
        *,
        language: str | None = None,
        vocabulary: Sequence[str] = (),
        word_times: bool = False,
        progress: Progress | None = None,
    ) -> Transcript:
        """The same for a file, with `progress` for long ones.

        Raises:
            OSError: the file cannot be read. Otherwise as `transcribe`.
        """
        audio = await asyncio.to_thread(_read, path, self.options.audio.max_bytes)
        return await self.transcribe(audio, language=language, vocabulary=vocabulary, word_times=word_times, progress=progress)

    async def warm(self) -> None:
        """Start the worker now, so that the first request does not wait for it. Raises as `transcribe`."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._ready)

    async def close(self) -> None:
        """End the worker after the running request; further requests are refused. Safe to call twice."""
        self._is_closed = True
        if self._idle:
            self._idle.cancel()
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
        self._release()

    async def _submit(self, request: Request, progress: Progress | None) -> Transcript:
        if self._is_closed:
            raise UnavailableError("The ear is closed.")
        if self._n_waiting >= self.options.max_waiting:
            raise OverloadedError(retry_after_s=max(1.0, self._mean_s * self._n_waiting))
        loop = asyncio.get_running_loop()
        self._n_waiting += 1
        if self._idle:
            self._idle.cancel()
        running = self._thread.submit(self._run, request, _teller(loop, progress))
        running.add_done_callback(lambda _: _call(loop, self._finished, loop))
        return await asyncio.wrap_future(running)

    def _finished(self, loop: asyncio.AbstractEventLoop) -> None:
        self._n_waiting -= 1
        if self._n_waiting == 0 and not self._is_closed:
            self._idle = loop.call_later(self.options.idle_s, self._on_idle)

    def _on_idle(self) -> None:
        if self._n_waiting == 0 and not self._is_closed:
            self._thread.submit(self._release)

    def _run(self, request: Request, tell: Progress) -> Transcript:
        """On the ear's own thread: the only place that touches the worker."""
        transcript = self._ready().ask(request, tell)
        self._mean_s = 0.8 * self._mean_s + 0.2 * transcript.compute_s
        return transcript

    def _ready(self) -> SpeechProcess:
        process = self._process
        if process and (not process.is_alive() or process.n_jobs >= self.options.max_jobs):
            self._release()
        if self._process is None:
            self._process = SpeechProcess(resolve(self._model), self.options.limits)
        return self._process

    def _release(self) -> None:
        if self._process:
            self._process.stop()
        self._process = None


def _wishes(language: str | None, vocabulary: Sequence[str], word_times: bool) -> tuple[str | None, tuple[str, ...], bool]:
    if language is not None and language not in SUPPORTED:
        raise UnsupportedLanguageError(f"The language {language[:20]!r} is not supported; use pt, en or es.")
    return language, tuple(term for term in vocabulary if 0 < len(term) <= _MAX_TERM_CHARS)[:_MAX_TERMS], word_times


def _read(path: Path, max_bytes: int) -> bytes:
    """The file, or one byte more than is allowed."""
    with path.open("rb") as file:
        return file.read(max_bytes + 1)


def _teller(loop: asyncio.AbstractEventLoop, progress: Progress | None) -> Progress:
    def tell(share: float) -> None:
        if progress:
            _call(loop, progress, share)

    return tell


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: object) -> None:
    """Run `callback` on the loop, unless the loop has ended and nobody waits any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback, *arguments)
