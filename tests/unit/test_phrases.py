"""The phrase language of rubrics and lexicon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_hive.phrases import PhraseMatcher, PhraseSyntaxError, fold, split_words


def found(phrase: str, text: str) -> list[str]:
    words = split_words(text)
    return [words.quote(m.first, m.last)[0] for m in PhraseMatcher([(phrase, 1)]).find(words)]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("migr(ar|acao)", "A migração e migrar", ["migração", "migrar"]),
        ("turn off ... mfa", "Turn off the annoying MFA", ["Turn off the annoying MFA"]),
        ("turn off ... mfa", "Turn off. MFA stays", []),
        ("(plain|clear) text", "in CLEAR TEXT", ["CLEAR TEXT"]),
        ("sem (o|) backup", "sem backup", ["sem backup"]),
        ("autentica*", "sem autenticação", ["autenticação"]),
        ("cliente ‹person›", "cliente ‹person-2› pediu", ["cliente ‹person-2›"]),
        ("drop", "dropdown", []),
        ("share (out|with (all|us))", "share with us", ["share with us"]),
        # articles and prepositions are no distance: pt and es need more of them than en
        (
            "abrir ... internet",
            "abrir a porta do banco de dados para a internet",
            ["abrir a porta do banco de dados para a internet"],
        ),
        ("open ... internet", "open one two three four five internet", []),
        ("open ... internet", "open the " + "the " * 16 + "internet", []),
        ("mand(ar|a|e) ... clave*", "mándamela clave ya", ["mándamela clave"]),
        ("borr(ar|a)", "bórralo, bórralas, borrarlos y borrármelo", ["bórralo", "bórralas", "borrarlos", "borrármelo"]),
        # a phrase that names an infinitive knows the forms in which people ask
        ("tir(ar|a)", "queria que tirassem, tirem e tirando, se tirarem", ["tirassem", "tirem", "tirando", "tirarem"]),
        ("quit(ar)", "que quitaran, quitad y quitadlo", ["quitaran", "quitad", "quitadlo"]),
        ("deslig(ar|a)", "desliguem", ["desliguem"]),
        ("(aplic(ar)|met(er)) ... parche", "apliquen el parche, metan un parche", ["apliquen el parche", "metan un parche"]),
        ("cont(ar)", "a conta", []),
        ("tab", "table", []),
        ("chave de api", "a chave da API", ["chave da API"]),
        ("clave de api", "la clave de la API", ["clave de la API"]),
        ("clave de api", "la clave de mi API", []),
    ],
)
def test_phrases(phrase: str, text: str, expected: list[str]) -> None:
    assert found(phrase, text) == expected


@pytest.mark.parametrize("phrase", ["", "... x", "x ...", "* x", "a (b"])
def test_a_phrase_that_cannot_work_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseSyntaxError):
        PhraseMatcher([(phrase, 1)])


def test_sentences_and_clauses_are_counted() -> None:
    words = split_words("Não, apague. 1.234,56 fica")
    assert words.clause == (0, 1, 2, 2, 2, 2)
    assert words.sentence == (0, 0, 1, 1, 1, 1)


@given(st.text(max_size=300))
def test_words_are_where_they_say(text: str) -> None:
    words = split_words(text)
    for i in range(len(words)):
        quote, start, end = words.quote(i, i)
        assert text[start:end] == quote
        assert fold(quote) == words.folded[i] or words.folded[i].startswith("‹")
