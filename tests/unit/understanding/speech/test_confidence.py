"""Confidence is a probability that rises with the log-probability."""

import pytest

from neural_hive.understanding.speech.confidence import utterance_confidence, word_confidence


def test_a_likelier_word_is_trusted_more():
    scores = [word_confidence([logprob], -0.3, 0.0) for logprob in (-4.0, -1.0, -0.3, -0.01)]
    assert scores == sorted(scores)
    assert all(0 <= score <= 1 for score in scores)


def test_a_word_that_nobody_writes_is_trusted_less():
    scores = [word_confidence([-0.1], -0.1, cost) for cost in (1.2, 0.4, 0.0)]
    assert scores == sorted(set(scores))


def test_one_doubtful_word_lowers_the_whole():
    assert utterance_confidence([0.99, 0.2]) < utterance_confidence([0.99, 0.95])


def test_a_long_transcript_is_not_doubted_for_its_length():
    words = [0.97, 0.99, 0.95]
    assert utterance_confidence(words) == pytest.approx(utterance_confidence(words * 12))


def test_nothing_heard_is_not_trusted():
    assert utterance_confidence([]) == 0.0
    assert word_confidence([], 0.0, 0.0) == 0.0
