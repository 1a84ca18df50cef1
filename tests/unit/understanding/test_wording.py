"""Votes of words: training and serving compute the same, nothing said before matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_hive.phrases import split_words
from neural_hive.understanding.wording import Wording, WordVotes, parts, units

TEXTS = [
    split_words(t).folded
    for t in (
        "O sistema deve exigir senha no acesso",
        "Permitir o acesso somente com senha",
        "The system shall require a password",
        "La contraseña se exigirá en el acceso",
        "exigir a senha em 30 dias",
        "exigir a senha em 90 dias",
    )
]
WORDING = Wording.learn(TEXTS, 2)
WEIGHTS = np.random.default_rng(5).normal(size=(len(WORDING.vocabulary), 3)).astype(np.float32)
WORDS = st.lists(st.sampled_from(["exigir", "senha", "acesso", "systems", "30", "77", "‹person›", "ñandu", ""]), max_size=12)


def row_of(words: tuple[str, ...]) -> np.ndarray:
    row = np.zeros(len(WORDING.vocabulary), dtype=np.float32)
    for column, value in WORDING.row(words).items():
        row[column] = value
    return row


@given(WORDS)
def test_votes_are_the_trained_row_times_the_weights(words: list[str]) -> None:
    votes = WordVotes(WORDING, WEIGHTS).logits(words)
    assert votes == pytest.approx(row_of(tuple(words)) @ WEIGHTS, abs=1e-4)


@given(WORDS, WORDS)
def test_a_text_votes_the_same_whatever_came_before(first: list[str], second: list[str]) -> None:
    used = WordVotes(WORDING, WEIGHTS)
    used.logits(first)
    assert used.logits(second).tobytes() == WordVotes(WORDING, WEIGHTS).logits(second).tobytes()


def test_a_word_never_seen_votes_through_its_parts() -> None:
    assert "=exigirao" not in WORDING.vocabulary
    assert np.abs(WordVotes(WORDING, WEIGHTS).logits(["exigirao"])).sum() > 0


def test_words_without_a_known_part_do_not_vote() -> None:
    votes = WordVotes(WORDING, WEIGHTS)
    assert votes.logits(["zzz", "ukulele"]).tolist() == [0, 0, 0]
    assert votes.logits([]).tolist() == [0, 0, 0]


def test_of_a_number_only_the_length_counts() -> None:
    assert parts("30") == parts("90")
    assert parts("30") != parts("300")


def test_units_are_words_and_neighbours() -> None:
    assert units(["exigir", "a", "senha"]) == ["exigir", "a", "senha", "exigir a", "a senha"]


def test_the_vocabulary_does_not_depend_on_the_order_of_texts() -> None:
    turned = Wording.learn(TEXTS[::-1], 2)
    assert turned.vocabulary == WORDING.vocabulary
    assert turned.idf.tobytes() == WORDING.idf.tobytes()
