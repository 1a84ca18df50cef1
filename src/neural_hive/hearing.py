"""Whether this hive can hear, and the ear that is opened when somebody first speaks to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from neural_hive.contracts import Transcript
from neural_hive.errors import ModelError, NoSpeechModelError
from neural_hive.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neural_hive.understanding.speech.ear import Ear

_NO_PACKAGES = "This hive cannot hear: install it with the speech extra, pip install 'neural-hive-mind[speech]'"
_NO_MODEL = "This hive has no speech model; fetch it with `hive doctor --fetch-speech`"


class Hearing:
    """Opens the ear late: a hive that nobody speaks to pays nothing for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._has_packages = all(find_spec(name) for name in ("av", "onnxruntime", "tokenizers"))
        self._ear: Ear | None = None
        self._opening = asyncio.Lock()

    async def transcribe(
        self,
        audio: bytes,
        *,
        language: str | None,
        vocabulary: Sequence[str],
        word_times: bool,
        progress: Callable[[float], None] | None = None,
    ) -> Transcript:
        """What was said.

        Args:
            audio, language, vocabulary, word_times, progress: As for `Ear.transcribe`.

        Raises:
            NoSpeechModelError: packages or weights are missing; the message says how to get them.
        """
        ear = await self._open()
        try:
            return await ear.transcribe(audio, language=language, vocabulary=vocabulary, word_times=word_times, progress=progress)
        except ModelError as error:
            raise NoSpeechModelError(f"{_NO_MODEL} ({error})") from error

    async def warm(self) -> None:
        """Load the model now: whoever begins to talk should not wait for it, and should know at once if there is none.

        Raises:
            NoSpeechModelError: as `transcribe`.
        """
        ear = await self._open()
        try:
            await ear.warm()
        except ModelError as error:
            raise NoSpeechModelError(f"{_NO_MODEL} ({error})") from error

    async def transcribe_samples(
        self,
        samples: NDArray[np.float32],
        *,
        language: str | None = None,
        vocabulary: Sequence[str] = (),
        word_times: bool = False,
    ) -> Transcript:
        """The same for sound that is already float32 (n_samples,), mono, 16 kHz, in [-1, 1]; for streams."""
        ear = await self._open()
        try:
            return await ear.transcribe_samples(samples, language=language, vocabulary=vocabulary, word_times=word_times)
        except ModelError as error:
            raise NoSpeechModelError(f"{_NO_MODEL} ({error})") from error

    def state(self) -> dict[str, str] | None:
        """For readiness: ok, or None when this hive is not meant to hear."""
        if not self._has_packages or not self._has_model():
            return None
        return {"status": "ok", "detail": "" if self._ear else "asleep"}

    async def close(self) -> None:
        """End the worker, if there is one."""
        if self._ear is not None:
            await self._ear.close()

    def _has_model(self) -> bool:
        from neural_hive.understanding.speech.weights import resolve

        try:
            resolve(self._settings.speech_model or "whisper-base")
        except ModelError:
            return False
        return True

    async def _open(self) -> Ear:
        if not self._has_packages:
            raise NoSpeechModelError(_NO_PACKAGES)
        async with self._opening:
            if self._ear is None:
                if not await asyncio.to_thread(self._has_model):
                    raise NoSpeechModelError(_NO_MODEL)
                self._ear = await asyncio.to_thread(self._make)
        return self._ear

    def _make(self) -> Ear:
        from neural_hive.understanding.speech.ear import Ear, EarOptions

        options = EarOptions(max_waiting=self._settings.speech_queue, idle_s=self._settings.speech_idle_s)
        return Ear(self._settings.speech_model or "whisper-base", options)
