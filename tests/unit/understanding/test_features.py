"""Training and serving read a text the same way."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from neural_hive.understanding.features import (
    VIEWS,
    NgramView,
    SparseRows,
    char_ngrams,
    count,
    coverage,
    inverse_document_frequency,
    learn_vocabulary,
    plain,
    weigh,
    word_ngrams,
    word_pairs,
)

TEXTS = ["Desligar as luzes da sala", "Ligar as luzes", "Qué hora es", "Turn the lights off, off!", "", "  \n"]


def dense(rows: SparseRows) -> NDArray[np.float32]:
    out = np.zeros((len(rows), rows.n_columns), dtype=np.float32)
    out[rows.row_of, rows.columns] = rows.values
    return out


def view_of(name: str, texts: list[str]) -> NgramView:
    vocabulary = learn_vocabulary(texts, name)
    counts, _ = count(texts, name, vocabulary)
    return NgramView(name, vocabulary, inverse_document_frequency(len(texts), counts.document_frequency()))


def test_words_and_pairs_of_words() -> None:
    assert word_ngrams("as luzes, já") == ["as", "luzes", "já", "as luzes", "luzes já"]


def test_pairs_of_words_stand_in_their_order_and_know_the_ends() -> None:
    assert word_pairs("já não") == ["^ já", "^ não", "^ $", "já não", "já $", "não $"]
    assert "a d" in word_pairs("a b c d e")
    assert "a e" not in word_pairs("a b c d e")
    assert word_pairs("?!") == []


def test_characters_stay_within_a_word_and_know_its_edges() -> None:
    assert sorted(char_ngrams("já é")) == sorted([" j", "já", "á ", " já", "já ", " já ", " é", "é ", " é "])


def test_the_plain_form_unifies_case_and_compatibility_characters() -> None:
    assert plain("ＡÇÃＯ ﬁm") == "ação fim"
    assert plain("\ud800 é") == "? é"


def test_columns_are_alphabetical_so_that_the_order_of_the_texts_does_not_matter() -> None:
    vocabulary = learn_vocabulary(TEXTS, "words")
    assert vocabulary == learn_vocabulary(TEXTS[::-1], "words")
    assert list(vocabulary) == sorted(vocabulary)
    assert list(vocabulary.values()) == list(range(len(vocabulary)))


@pytest.mark.parametrize("name", VIEWS)
def test_rows_have_length_one_or_are_empty(name: str) -> None:
    rows, known = view_of(name, TEXTS).transform(TEXTS)
    lengths = np.linalg.norm(dense(rows), axis=1)
    assert np.allclose(lengths, [1, 1, 1, 1, 0, 0], atol=1e-6)
    assert known.tolist() == [1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("name", VIEWS)
def test_a_text_reads_the_same_alone_and_among_others(name: str) -> None:
    view = view_of(name, TEXTS)
    together = dense(view.transform(TEXTS)[0])
    for at, text in enumerate(TEXTS):
        assert np.array_equal(dense(view.transform([text])[0])[0], together[at])


def test_weights_by_hand() -> None:
    # two texts; "a" in both, "b" in one; "b" three times in the second text
    vocabulary = {"a": 0, "b": 1}
    counts, _ = count(["a", "a b b b"], "words", vocabulary)
    idf = inverse_document_frequency(2, counts.document_frequency())
    assert idf.tolist() == pytest.approx([1.0, np.log(3 / 2) + 1])
    b = (1 + np.log(3)) * idf[1]
    assert dense(weigh(counts, idf))[1].tolist() == pytest.approx([1 / np.hypot(1, b), b / np.hypot(1, b)])


def test_coverage_is_the_share_of_ngrams_that_was_seen_before() -> None:
    view = view_of("words", ["ligar as luzes"])
    _, known = view.transform(["ligar as cores", "nada disto"])
    assert known.tolist() == pytest.approx([3 / 5, 0])  # ligar, as, ligar as; not cores, as cores


def test_rows_can_be_taken_and_columns_kept() -> None:
    counts, totals = count(TEXTS, "words", learn_vocabulary(TEXTS, "words"))
    wanted = counts.document_frequency() > 1
    taken = np.asarray([3, 0, 4])
    assert np.array_equal(dense(counts.take(taken)), dense(counts)[taken])
    assert np.array_equal(dense(counts.keep(wanted)), dense(counts)[:, wanted])
    assert coverage(counts.keep(wanted), totals)[4] == 0


def test_a_word_without_end_costs_no_more_than_a_long_one() -> None:
    assert len(char_ngrams("x" * 100_000)) == len(char_ngrams("x" * 64))
