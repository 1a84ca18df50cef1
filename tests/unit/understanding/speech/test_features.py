"""The spectrogram is the one Whisper was trained on."""

import numpy as np
import pytest

from neural_hive.understanding.speech.features import LogMel, mel_filters


def test_the_filter_bank_has_triangles_of_equal_area():
    bank = mel_filters(80)
    assert bank.shape == (80, 201)
    # Values of the bank that openai/whisper ships (mel_filters.npz, mel_80).
    assert bank[0, 1] == pytest.approx(0.02486259, abs=1e-6)
    assert bank[79].argmax() == 195 or bank[79].max() > 0


@pytest.mark.parametrize("n_samples", [1, 100, 16_000, 31_999, 128_000, 200_000])
def test_any_length_of_sound_fills_the_window_asked_for(n_samples):
    sound = np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)
    mel = LogMel()(sound, 8.0)
    assert mel.shape == (1, 80, 800)
    assert mel.dtype == np.float32
    assert np.isfinite(mel).all()
    assert mel.max() - mel.min() <= 2.0 + 1e-5


def test_silence_after_the_sound_is_the_same_as_silence_in_it():
    sound = np.random.default_rng(0).normal(0, 0.1, 20_000).astype(np.float32)
    padded = np.pad(sound, (0, 60_000))
    np.testing.assert_allclose(LogMel()(sound, 8.0), LogMel()(padded, 8.0), atol=1e-6)
