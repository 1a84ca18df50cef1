"""Confidence is a probability that rises with the log-probability."""

from neural_hive.understanding.speech.confidence import utterance_confidence, word_confidence


def test_a_likelier_word_is_trusted_more():
    scores = [word_confidence([logprob], -0.3) for logprob in (-4.0, -1.0, -0.3, -0.01)]
    assert scores == sorted(scores)
    assert all(0 <= score <= 1 for score in scores)


def test_one_doubtful_word_lowers_the_whole():
    assert utterance_confidence(-0.2, [0.99, 0.2]) < utterance_confidence(-0.2, [0.99, 0.95])


def test_nothing_heard_is_not_trusted():
    assert utterance_confidence(0.0, []) == 0.0
    assert word_confidence([], 0.0) == 0.0
