"""A real hive that is spoken to: recordings, OpenAI's client, a live microphone, and what is no speech at all."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import random
import re
import struct
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import av
import httpx2
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from neural_hive.errors import ModelError
from neural_hive.understanding.audio import AudioLimits, decode
from neural_hive.understanding.speech.weights import resolve
from tests.acceptance.conftest import PATIENCE_S, RunningHive
from tests.music import pieces

VOICE, SPEECH, LIVE = "/api/v1/intents/voice", "/v1/audio/transcriptions", "/api/v1/voice"
RATE_HZ = 16_000
_ROOT = Path(__file__).parents[2]


def missing(what: str) -> None:
    """Skip with the reason, or fail where speech is required."""
    if "speech" in os.environ.get("HIVE_TEST_REQUIRE", "").split(","):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def recordings() -> Path:
    folder = Path(os.environ.get("HIVE_SPEECH_DATA", _ROOT.parent / "shared" / "data" / "speech"))
    if not (folder / "clips.jsonl").exists():
        missing("no recordings: set HIVE_SPEECH_DATA to a folder with clips.jsonl")
    return folder


@pytest.fixture(scope="module")
def model() -> str:
    """The folder of the speech model."""
    try:
        return str(resolve(os.environ.get("HIVE_SPEECH_MODEL", "whisper-base")))
    except ModelError as error:
        missing(str(error))
        raise


@pytest.fixture(scope="module")
def hearing(hive_starter: Callable[..., RunningHive], model: str) -> RunningHive:
    """A hive that hears."""
    return hive_starter(HIVE_SPEECH_MODEL=model)


@pytest.fixture
def client(hearing: RunningHive) -> Iterator[httpx2.Client]:
    with hearing.client() as opened:
        yield opened


@pytest.fixture(scope="module")
def clip(recordings: Path) -> dict[str, Any]:
    """A clear English sentence."""
    return {"path": recordings / "en" / "asterisk_cannot-complete-as-dialed.flac", "words": "call cannot be completed"}


def wav(samples: np.ndarray, rate_hz: int = RATE_HZ, n_channels: int = 1) -> bytes:
    """16-bit WAV of int16 samples, interleaved."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(n_channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 3000, int(seconds * RATE_HZ))


def test_a_form_becomes_a_case_with_what_was_heard(client: httpx2.Client, clip: dict[str, Any]) -> None:
    response = client.post(VOICE, files={"file": clip["path"].read_bytes()})
    case = response.json()
    assert response.status_code == 201
    assert clip["words"] in case["intent"]["transcript"]["text"]
    assert (case["intent"]["channel"], case["intent"]["language"], case["status"]) == ("voice", "en", "decided")
    assert case["decision"]["confidence"] <= case["intent"]["transcript"]["confidence"]
    assert client.get(response.headers["location"]).json() == case


def test_the_sound_itself_becomes_a_case(client: httpx2.Client, clip: dict[str, Any]) -> None:
    response = client.post(VOICE, content=clip["path"].read_bytes(), headers={"content-type": "audio/flac"})
    assert response.status_code == 201
    assert clip["words"] in response.json()["intent"]["text"]


def test_what_may_be_misheard_waits_for_a_person(client: httpx2.Client, recordings: Path) -> None:
    case = client.post(VOICE, files={"file": (recordings / "pt" / "ttspt_02.flac").read_bytes()}).json()
    assert case["intent"]["transcript"]["confidence"] < 0.6
    assert case["decision"]["outcome"] in {"needs_review", "rejected"}
    assert "confirme o texto ouvido" in case["decision"]["explanation"]


@pytest.mark.parametrize("chosen", ["json", "text", "srt", "vtt", "verbose_json"])
def test_openais_own_client_understands_every_format(hearing: RunningHive, clip: dict[str, Any], chosen: str) -> None:
    openai = pytest.importorskip("openai", reason="the openai package is not installed")
    with openai.OpenAI(base_url=f"{hearing.url}/v1", api_key="any", timeout=PATIENCE_S) as ear:
        said = ear.audio.transcriptions.create(model="whisper-1", file=clip["path"], response_format=chosen)
    assert clip["words"] in (said if isinstance(said, str) else said.text)
    if chosen == "verbose_json":
        assert (said.language, said.segments[0].start) == ("english", 0.0)


def ten_hour_header() -> bytes:
    """A second of noise in a file that says it holds ten hours."""
    data = bytearray(wav(noise(1.0)))
    struct.pack_into("<I", data, 4, 0x7FFFFFF0)
    struct.pack_into("<I", data, 40, 2 * RATE_HZ * 36_000)
    return bytes(data)


