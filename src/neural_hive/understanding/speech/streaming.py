"""Speech as it is spoken: pieces of sound in, partial transcripts out, and the final one when the speaker stops.

stream = Stream(ear, language="pt")
async for heard in stream.listen(chunks):      # chunks: async iterator of bytes, 16-bit PCM, mono, 16 kHz
    show(heard.transcript.text)
    if heard.is_final: start_case(heard.transcript)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neural_hive.contracts import Transcript
from neural_hive.errors import AudioRejectedError, OverloadedError

SAMPLE_RATE_HZ = 16_000
_MAX_CHUNK_S = 30.0


class Listener(Protocol):
    """The part of `Ear` that a stream needs."""

    async def transcribe_samples(
        self,
        samples: NDArray[np.float32],
        *,
        language: str | None = None,
        vocabulary: Sequence[str] = (),
        word_times: bool = False,
    ) -> Transcript:
        """As `Ear.transcribe_samples`."""


class Reason(Enum):
    """Why an utterance was taken for finished."""

    PAUSE = "pause"
    END = "end"
    LENGTH = "length"


@dataclass(frozen=True)
class StreamOptions:
    """When a stream speaks up.

    Attributes:
        partial_s: New sound after which a partial transcript is made, seconds.
        pause_s: Silence after speech that ends the utterance, seconds. Source: turn-taking gaps within one speaker
            rarely exceed
            0.7 s (Heldner & Edlund 2010, "Pauses, gaps and overlaps in conversations").
        max_utterance_s: Longest utterance, seconds; it is ended there and the next begins.
        lead_s: Sound kept from before the speech, seconds.
    """

    partial_s: float = 0.5
    pause_s: float = 0.8
    max_utterance_s: float = 28.0
    lead_s: float = 1.0


@dataclass(frozen=True)
class Heard:
    """One message of a stream. `offset_s` is where the utterance's sound begins in the stream, in seconds."""

    transcript: Transcript
    is_final: bool
    offset_s: float
    reason: Reason | None = None


class Stream:
    """One speaker's stream. Feed it in order, from one task; each call returns what is new, at most one message.

    While nobody has spoken, sound older than `lead_s` is forgotten, so that an open microphone costs a voice
    detection each `partial_s` and no memory. When the ear is at its limit a partial transcript is skipped and the
    final one waits its turn.
    """

    def __init__(
        self,
        ear: Listener,
        *,
        language: str | None = None,
        vocabulary: Sequence[str] = (),
        options: StreamOptions | None = None,
    ) -> None:
        """Args: ear: who transcribes; language, vocabulary: as for `Ear.transcribe`; options: when to speak up."""
        self._ear, self._language, self._vocabulary = ear, language, tuple(vocabulary)
        self._options = options or StreamOptions()
        self._sound = np.zeros(0, np.float32)
        self._offset = self._n_judged = 0

    async def feed(self, pcm: bytes) -> Heard | None:
        """Add sound.

        Args:
            pcm: Signed 16-bit little-endian samples, mono, 16 kHz; at most 30 s.

        Returns:
            A partial transcript if enough is new, the final one if the speaker stopped, else None.

        Raises:
            AudioRejectedError: half a sample, or more than 30 s at once. Otherwise as `Ear.transcribe`.
        """
        if len(pcm) % 2 or len(pcm) > 2 * _MAX_CHUNK_S * SAMPLE_RATE_HZ:
            raise AudioRejectedError("Send 16-bit samples, mono, 16 kHz, at most 30 s at once.")
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768.0
        self._sound = np.concatenate([self._sound, samples])
        if len(self._sound) - self._n_judged < self._options.partial_s * SAMPLE_RATE_HZ:
            return None
        return await self._judge()

    async def finish(self) -> Heard | None:
        """The end of the stream: the final transcript of what is left, None if nobody speaks in it."""
        if len(self._sound) < 0.1 * SAMPLE_RATE_HZ:
            return None
        transcript = await self._patiently()
        return self._final(transcript, len(self._sound), Reason.END) if transcript.has_speech else None

    async def listen(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[Heard]:
        """Every message for a stream of chunks, in order; ends with the final one of the last utterance."""
        async for chunk in chunks:
            heard = await self.feed(chunk)
            if heard:
                yield heard
        last = await self.finish()
        if last:
            yield last

    async def _judge(self) -> Heard | None:
        try:
            transcript = await self._transcribe()
        except OverloadedError:
            self._n_judged = len(self._sound)
            return None
        self._n_judged = len(self._sound)
        if not transcript.has_speech:
            self._forget(len(self._sound) - round(self._options.lead_s * SAMPLE_RATE_HZ))
            return None
        return self._heard(transcript)

    def _heard(self, transcript: Transcript) -> Heard:
        seconds = len(self._sound) / SAMPLE_RATE_HZ
        spoken_until = transcript.segments[-1].end_s if transcript.segments else seconds
        if seconds - spoken_until >= self._options.pause_s:
            return self._final(transcript, len(self._sound), Reason.PAUSE)
        if seconds >= self._options.max_utterance_s:
            return self._final(transcript, len(self._sound), Reason.LENGTH)
        return Heard(transcript, is_final=False, offset_s=self._offset / SAMPLE_RATE_HZ)

    def _final(self, transcript: Transcript, n_used: int, reason: Reason) -> Heard:
        heard = Heard(transcript, is_final=True, offset_s=self._offset / SAMPLE_RATE_HZ, reason=reason)
        self._forget(n_used)
        return heard

    def _forget(self, n_samples: int) -> None:
        if n_samples > 0:
            self._sound = self._sound[n_samples:].copy()
            self._offset += n_samples
            self._n_judged = len(self._sound)

    async def _transcribe(self) -> Transcript:
        return await self._ear.transcribe_samples(self._sound, language=self._language, vocabulary=self._vocabulary)

    async def _patiently(self) -> Transcript:
        while True:
            try:
                return await self._transcribe()
            except OverloadedError as error:
                await asyncio.sleep(min(5.0, error.retry_after_s))
