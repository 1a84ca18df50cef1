"""What Whisper base makes of real recordings; skipped without the model or the recordings."""

import unicodedata
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
import pytest

from neural_hive.understanding.audio import decode
from neural_hive.understanding.speech import reading
from neural_hive.understanding.speech.reading import SHIFT_S
from neural_hive.understanding.speech.recognise import Options

RATE = 16_000


def _plain(text: str) -> list[str]:
    letters = (c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else " " for c in letters).split()


@pytest.fixture(scope="module")
def sound(recordings, clips):
    def load(name):
        row = next(clip for clip in clips if clip["file"] == name)
        return decode((recordings / name).read_bytes()), row["text"]

    return load


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("pt/ttspt_12.flac", "pt"),
        ("es/asterisk_vm-helpexit.flac", "es"),
        ("en/asterisk_vm-rec-busy.flac", "en"),
        ("es/asterisk_please-try-again.flac", "es"),
    ],
)
def test_clear_speech_is_heard_in_its_own_language(recogniser, sound, name, language):
    waveform, said = sound(name)
    transcript = recogniser.transcribe(waveform, Options(word_times=True))
    assert transcript.language == language
    assert _plain(transcript.text) == _plain(said)
    assert transcript.text == transcript.raw_text
    assert 0 < transcript.confidence <= 1
    words = [word for segment in transcript.segments for word in segment.words]
    assert " ".join(word.text for word in words) == transcript.text
    assert all(0 <= a.start_s <= a.end_s <= b.end_s <= len(waveform) / RATE for a, b in pairwise(words))


def test_portuguese_is_not_translated_by_a_wrong_hint_of_nothing(recogniser, sound):
    waveform, said = sound("pt/ttspt_11.flac")
    heard = _plain(recogniser.transcribe(waveform, Options()).text)
    assert len(set(heard) & set(_plain(said))) >= 6


def test_two_languages_in_one_recording_are_each_heard_as_spoken(recogniser, sound):
    first, english = sound("en/asterisk_vm-rec-busy.flac")
    second, spanish = sound("es/asterisk_vm-helpexit.flac")
    both = np.concatenate([first, np.zeros(2 * RATE, np.float32), second])
    transcript = recogniser.transcribe(both, Options())
    assert len(transcript.segments) == 2
    assert _plain(transcript.text) == _plain(english) + _plain(spanish)


def test_speech_that_starts_at_the_first_sample_is_heard(recogniser, sound):
    waveform, said = sound("en/asterisk_vm-rec-busy.flac")
    start = int(np.flatnonzero(np.abs(waveform) > 0.02)[0])
    assert _plain(recogniser.transcribe(waveform[start:], Options()).text) == _plain(said)


def test_silence_around_speech_changes_nothing(recogniser, sound):
    waveform, said = sound("en/asterisk_vm-rec-busy.flac")
    padded = np.pad(waveform, (12 * RATE, 9 * RATE))
    transcript = recogniser.transcribe(padded, Options(word_times=True))
    assert _plain(transcript.text) == _plain(said)
    assert 11.5 < transcript.segments[0].words[0].start_s < 13


@pytest.mark.parametrize("kind", ["silence", "noise", "music", "clicks"])
def test_a_minute_without_speech_gives_no_sentence(recogniser, kind):
    rng, t = np.random.default_rng(3), np.arange(60 * RATE) / RATE
    sounds = {
        "silence": np.zeros_like(t),
        "noise": rng.normal(0, 0.2, len(t)),
        "music": 0.2 * sum(np.sin(2 * np.pi * f * t + 3 * np.sin(2 * np.pi * 5 * t)) for f in (262, 330, 392)) / 3,
        "clicks": (np.arange(len(t)) % 8_000 < 20) * 0.8,
    }
    transcript = recogniser.transcribe(sounds[kind].astype(np.float32), Options())
    assert (transcript.has_speech, transcript.text, transcript.confidence) == (False, "", 0.0)


