"""Words get the times at which the attention rests on them."""

import numpy as np

from neural_hive.understanding.speech.alignment import token_times


def test_a_diagonal_attention_gives_equal_times():
    attention = np.full((2, 4, 100), 1e-4, np.float32)
    for token in range(4):
        attention[:, token, token * 25 : token * 25 + 25] = 1
    times = token_times(attention, 2.0)
    np.testing.assert_allclose(times, [0, 0.5, 1.0, 1.5, 2.0], atol=0.1)


def test_times_never_go_back_nor_past_the_end():
    attention = np.random.default_rng(0).random((3, 12, 60)).astype(np.float32)
    times = token_times(attention, 1.0)
    assert len(times) == 13
    assert np.all(np.diff(times) >= 0)
    assert times[-1] == 1.0
    assert times[0] >= 0


def test_more_tokens_than_positions_do_not_break_it():
    times = token_times(np.ones((1, 9, 4), np.float32), 0.05)
    assert len(times) == 10
    assert np.all(times <= 0.05)
