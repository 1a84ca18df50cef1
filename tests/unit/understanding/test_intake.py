"""What counts as a text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_hive.errors import TextRejectedError
from neural_hive.understanding.intake import clean_text


@pytest.mark.parametrize(
    ("given_text", "cleaned"),
    [
        ("Apagar as contas", "Apagar as contas"),
        ("  a\t\n", "a"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\u200bb\u2060c\ufeff", "abc"),
        ("approve\u202eevorppa", "approveevorppa"),
        ("hid\U000e0041den", "hidden"),
        ("soft\u00adhyphen", "softhyphen"),
        ("bell\x07 escape\x1b[31m", "bell escape[31m"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("e\u200d\u0301", "\u00e9"),
        ("42", "42"),
        ("日本", "日本"),
    ],
)
def test_a_text_is_what_a_reader_sees(given_text: str, cleaned: str) -> None:
    assert clean_text(given_text, 100) == cleaned


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200b\u200d", "\ufeff", "?!", "…", "\x01\x02", "\u0301", "🙂"])
def test_a_text_without_letter_or_digit_is_none(text: str) -> None:
    with pytest.raises(TextRejectedError, match="neither a letter nor a digit"):
        clean_text(text, 100)


def test_a_text_with_a_nul_is_no_text() -> None:
    with pytest.raises(TextRejectedError, match="NUL"):
        clean_text("a\0b", 100)


def test_the_longest_text_is_still_one() -> None:
    assert clean_text("a" * 100, 100) == "a" * 100
    with pytest.raises(TextRejectedError, match="at most 100"):
        clean_text("a" * 101, 100)


def test_a_text_that_grows_when_normalised_is_measured_again() -> None:
    with pytest.raises(TextRejectedError, match="once normalised"):
        clean_text("\u0958" * 60, 100)


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_cleaning_a_clean_text_changes_nothing(text: str) -> None:
    try:
        cleaned = clean_text(text, 1000)
    except TextRejectedError:
        return
    assert clean_text(cleaned, 1000) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in cleaned if c not in "\n\t")
