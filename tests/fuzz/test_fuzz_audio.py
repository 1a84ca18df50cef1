"""Mutated recordings in every format: bounded sound or a refusal, never anything else."""

import importlib.util
import io
from pathlib import Path

import av
import numpy as np
import pytest

_SPEC = importlib.util.spec_from_file_location("fuzz_audio", Path(__file__).with_name("fuzz_audio.py"))
fuzz_audio = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fuzz_audio)

_FORMATS = {
    "wav": "pcm_s16le",
    "flac": "flac",
    "mp3": "libmp3lame",
    "ogg": "libopus",
    "webm": "libopus",
    "ipod": "aac",
    "adts": "aac",
    "aiff": "pcm_s16be",
}


def _seed(container: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(_FORMATS[container], rate=48_000, layout="mono")
        noise = np.random.default_rng(1).normal(0, 0.1, (1, 24_000)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
        frame.sample_rate = 48_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return buffer.getvalue()


def _mutated(data: bytes, rng: np.random.Generator) -> bytes:
    raw = bytearray(data)
    for _ in range(int(rng.integers(1, 12))):
        at = int(rng.integers(0, min(len(raw), 400) if rng.random() < 0.6 else len(raw)))
        kind = rng.integers(0, 4)
        if kind == 0:
            raw[at] = int(rng.integers(0, 256))
        elif kind == 1:
            raw[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0"])
        elif kind == 2:
            del raw[at : at + int(rng.integers(1, 200))]
        else:
            raw[at:at] = raw[at : at + int(rng.integers(1, 200))]
        raw = raw or bytearray(b"\0")
    return bytes(raw)


@pytest.mark.parametrize("container", _FORMATS)
def test_mutated_files_are_sound_or_refused(container):
    rng, seed = np.random.default_rng(20_26), _seed(container)
    for _ in range(60):
        fuzz_audio.check(_mutated(seed, rng))


def test_random_bytes_after_every_magic_are_sound_or_refused():
    rng = np.random.default_rng(4)
    magics = (
        b"RIFF\0\0\0\0WAVE",
        b"fLaC",
        b"OggS",
        b"\x1a\x45\xdf\xa3",
        b"ID3",
        b"\xff\xfb\x90",
        b"\0\0\0\x18ftypM4A ",
    )
    for magic in magics:
        for size in (0, 10, 1_000, 20_000):
            fuzz_audio.check(magic + rng.bytes(size))
