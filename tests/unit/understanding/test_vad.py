"""Speech is found; silence, noise and music are not speech."""

from itertools import pairwise

import numpy as np
import pytest
from tests.music import pieces

from neural_hive.errors import ModelError
from neural_hive.understanding.vad import FRAME, Span, VadOptions, VoiceActivityDetector, group, pad, speech

RATE = 16_000
MUSIC = pieces(10.0)
RNG = np.random.default_rng(11)
T = np.arange(RATE * 10) / RATE
_CHORD = sum(np.sin(2 * np.pi * f * T) * (0.5 + 0.5 * np.sin(2 * np.pi * r * T)) for f, r in ((110, 4), (220, 1), (277, 2)))


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(RATE * 10),
        RNG.normal(0, 0.1, RATE * 10),
        RNG.normal(0, 0.001, RATE * 10),
        np.cumsum(RNG.normal(0, 0.001, RATE * 10)).clip(-1, 1),
        0.3 * np.sign(np.sin(2 * np.pi * 50 * T)),
        0.1 * _CHORD,
    ],
    ids=["silence", "white noise", "soft noise", "brown noise", "mains hum", "chord"],
)
def test_no_speech_is_found_where_nobody_speaks(sound):
    assert VoiceActivityDetector().spans(sound.astype(np.float32)) == []


@pytest.mark.parametrize("kind", MUSIC)
def test_music_is_not_speech(kind):
    assert VoiceActivityDetector().spans(MUSIC[kind]) == []


def _frames(*parts):
    return np.concatenate([np.full(n, p, np.float32) for n, p in parts])


def test_a_short_pause_does_not_split_and_a_long_one_does():
    short = speech(_frames((20, 0.9), (5, 0.1), (20, 0.9)), VadOptions())
    long = speech(_frames((20, 0.9), (40, 0.1), (20, 0.9)), VadOptions())
    assert (len(short), len(long)) == (1, 2)
    assert short[0] == Span(0, 45 * FRAME)


def test_hovering_below_the_peak_is_not_speech():
    assert speech(_frames((50, 0.6)), VadOptions()) == []


def test_padding_never_overlaps_nor_leaves_the_recording():
    assert pad([Span(100, 200), Span(220, 300)], 320, 50) == [Span(50, 210), Span(210, 320)]


def test_pieces_are_joined_up_to_the_limit_and_cut_beyond_it():
    spans = [Span(0, 5 * RATE), Span(6 * RATE, 12 * RATE), Span(13 * RATE, 60 * RATE)]
    pieces = group(spans, max_s=20, max_pause_s=1.5)
    assert pieces[0] == Span(0, 12 * RATE)
    assert all(piece.n_samples <= 20 * RATE for piece in pieces)
    assert pieces[-1].end == 60 * RATE
    assert all(a.end <= b.start for a, b in pairwise(pieces))


def test_a_long_pause_always_separates():
    assert len(group([Span(0, RATE), Span(4 * RATE, 5 * RATE)], max_s=20, max_pause_s=1.5)) == 2


def test_any_length_of_sound_has_a_probability_per_frame():
    detector = VoiceActivityDetector()
    for n_samples in (0, 1, 511, 512, 513, 16_000):
        found = detector.probabilities(np.zeros(n_samples, np.float32))
        assert len(found) == -(-n_samples // FRAME)


def test_a_damaged_or_missing_detector_is_a_model_error(tmp_path):
    with pytest.raises(ModelError):
        VoiceActivityDetector(tmp_path / "missing.onnx")