def test_the_same_recording_gives_the_same_transcript(recogniser, sound):
    waveform, _ = sound("es/asterisk_vm-helpexit.flac")
    first, second = (recogniser.transcribe(waveform, Options()) for _ in range(2))
    assert first.model_copy(update={"compute_s": 0.0}) == second.model_copy(update={"compute_s": 0.0})


def test_progress_rises_to_the_end_of_the_speech(recogniser, sound):
    waveform, _ = sound("en/asterisk_vm-rec-busy.flac")
    shares = []
    recogniser.transcribe(np.tile(np.pad(waveform, (0, 2 * RATE)), 3), Options(), shares.append)
    assert len(shares) == 3
    assert shares == sorted(shares)
    assert shares[-1] <= 1


@pytest.mark.parametrize(("name", "n_encodings"), [("en/asterisk_vm-rec-busy.flac", 1), ("es/asterisk_conf-unmuted.flac", 2)])
def test_only_an_unsure_reading_costs_a_second_encoding(recogniser, sound, monkeypatch, name, n_encodings):
    encode, starts = recogniser._model.encode, []
    monkeypatch.setattr(recogniser._model, "encode", lambda heard, window: starts.append(len(heard)) or encode(heard, window))
    waveform, _ = sound(name)
    recogniser.transcribe(waveform, Options())
    assert len(starts) == n_encodings
    assert [n - starts[0] for n in starts[1:]] == [round(SHIFT_S * RATE)] * (n_encodings - 1)


@pytest.fixture(scope="module")
def two_minutes(clips, sound):
    """Spanish clips in a row, half a second between them: float32 (n_samples,), and the words said."""
    parts, said, n_samples = [], [], 0
    for clip in (clip for clip in clips if clip["lang"] == "es" and n_samples < 120 * RATE):
        waveform, text = sound(clip["file"])
        parts.append(np.pad(waveform, (0, RATE // 2)))
        said += _plain(text)
        n_samples += len(parts[-1])
    assert n_samples >= 120 * RATE
    return np.concatenate(parts), said


def test_two_minutes_of_speech_are_heard_in_order_and_as_if_piece_by_piece(recogniser, two_minutes, monkeypatch):
    waveform, said = two_minutes
    shares = []
    assert recogniser._model.n_threads > 1
    transcript = recogniser.transcribe(waveform, Options(word_times=True), shares.append)
    assert len(shares) == len(transcript.segments) >= 5
    assert shares == sorted(shares)
    assert all(a.end_s <= b.start_s for a, b in pairwise(transcript.segments))
    assert SequenceMatcher(None, said, _plain(transcript.text), autojunk=False).ratio() > 0.7
    monkeypatch.setattr(recogniser._model, "n_threads", 1)
    one_by_one = recogniser.transcribe(waveform, Options(word_times=True))
    assert transcript.model_copy(update={"compute_s": 0.0}) == one_by_one.model_copy(update={"compute_s": 0.0})


def test_each_piece_of_a_long_recording_falls_back_by_itself(recogniser, sound, monkeypatch):
    """The sure piece is encoded once, the unsure one again later, the one that hits the limit again in full."""
    names = ("en/asterisk_vm-rec-busy.flac", "es/asterisk_conf-unmuted.flac", "es/asterisk_vm-helpexit.flac")
    waveforms = [sound(name)[0] for name in names]
    long = np.concatenate([np.pad(waveform, (0, 2 * RATE)) for waveform in waveforms])
    spans = recogniser.speech(long)
    limited_s = spans[-1].n_samples / RATE
    limit, encode, seen = reading.max_tokens, recogniser._model.encode, []
    monkeypatch.setattr(reading, "max_tokens", lambda s: 3 if s == limited_s else limit(s))

    def counted(heard, window_s):
        seen.append((len(heard), window_s))
        return encode(heard, window_s)

    monkeypatch.setattr(recogniser._model, "encode", counted)
    recogniser.transcribe(long, Options())
    lengths = [span.n_samples for span in spans]
    usual = [(n, reading.window_s(n / RATE)) for n in lengths]
    later = lengths[1] + round(SHIFT_S * RATE)
    assert len(spans) == 3
    assert sorted(seen) == sorted([*usual, (later, reading.window_s(later / RATE)), (lengths[2], 30.0)])
