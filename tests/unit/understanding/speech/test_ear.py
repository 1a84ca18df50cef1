"""The ear answers or refuses, whatever happens to its worker; these tests start real workers."""

import asyncio
import os
import signal
import wave
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from neural_hive.errors import (
    AudioRejectedError,
    ModelError,
    OverloadedError,
    UnavailableError,
    UnsupportedLanguageError,
)
from neural_hive.understanding.speech.ear import Ear, EarOptions
from neural_hive.understanding.speech.process import WorkerLimits

SILENCE = np.zeros(16_000, np.float32)


def _wav(samples) -> bytes:
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((np.asarray(samples) * 32_767).astype("<i2").tobytes())
    return buffer.getvalue()


@pytest.fixture
async def ear(tiny):
    ear = Ear(tiny)
    yield ear
    await ear.close()


async def _until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in another process
            await asyncio.sleep(0.01)


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_silence_is_a_value_and_not_an_error(ear):
    transcript = await ear.transcribe(_wav(SILENCE))
    assert (transcript.text, transcript.has_speech) == ("", False)
    assert transcript.duration_s == 1.0


async def test_no_worker_exists_before_the_first_request(ear):
    assert ear.worker_pid is None
    await ear.transcribe_samples(SILENCE)
    assert ear.worker_pid is not None


@pytest.mark.parametrize("audio", [b"", b"text" * 100, b"RIFF\0\0\0\0WAVEfmt " + b"\xff" * 200, b"fLaC" + b"\0" * 500])
async def test_hostile_bytes_are_refused_and_the_next_request_is_served(ear, audio):
    with pytest.raises(AudioRejectedError):
        await ear.transcribe(audio)
    assert not (await ear.transcribe(_wav(SILENCE))).has_speech


async def test_more_requests_than_fit_are_shed_and_the_others_answered(tiny):
    ear = Ear(tiny, EarOptions(max_waiting=2))
    results = await asyncio.gather(*(ear.transcribe_samples(SILENCE) for _ in range(5)), return_exceptions=True)
    await ear.close()
    assert sum(isinstance(result, OverloadedError) for result in results) == 3
    assert all(error.retry_after_s >= 1 for error in results if isinstance(error, OverloadedError))


async def test_a_killed_worker_is_replaced(ear):
    await ear.warm()
    first = ear.worker_pid
    os.kill(first, signal.SIGKILL)
    await _until(lambda: ear.worker_pid is None)
    await ear.transcribe_samples(SILENCE)
    assert ear.worker_pid not in {None, first}


async def test_a_worker_that_hangs_is_killed_and_the_caller_is_told(tiny):
    ear = Ear(tiny, EarOptions(limits=WorkerLimits(job_s=0.5, decode_s=0.5)))
    await ear.warm()
    pid = ear.worker_pid
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(AudioRejectedError, match="too long"):
        await ear.transcribe(_wav(SILENCE))
    assert ear.worker_pid is None
    assert not _exists(pid)
    assert not (await ear.transcribe(_wav(SILENCE))).has_speech
    await ear.close()


async def test_a_worker_is_recycled_after_its_share_of_work(tiny):
    ear = Ear(tiny, EarOptions(max_jobs=2))
    pids = []
    for _ in range(4):
        await ear.transcribe_samples(SILENCE)
        pids.append(ear.worker_pid)
    await ear.close()
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_an_idle_worker_is_given_back(tiny):
    ear = Ear(tiny, EarOptions(idle_s=0.05))
    await ear.transcribe_samples(SILENCE)
    await _until(lambda: ear.worker_pid is None)
    await ear.close()


async def test_a_cancelled_caller_frees_its_place(tiny):
    ear = Ear(tiny, EarOptions(max_waiting=2))
    waiting = [asyncio.create_task(ear.transcribe_samples(SILENCE)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await _until(lambda: ear.n_waiting == 1)
    await waiting[0]
    await _until(lambda: ear.n_waiting == 0)
    await ear.close()


async def test_a_missing_model_is_said_at_the_first_request(tmp_path):
    ear = Ear(tmp_path)
    with pytest.raises(ModelError):
        await ear.transcribe_samples(SILENCE)
    await ear.close()


async def test_an_unsupported_language_is_refused_before_any_work(ear):
    with pytest.raises(UnsupportedLanguageError):
        await ear.transcribe(_wav(SILENCE), language="fr")
    assert ear.worker_pid is None


async def test_a_closed_ear_refuses_and_leaves_no_process(tiny):
    ear = Ear(tiny)
    await ear.transcribe_samples(SILENCE)
    pid = ear.worker_pid
    await ear.close()
    await ear.close()
    assert not _exists(pid)
    with pytest.raises(UnavailableError):
        await ear.transcribe_samples(SILENCE)


async def test_a_worker_knows_no_secrets_of_the_hive(tiny, monkeypatch):
    monkeypatch.setenv("HIVE_SECRET_FOR_TEST", "do-not-leak")
    ear = Ear(tiny)
    await ear.warm()
    assert b"do-not-leak" not in _environment(ear.worker_pid)
    await ear.close()
