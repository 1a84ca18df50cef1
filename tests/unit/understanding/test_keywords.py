"""Keywords name what a text is about: things before deeds, in the words of the text."""

from __future__ import annotations

import pytest

from neural_hive.understanding.frames import FrameReader
from neural_hive.understanding.keywords import MAX_KEYWORDS, keywords
from neural_hive.understanding.stopwords import STOPWORDS

READER = FrameReader()


@pytest.mark.parametrize(
    ("language", "text", "first"),
    [
        ("pt", "Apagar as contas inativas há mais de cinco anos", "contas inativas"),
        ("es", "Borrar las cuentas inactivas de la base de datos", "cuentas inactivas"),
        ("en", "Delete the inactive accounts from the production database", "production database"),
    ],
)
def test_things_come_before_deeds(language: str, text: str, first: str) -> None:
    found = keywords(READER.read(text, language))
    assert found[0] == first
    assert text.split()[0].lower() in found


def test_no_placeholder_number_or_stop_word_is_a_keyword() -> None:
    found = keywords(READER.read("Enviar o relatório 2025 do cliente ‹person-1› para ‹email-1› e ‹email-2›", "pt"))
    assert "enviar" in found
    assert not any("‹" in word or word.isdigit() or word in STOPWORDS for word in found)


def test_a_keyword_never_crosses_a_break_and_is_told_once() -> None:
    found = keywords(READER.read("Trocar o servidor, servidor antigo. Servidor!", "pt"))
    assert "servidor antigo" in found
    assert len(found) == len(set(found))
    assert not any("," in word or "." in word for word in found)


def test_a_thing_of_several_words_stays_whole() -> None:
    assert "base de dados" in keywords(READER.read("Mover a base de dados", "pt"))


def test_short_names_and_hyphenated_words_stay_whole() -> None:
    found = keywords(READER.read("O RH quer o e-mail no painel de BI", "pt"))
    assert {"rh", "e-mail", "bi"} <= {part for word in found for part in word.split()}


def test_there_are_at_most_eight() -> None:
    text = ", ".join(f"palavra{chr(97 + i)} diferente{chr(97 + i)}" for i in range(20))
    assert len(keywords(READER.read(text, "pt"))) == MAX_KEYWORDS
    assert keywords(READER.read("o de a", "pt")) == ()