def bomb() -> bytes:
    """Five hours of silence in 3.4 MB, 288 MB once decoded as 16-bit sound."""
    silence = av.AudioFrame(format="s16", layout="mono", samples=4608)
    silence.planes[0].update(bytes(silence.planes[0].buffer_size))
    silence.sample_rate = 8_000
    out = io.BytesIO()
    with av.open(out, "w", format="flac") as file:
        stream = file.add_stream("flac", rate=8_000, layout="mono", format="s16")
        for i in range(5 * 3_600 * 8_000 // 4608):
            silence.pts = i * 4608
            file.mux(stream.encode(silence))
        file.mux(stream.encode(None))
    return out.getvalue()


#: What may come instead of speech: the problem it is answered with, and how to make it.
HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a minute of silence": ("no-speech", lambda: wav(np.zeros(60 * RATE_HZ))),
    "a minute of white noise": ("no-speech", lambda: wav(noise(60.0))),
    "a minute of a band": ("no-speech", lambda: wav(pieces(60.0)["a band"] * 32_767)),
    "8 channels at 192 kHz": ("no-speech", lambda: wav(np.zeros(2 * 8 * 192_000), 192_000, 8)),
    "a header of ten hours": ("no-speech", ten_hour_header),
    "five hours in a small file": ("invalid-audio", bomb),
    "half a header": ("invalid-audio", lambda: wav(noise(1.0))[:20]),
    "text": ("invalid-audio", lambda: b"Apaga tudo, por favor."),
    "nothing": ("invalid-audio", lambda: b""),
    "random bytes": ("invalid-audio", lambda: random.Random(0).randbytes(4096)),
}
MOST_MEMORY_MB = 1_000


def peak_memory_mb(hive: RunningHive) -> float:
    """Most memory that any process of the hive ever had resident."""
    peaks, left = [], [hive.process.pid]
    while left:
        pid = left.pop()
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            peaks.append(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024)
            left += [int(c) for t in Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()]
    return max(peaks)


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_speech_is_refused_and_the_hive_stays_well(hearing: RunningHive, client: httpx2.Client, kind: str) -> None:
    expected, make = HOSTILE[kind]
    response = client.post(VOICE, files={"file": ("note.wav", make(), "audio/wav")})
    problem = response.json()
    assert (response.status_code, problem["type"]) == (422, f"urn:neural-hive:problem:{expected}")
    assert "this recording" in problem["detail"] or "send" in problem["detail"].lower() or "file" in problem["detail"]
    assert client.get("/ready").json()["ready"] is True
    assert peak_memory_mb(hearing) < MOST_MEMORY_MB


def test_after_all_that_speech_is_heard_as_before(client: httpx2.Client, clip: dict[str, Any]) -> None:
    response = client.post(VOICE, files={"file": clip["path"].read_bytes()})
    assert clip["words"] in response.json()["intent"]["transcript"]["text"]


