"""A stream speaks up while somebody talks and once more when they stop."""

import numpy as np
import pytest

from neural_hive.contracts import Segment, Transcript
from neural_hive.errors import AudioRejectedError, OverloadedError
from neural_hive.understanding.speech.streaming import Reason, Stream

RATE = 16_000


class LoudnessEar:
    """Hears speech wherever a sample is not zero."""

    def __init__(self):
        self.lengths, self.overloads = [], 0

    async def transcribe_samples(self, samples, *, language=None, vocabulary=(), word_times=False):
        if self.overloads:
            self.overloads -= 1
            raise OverloadedError(retry_after_s=0.0)
        self.lengths.append(len(samples))
        loud = np.flatnonzero(samples)
        segments = ()
        if len(loud):
            segments = (Segment(text="olá", start_s=loud[0] / RATE, end_s=loud[-1] / RATE, avg_logprob=-0.1),)
        return Transcript(
            text="olá" if segments else "", has_speech=bool(segments), language="pt", language_probability=1,
            duration_s=len(samples) / RATE, compute_s=0, confidence=0.9, avg_logprob=0, segments=segments,
        )  # fmt: skip


def _pcm(seconds: float, level: int) -> bytes:
    return np.full(int(seconds * RATE), level, "<i2").tobytes()


async def _chunks(*parts):
    for seconds, level in parts:
        for _ in range(round(seconds / 0.1)):
            yield _pcm(0.1, level)


async def test_partials_come_at_least_every_half_second_and_a_pause_ends_the_utterance():
    heard = [h async for h in Stream(LoudnessEar()).listen(_chunks((2.0, 99), (2.0, 0)))]
    assert [h.is_final for h in heard][-1]
    assert sum(h.is_final for h in heard) == 1
    assert len([h for h in heard if not h.is_final]) >= 4
    assert heard[-1].reason is Reason.PAUSE


async def test_two_utterances_give_two_finals_with_their_own_offsets():
    heard = [h async for h in Stream(LoudnessEar()).listen(_chunks((1, 99), (2, 0), (1, 99), (0.3, 0)))]
    finals = [h for h in heard if h.is_final]
    assert [h.reason for h in finals] == [Reason.PAUSE, Reason.END]
    assert finals[0].offset_s == 0
    assert 1.8 <= finals[1].offset_s <= 3.0


async def test_silence_says_nothing_and_is_forgotten():
    ear = LoudnessEar()
    assert [h async for h in Stream(ear).listen(_chunks((20, 0)))] == []
    assert max(ear.lengths) <= 2 * RATE


async def test_an_endless_speaker_is_cut_at_the_longest_utterance():
    heard = [h async for h in Stream(LoudnessEar()).listen(_chunks((30, 99)))]
    assert Reason.LENGTH in {h.reason for h in heard}


async def test_an_overloaded_ear_loses_a_partial_and_never_the_final():
    ear = LoudnessEar()
    stream = Stream(ear)
    ear.overloads = 1
    assert await stream.feed(_pcm(0.6, 99)) is None
    ear.overloads = 3
    final = await stream.finish()
    assert final is not None
    assert final.transcript.text == "olá"


@pytest.mark.parametrize("pcm", [b"\0", b"\0\0" * (31 * RATE)])
async def test_half_a_sample_or_too_much_at_once_is_refused(pcm):
    with pytest.raises(AudioRejectedError):
        await Stream(LoudnessEar()).feed(pcm)
