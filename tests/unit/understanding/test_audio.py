"""Any bytes become bounded sound or a clear refusal."""

import io
import struct
import wave

import av
import numpy as np
import pytest

from neural_hive.errors import AudioRejectedError
from neural_hive.understanding.audio import AudioLimits, decode, sniff


def encoded(container, codec, *, rate_hz=16_000, layout="mono", seconds=1.0, level=0.3):
    """A 440 Hz tone in the given container, as bytes."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        tone = level * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)
        planes = np.tile(tone.astype(np.float32), (stream.codec_context.channels, 1))
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return buffer.getvalue()


def wav(samples, rate_hz=16_000, channels=1):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.asarray(samples, "<i2").tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz", "form"),
    [
        ("wav", "pcm_s16le", 16_000, "wav"),
        ("wav", "pcm_f32le", 44_100, "wav"),
        ("flac", "flac", 48_000, "flac"),
        ("mp3", "libmp3lame", 44_100, "mp3"),
        ("ogg", "libopus", 48_000, "ogg"),
        ("webm", "libopus", 48_000, "matroska"),
        ("ipod", "aac", 44_100, "mov"),
        ("adts", "aac", 16_000, "aac"),
        ("aiff", "pcm_s16be", 22_050, "aiff"),
    ],
)
def test_common_formats_become_mono_16_khz(container, codec, rate_hz, form):
    data = encoded(container, codec, rate_hz=rate_hz)
    assert sniff(data) == form
    sound = decode(data)
    assert sound.dtype == np.float32
    assert sound.ndim == 1
    assert 15_000 <= len(sound) <= 18_500
    assert 0.2 < np.abs(sound).max() <= 1.0


def test_eight_channels_at_192_khz_are_mixed_down():
    tone = (9_000 * np.sin(np.arange(192_000) * 2 * np.pi * 440 / 192_000)).astype("<i2")
    sound = decode(wav(np.repeat(tone, 8), 192_000, 8))
    assert len(sound) == pytest.approx(16_000, abs=50)
    assert np.abs(sound).max() <= 1.0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"This is text, named .wav by somebody." * 50,
        b"#EXTM3U\nhttp://127.0.0.1/a.ts\n",
        b"<svg/>",
        b"\xff" * 999,
    ],
    ids=["empty", "one byte", "text", "playlist", "markup", "ones"],
)
def test_what_is_no_recording_is_refused(data):
    with pytest.raises(AudioRejectedError):
        decode(data)


def test_a_header_that_promises_ten_hours_is_not_believed():
    data = bytearray(wav(np.ones(16_000)))
    struct.pack_into("<I", data, 4, 0x7FFFFFF0)
    struct.pack_into("<I", data, 40, 2 * 16_000 * 36_000)
    assert len(decode(bytes(data))) == pytest.approx(16_000, abs=50)


def test_a_small_file_of_much_silence_is_stopped_at_the_limit():
    bomb = encoded("flac", "flac", seconds=400.0, level=0.0)
    assert len(bomb) < 400_000
    with pytest.raises(AudioRejectedError, match="longer than 300 s"):
        decode(bomb)


def test_limits_are_those_that_were_given():
    data = wav(np.ones(16_000))
    with pytest.raises(AudioRejectedError, match="longer"):
        decode(data, AudioLimits(max_s=0.5))
    with pytest.raises(AudioRejectedError, match="less than"):
        decode(data, AudioLimits(min_s=2.0))
    with pytest.raises(AudioRejectedError, match="larger"):
        decode(data, AudioLimits(max_bytes=100))


def test_a_sampling_rate_below_8_khz_is_refused():
    with pytest.raises(AudioRejectedError, match="4000 Hz"):
        decode(wav(np.ones(8_000), 4_000))


@pytest.mark.parametrize("container", ["flac", "mp3", "ogg", "webm", "ipod"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_file_gives_what_it_holds_or_a_refusal(container, share):
    codec = {"flac": "flac", "mp3": "libmp3lame", "ipod": "aac"}.get(container, "libopus")
    data = encoded(container, codec, rate_hz=48_000, seconds=2.0)
    try:
        n_samples = len(decode(data[: int(len(data) * share)]))
    except AudioRejectedError:
        n_samples = 0
    assert n_samples <= 33_000


def test_a_video_without_sound_is_refused():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        stream = output.add_stream("mjpeg", rate=5)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    with pytest.raises(AudioRejectedError, match="no sound"):
        decode(buffer.getvalue())


def test_not_a_number_and_infinity_become_silence():
    raw = np.array([np.nan, np.inf, -np.inf, 5.0] * 4_000, "<f4").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, 16_000, 64_000, 4, 32)
    data = b"RIFF" + struct.pack("<I", 36 + len(raw)) + b"WAVE" + form + b"data" + struct.pack("<I", len(raw)) + raw
    sound = decode(data)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1.0