def test_a_truncated_file_is_heard_as_far_as_it_goes_or_refused(client: httpx2.Client, clip: dict[str, Any]) -> None:
    whole = clip["path"].read_bytes()
    for n_bytes in (100, len(whole) // 2, len(whole) - 10):
        assert client.post(SPEECH, files={"file": ("note.flac", whole[:n_bytes])}).status_code in {200, 422}
    assert client.post(VOICE, files={"file": whole}).status_code == 201


async def say(socket: ClientConnection, path: Path) -> None:
    """A microphone that hears a recording and then two seconds of silence, as fast as it goes."""
    samples = np.concatenate([decode(path.read_bytes(), AudioLimits()), np.zeros(2 * RATE_HZ, np.float32)])
    sound = (samples * 32767).astype("<i2").tobytes()
    await socket.send(json.dumps({"type": "start"}))
    with contextlib.suppress(ConnectionClosed):
        for at in range(0, len(sound), 3200):
            await socket.send(sound[at : at + 3200])


async def messages(socket: ClientConnection) -> AsyncIterator[dict[str, Any]]:
    """Until the hive closes."""
    with contextlib.suppress(ConnectionClosedError):
        async with asyncio.timeout(PATIENCE_S):
            async for message in socket:
                yield json.loads(message)


def live(hearing: RunningHive, **options: Any) -> Any:
    """A connection to the live ear."""
    return connect(hearing.url.replace("http", "ws", 1) + LIVE, proxy=None, **options)


async def test_a_case_is_started_where_the_speaker_stops(hearing: RunningHive, clip: dict[str, Any]) -> None:
    async with live(hearing) as socket:
        await say(socket, clip["path"])
        heard = [message async for message in messages(socket)]
    kinds = [message["type"] for message in heard]
    assert kinds == ["ready", *["partial"] * (len(kinds) - 3), "final", "case"]
    assert clip["words"] in heard[-2]["text"]
    assert heard[-1]["intent"]["text"] == heard[-2]["text"]
    assert (heard[-1]["status"], socket.close_code) == ("decided", 1000)
    with hearing.client() as http:
        assert http.get(f"/api/v1/intents/{heard[-1]['id']}").json()["decision"] == heard[-1]["decision"]


async def test_a_speaker_who_says_that_it_is_all_is_not_waited_for(hearing: RunningHive, clip: dict[str, Any]) -> None:
    sound = (decode(clip["path"].read_bytes(), AudioLimits()) * 32767).astype("<i2").tobytes()
    async with live(hearing) as socket:
        for message in (json.dumps({"type": "start", "language": "en"}), sound, json.dumps({"type": "end"})):
            await socket.send(message)
        heard = [message async for message in messages(socket)]
    assert [heard[-2]["type"], heard[-2]["reason"], heard[-1]["type"]] == ["final", "end", "case"]


START = json.dumps({"type": "start"})


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ((b"\0\0",), "malformed-body"),
        (("no json",), "malformed-body"),
        ((json.dumps({"type": "start", "language": "fr"}),), "invalid-fields"),
        ((json.dumps({"type": "start", "sample_rate": 8000}),), "invalid-fields"),
        ((START, b"\0\0\0"), "invalid-audio"),
        ((START, bytes(6400), "{}"), "malformed-body"),
        ((START, bytes(64_000), json.dumps({"type": "end"})), "no-speech"),
        ((START, *[bytes(640_000)] * 7), "invalid-audio"),
    ],
)
async def test_what_breaks_the_rules_ends_with_a_problem(hearing: RunningHive, sent: tuple[Any, ...], problem: str) -> None:
    async with live(hearing) as socket:
        with contextlib.suppress(ConnectionClosedError):
            for message in sent:
                await socket.send(message)
        last = [message async for message in messages(socket)][-1]
    assert (last["type"], last["problem"]["type"]) == ("problem", f"urn:neural-hive:problem:{problem}")
    assert socket.close_code == 1008


async def test_a_speaker_who_goes_away_leaves_no_case(hearing: RunningHive, clip: dict[str, Any], client: httpx2.Client) -> None:
    before = client.get("/api/v1/intents").json()["items"]
    async with live(hearing) as socket:
        await socket.send(START)
        await socket.send(bytes(32_000))
    assert client.get("/api/v1/intents").json()["items"] == before


async def test_a_foreign_page_cannot_listen(hearing: RunningHive) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with live(hearing, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body)["type"] == "urn:neural-hive:problem:cross-origin"


async def test_a_token_comes_in_a_header_or_as_a_subprotocol(hive_starter: Callable[..., RunningHive], model: str) -> None:
    hive = hive_starter(HIVE_AUTH_TOKENS="alpha=acme", HIVE_SPEECH_MODEL=model)
    with pytest.raises(InvalidStatus) as refused:
        async with live(hive):
            pass
    assert refused.value.response.status_code == 401
    async with live(hive, additional_headers={"Authorization": "Bearer alpha"}) as socket:
        await socket.send(START)
        assert json.loads(await socket.recv()) == {"type": "ready"}
    async with live(hive, subprotocols=["neural-hive", "bearer.alpha"]) as socket:
        assert socket.subprotocol == "neural-hive"


async def test_a_hive_without_a_model_says_so(hive_starter: Callable[..., RunningHive], tmp_path: Path) -> None:
    hive = hive_starter(HIVE_SPEECH_MODEL=str(tmp_path))
    async with live(hive) as socket:
        await socket.send(START)
        last = [message async for message in messages(socket)][-1]
    assert last["problem"]["status"] == 501
    assert "hive doctor --fetch-speech" in last["problem"]["detail"]
    assert socket.close_code == 1013


async def test_there_is_room_for_so_many_speakers(hive_starter: Callable[..., RunningHive], model: str) -> None:
    hive = hive_starter(HIVE_SPEECH_MODEL=model, HIVE_SPEECH_QUEUE="1")
    async with live(hive):
        with pytest.raises(InvalidStatus) as refused:
            async with live(hive):
                pass
    assert (refused.value.response.status_code, refused.value.response.headers["retry-after"]) == (429, "1")


async def test_a_hive_that_stops_ends_conversations(hive_starter: Callable[..., RunningHive], model: str) -> None:
    hive = hive_starter(HIVE_SPEECH_MODEL=model)
    async with live(hive) as socket:
        await socket.send(START)
        assert json.loads(await socket.recv()) == {"type": "ready"}
        assert await asyncio.to_thread(hive.stop) == 0
        assert [message async for message in messages(socket)] == []
    assert "Traceback" not in "".join(hive.said)
