"""A text's meaning as one vector: half the sentence, half its words in context."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from neural_hive.learning.intents import LabelledText, TrainingOptions, load_model, save_model, train_intents
from neural_hive.learning.intents.meaning import fit_meaning, read_texts

Floats = NDArray[np.float32]


class Plain:
    """Sentence vectors alone, which say nothing: all the same."""

    digest = "3" * 64

    def encode(self, texts: Sequence[str]) -> Floats:
        return np.tile(np.asarray([1, 0, 0, 0], dtype=np.float32), (len(texts), 1))


class Reading(Plain):
    """Also the words: one direction a verb, whatever the n-grams, on a large common offset."""

    digest = "4" * 64

    def encode_words(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        rng = np.random.default_rng(0)
        directions = rng.normal(size=(2, 6)) * [1, 1, 1, 0.01, 0.01, 0.01]
        words = [100 + directions[text.startswith("x")] + 0.001 * len(text) for text in texts]
        return self.encode(texts), np.asarray(words, dtype=np.float32).reshape(len(texts), 6)


def spread(n: int = 400) -> Floats:
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    return (rng.normal(size=(n, 6)) * [9, 3, 1, 1, 0.3, 0.01] @ turn + 50).astype(np.float32)


def test_every_axis_of_the_words_counts_the_same_and_one_of_noise_is_left_out() -> None:
    words = spread()
    meaning = fit_meaning(words)
    along = (words - meaning.center) @ meaning.axes
    assert np.allclose(along.T @ along / len(words), np.eye(5), atol=0.02)


def test_both_halves_weigh_the_same_and_the_whole_has_length_one() -> None:
    words = spread()
    sentences = np.tile(np.asarray([[0.6, 0.8]], dtype=np.float32), (len(words), 1))
    whole = fit_meaning(words).of(sentences, words)
    assert whole.shape == (400, 2 + 5)
    assert np.allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)
    assert np.allclose(whole[:, :2] @ [0.6, 0.8], 0.5**0.5, atol=1e-5)


def test_few_texts_give_few_axes_and_a_handful_none() -> None:
    assert fit_meaning(spread(24)).axes.shape == (6, 3)
    sentences = np.eye(4, dtype=np.float32)
    assert np.array_equal(fit_meaning(spread(4)).of(sentences, spread(4)), sentences)


def test_an_encoder_without_words_gives_its_sentence_vectors_alone() -> None:
    sentences, words = read_texts(Plain(), ["a", "b"])
    assert words.shape == (2, 0)
    assert np.array_equal(fit_meaning(words).of(sentences, words), Plain().encode(["a", "b"]))


def rows() -> list[LabelledText]:
    return [LabelledText(f"{verb}{n}", label) for verb, label in (("x", "on"), ("y", "off")) for n in range(100, 180)]


def test_what_only_the_words_tell_is_learnt_kept_and_loaded(tmp_path: Path) -> None:
    options = TrainingOptions(n_folds=2, n_landmarks=32)
    model = train_intents(rows(), options, encoder=Reading())
    save_model(model, tmp_path / "m")
    asked = ["x???", "zzzz", "x!!!", "wwww"]
    assert [answer.label for answer in model.label(asked)] == ["on", "off", "on", "off"]
    assert load_model(tmp_path / "m", Reading()).label(asked) == model.label(asked)


@pytest.mark.parametrize("encoder", [Plain(), Reading()])
def test_it_learns_from_n_grams_with_either_encoder(encoder: Plain) -> None:
    model = train_intents(rows(), TrainingOptions(n_folds=2, n_landmarks=32), encoder=encoder)
    assert [answer.label for answer in model.label(["x101", "y101"])] == ["on", "off"]
