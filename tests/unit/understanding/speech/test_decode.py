"""The signs that a reading cannot be trusted, and the search itself on a model that says nonsense."""

import numpy as np
import pytest

from neural_hive.understanding.speech.decode import Decoding, agreed, compression_ratio, max_tokens, repeats_from
from neural_hive.understanding.speech.model import Step, WhisperModel
from neural_hive.understanding.speech.reading import window_s


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("apagar as contas inativas", None),
        ("apagar as contas inativas apagar as contas inativas", 4),
        ("apagar as contas inativas. Apagar as contas inativas.", 4),
        ("no no no no", 1),
        ("no, no, no puede ser", None),
        ("five five", None),
        ("muito muito obrigado", None),
        ("eu quero o que eu quero o que eu pedi", 4),
        ("", None),
    ],
)
def test_a_loop_is_found_where_it_starts(said, at):
    assert repeats_from(said.split()) == at


def test_loops_compress_and_sentences_do_not():
    assert compression_ratio("drop the old index after the migration has been verified") < 1.5
    assert compression_ratio("thank you " * 40) > 2.4
    assert compression_ratio("") == 0.0


@pytest.mark.parametrize(("speech_s", "expected"), [(0.5, 8.0), (6.0, 8.0), (6.1, 8.5), (10.0, 12.0), (28.5, 30.0), (40.0, 30.0)])
def test_the_window_is_two_seconds_longer_than_the_speech_and_at_least_eight(speech_s, expected):
    assert window_s(speech_s) == expected


def test_the_search_ends_and_aligns_every_token(tiny):
    model = WhisperModel(tiny, n_threads=1)
    memory = model.encode(np.zeros(16_000, np.float32), 2.0)
    decoding = Decoding(model, [memory])
    decoding.feed([model.tokens.sot])
    first = decoding.begin([model.tokens.languages["pt"], model.tokens.transcribe, model.tokens.no_timestamps])
    reading = decoding.run(first, max_tokens(0.5), 0.0)
    assert len(reading.tokens) == len(reading.logprobs) == reading.attention.shape[1] <= max_tokens(0.5)
    assert all(token < model.tokens.eot for token in reading.tokens)
    assert reading.avg_logprob <= 0


def test_a_word_that_costs_too_much_is_not_said(tiny):
    model = WhisperModel(tiny, n_threads=1)
    sound = np.random.default_rng(5).normal(0, 0.1, 8_000).astype(np.float32)

    def read(cost):
        decoding = Decoding(model, [model.encode(sound, 2.0)])
        reading = decoding.run(decoding.begin([model.tokens.sot]), 20, 0.0, cost)
        return reading, [text.strip() for text, _ in model.tokens.words(reading.tokens)]

    usual, words = read(lambda _: 0.0)
    dear = words[0]
    other, instead = read(lambda text: 1_000.0 * (text.strip() == dear))
    assert dear not in instead[:-1]
    assert other.avg_logprob <= usual.avg_logprob


def test_the_same_sound_gives_the_same_reading(tiny):
    model = WhisperModel(tiny, n_threads=1)
    sound = np.random.default_rng(5).normal(0, 0.1, 8_000).astype(np.float32)
    readings = []
    for _ in range(2):
        decoding = Decoding(model, [model.encode(sound, 2.0)])
        readings.append(decoding.run(decoding.begin([model.tokens.sot]), 20, 0.0))
    assert readings[0].tokens == readings[1].tokens
    assert readings[0].logprobs == readings[1].logprobs


def _step(probabilities, n_best=2):
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array([probabilities], np.float32))
    order = np.argsort(-log_probs, axis=-1)[:, :n_best]
    return Step(np.take_along_axis(log_probs, order, -1), order, np.zeros((1, 1, 4), np.float32), log_probs)


def test_what_two_encodings_agree_on_is_likelier_than_what_one_is_sure_of():
    both = agreed([_step([0.5, 0.45, 0.05, 0.0]), _step([0.02, 0.48, 0.5, 0.0])])
    assert both.best_index[0, 0] == 1
    assert np.isclose(np.exp(both.log_probs).sum(), 1, atol=1e-6)
    assert both.log_probs[0, 3] == -np.inf
    assert both.best[0].tolist() == both.log_probs[0, both.best_index[0]].tolist()


def test_a_sound_encoded_twice_the_same_way_is_read_as_once(tiny):
    model = WhisperModel(tiny, n_threads=1)
    memory = model.encode(np.random.default_rng(5).normal(0, 0.1, 8_000).astype(np.float32), 2.0)
    readings = []
    for memories in ([memory], [memory, memory]):
        decoding = Decoding(model, memories)
        readings.append(decoding.run(decoding.begin([model.tokens.sot]), 20, 0.0))
    assert readings[0].tokens == readings[1].tokens
    assert np.allclose(readings[0].logprobs, readings[1].logprobs, atol=1e-4)
