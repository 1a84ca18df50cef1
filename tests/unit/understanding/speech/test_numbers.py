"""Small counts are written in words; dates, names, amounts and codes keep their digits."""

import numpy as np
import pytest

from neural_hive.understanding.speech.decode import Decoding, max_tokens
from neural_hive.understanding.speech.model import WhisperModel
from neural_hive.understanding.speech.numbers import counts_small, differ_only_in_numbers


@pytest.mark.parametrize(
    "text",
    [
        "Apagar contas inativas há 5 anos.",
        "Quedan 2 servidores y 10 réplicas",
        "8 of spades, 4 of clubs, 7 of hearts.",
        "5, 5.",
    ],
)
def test_small_counts_are_found(text):
    assert counts_small(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "no digits at all",
        "",
        "keep 90 days",
        "version 3 of the API",
        "no dia 3 de março",
        "3 de marzo",
        "on March 3",
        "cut cost by 5%",
        "pay R$5 now",
        "at 5:30",
        "2.5 times",
        "OAuth2 and 3 keys",
        "1 2 3 4 5 6 7 8 9 0 9",
        "dial 5 5 5",
    ],
)
def test_dates_names_amounts_and_codes_keep_their_digits(text):
    assert not counts_small(text.split())


@pytest.mark.parametrize(
    ("written", "said", "expected"),
    [
        ("há 5 anos.", "Há cinco anos", True),
        ("5, 5.", "five, five", True),
        ("for 2 GB", "for two gigabytes", False),
        ("for 2 hours", "for 2 hours", False),
        ("for 2 hours", "for hours", False),
    ],
)
def test_words_are_taken_only_where_nothing_else_differs(written, said, expected):
    assert differ_only_in_numbers(written.split(), said.split()) is expected


def test_a_reading_in_words_holds_no_digit(tiny):
    model = WhisperModel(tiny, n_threads=1)
    digits = {token for token, is_digit in zip(model.tokens.sayable.tolist(), model.numerals, strict=True) if is_digit}
    sound = np.random.default_rng(5).normal(0, 0.1, 8_000).astype(np.float32)
    memories = [model.encode(sound, 2.0)]
    read = {}
    for forbidden in (~model.numerals, model.numerals):
        allowed = forbidden.copy()
        allowed[model.tokens.sayable == model.tokens.eot] = False
        decoding = Decoding(model, memories, forbidden=allowed)
        read[bool(forbidden[0] == model.numerals[0])] = decoding.run(
            decoding.begin([model.tokens.sot]), max_tokens(0.5), 0.0
        ).tokens
    assert set(read[False]) <= digits
    assert read[False]
    assert not set(read[True]) & digits


def test_it_is_heard_so(recogniser, recordings):
    from neural_hive.understanding.audio import decode
    from neural_hive.understanding.speech.recognise import Options

    heard = recogniser.transcribe(decode((recordings / "en" / "cards_004.flac").read_bytes()), Options())
    assert "".join(c for c in heard.text.casefold() if c.isalpha() or c == " ").split() == ["five", "five"]
