"""Bytes → sound: mono, 16 kHz, float32, within bounds that do not depend on what the file says about itself.

Runs inside the speech worker: what FFmpeg does with a hostile file ends with that process.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from neural_hive.errors import AudioRejectedError

SAMPLE_RATE_HZ = 16_000
_HEAD_BYTES = 64
#: Bound on work per second of sound: the shortest common packets are 2.5 ms (Opus, RFC 6716).
_MAX_PACKETS_PER_S, _MAX_EMPTY = 800, 1_000


@dataclass(frozen=True)
class AudioLimits:
    """What is accepted; the numbers are promises of the HTTP interface.

    Attributes:
        max_bytes: Size of the file.
        max_s, min_s: Length of the sound, in seconds.
        min_rate_hz, max_rate_hz: Sampling rate of the file.
        max_channels: Channels of the file.
    """

    max_bytes: int = 50 * 1024 * 1024
    max_s: float = 300.0
    min_s: float = 0.1
    min_rate_hz: int = 8_000
    max_rate_hz: int = 384_000
    max_channels: int = 16


def sniff(data: bytes) -> str | None:
    """Name of FFmpeg's demuxer for these bytes, or None: only formats that hold sound and refer to no other file or
    address.

    FFmpeg is never left to guess: among what it would try are playlists that open addresses.
    """
    head = data[:_HEAD_BYTES]
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "wav"
    for magic, name in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1a\x45\xdf\xa3", "matroska"), (b"ID3", "mp3")):
        if head.startswith(magic):
            return name
    if head[4:8] in {b"ftyp", b"moov"}:
        return "mov"
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "aiff"
    return _sniff_frames(head)


def _sniff_frames(head: bytes) -> str | None:
    """MPEG audio without a tag: eleven bits of sync, then layer bits 00 for AAC (ADTS) and others for MP3."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    return "mp3" if head[1] & 0x06 and head[2] & 0xF0 != 0xF0 else None


def decode(data: bytes, limits: AudioLimits | None = None) -> NDArray[np.float32]:
    """Decode a recording.

    Args:
        data: A WAV, FLAC, MP3, AAC, OGG/Opus/Vorbis, M4A/MP4, WebM or AIFF file.
        limits: What is accepted.

    Returns:
        float32 (n_samples,), mono (mean of the channels as FFmpeg mixes them), 16 kHz, in [-1, 1].

    Raises:
        AudioRejectedError: empty, too large, too long, too short, of an unknown format, or damaged beyond use; the
            message
            says which. Sending the same bytes again fails again.
    """
    bounds = limits or AudioLimits()
    check_size(data, bounds)
    form = sniff(data)
    if form is None:
        raise AudioRejectedError("This is not a recording in a known format: send WAV, FLAC, MP3, OGG, Opus, M4A or WebM.")
    pieces, n_samples = [], 0
    try:
        for piece in _resampled(data, form, bounds):
            n_samples += len(piece)
            if n_samples > bounds.max_s * SAMPLE_RATE_HZ:
                raise AudioRejectedError(f"The recording is longer than {bounds.max_s:g} s; send it in parts.")
            pieces.append(piece)
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise AudioRejectedError(f"The {form} file cannot be decoded: {_reason(error)}.") from error
    if n_samples < bounds.min_s * SAMPLE_RATE_HZ:
        raise AudioRejectedError(f"The recording holds less than {bounds.min_s:g} s of sound.")
    sound: NDArray[np.float32] = np.nan_to_num(np.concatenate(pieces), nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(sound, -1.0, 1.0)


def check_size(data: bytes, limits: AudioLimits) -> None:
    """Refuse what is too large or empty before anything reads it.

    Raises:
        AudioRejectedError: 0 bytes, or more than the limit.
    """
    if not data:
        raise AudioRejectedError("The recording is empty.")
    if len(data) > limits.max_bytes:
        raise AudioRejectedError(f"The file is larger than {limits.max_bytes // (1024 * 1024)} MB; send a compressed one.")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).split("\n", maxsplit=1)[0][:120] or type(error).__name__


def _resampled(data: bytes, form: str, limits: AudioLimits) -> Iterator[NDArray[np.float32]]:
    with av.open(io.BytesIO(data), mode="r", format=form, metadata_errors="ignore") as container:
        if not container.streams.audio:
            raise AudioRejectedError("The file holds no sound.")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        for frame in _frames(container, limits):
            _check_frame(frame, limits)
            frame.pts = None
            for out in resampler.resample(frame):
                yield np.asarray(out.to_ndarray(), np.float32).reshape(-1)
        for out in resampler.resample(None):
            yield np.asarray(out.to_ndarray(), np.float32).reshape(-1)


def _frames(container: av.container.InputContainer, limits: AudioLimits) -> Iterator[av.AudioFrame]:
    """Frames of the first audio stream; a damaged packet is skipped, too many packets or nothing but damage end it."""
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise AudioRejectedError("The file's sound is in an unknown encoding.")
    stream.codec_context.thread_type = "NONE"
    n_damaged = n_empty = 0
    for n_packets, packet in enumerate(container.demux(stream)):
        if n_packets > _MAX_PACKETS_PER_S * limits.max_s or n_empty > _MAX_EMPTY:
            raise AudioRejectedError("The file holds far more packets than sound.")
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            n_damaged += 1
            if n_damaged > _MAX_EMPTY:
                raise
            continue
        n_empty = 0 if frames else n_empty + 1
        yield from frames


def _check_frame(frame: av.AudioFrame, limits: AudioLimits) -> None:
    if not limits.min_rate_hz <= frame.sample_rate <= limits.max_rate_hz:
        raise AudioRejectedError(
            f"The sampling rate is {frame.sample_rate} Hz; record with {limits.min_rate_hz} to {limits.max_rate_hz} Hz."
        )
    if frame.layout.nb_channels > limits.max_channels:
        raise AudioRejectedError(f"The file has {frame.layout.nb_channels} channels; at most {limits.max_channels} are read.")
