"""Short, mixed, unaccented and foreign texts are told apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_hive.errors import ModelError
from neural_hive.understanding.language import LanguageIdentifier

IDENTIFIER = LanguageIdentifier()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("borrar todos", "es"),
        ("o site caiu", "pt"),
        ("apagar logs", "pt"),
        ("delete logs", "en"),
        ("fazer o rollback do deploy", "pt"),
        ("hacer rollback del deploy", "es"),
        ("rollback the deploy", "en"),
        ("nao consigo logar", "pt"),
        ("no puedo entrar", "es"),
        ("cant log in", "en"),
        ("manutencao programada", "pt"),
        ("disco lleno", "es"),
        ("disco cheio", "pt"),
        ("disk full", "en"),
        ("Apagar as contas inativas há mais de cinco anos", "pt"),
        ("Eliminar las cuentas inactivas desde hace más de cinco años", "es"),
        ("Delete the accounts inactive for more than five years", "en"),
        ("cliente ‹person-1› quer apagar a conta ‹cpf-1›", "pt"),
        ("Bonjour, pourriez-vous supprimer les comptes inactifs ?", "fr"),
        ("puoi riavviare il server di produzione", "it"),
        ("kannst du bitte den Server neu starten", "de"),
        ("cal renovar el certificat del domini abans de divendres", "ca"),
        ("podedes engadir unha nova columna á lista", "gl"),
        ("пожалуйста, удалите старые записи", "ru"),
        ("古いアカウントを削除してください", "ja"),
        ("asdfgh qwerty zxcvb", "und"),
        ("kkkkkkkkkk", "und"),
        ("12345 67", "und"),
        ("", "und"),
        ("🔥🔥", "und"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert IDENTIFIER.identify(text).language == language


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("Você pode deletar o arquivo do usuário?", "pt-BR"),
        ("o time está fazendo o cadastro na tela nova", "pt-BR"),
        ("Podes apagar o ficheiro do utilizador?", "pt-PT"),
        ("a equipa está a fazer o registo no ecrã novo", "pt-PT"),
        ("apagar a conta", ""),
        ("delete the user", ""),
    ],
)
def test_variety_of_portuguese(text: str, variant: str) -> None:
    assert IDENTIFIER.identify(text).variant == variant


def test_a_hint_settles_the_variety_that_the_text_leaves_open() -> None:
    assert IDENTIFIER.identify("apagar a conta", hint="pt-PT").variant == "pt-PT"


def test_a_hint_does_not_overrule_a_clear_text() -> None:
    assert IDENTIFIER.identify("please delete the old accounts of the customers", hint="pt").language == "en"


def test_a_hint_is_believed_when_there_are_no_words() -> None:
    assert IDENTIFIER.identify("123", hint="es").language == "es"


def test_a_text_in_two_languages_is_mixed_and_borrowed_words_are_not() -> None:
    assert IDENTIFIER.identify("please apague os logs do servidor antigo and restart the service now").is_mixed
    assert not IDENTIFIER.identify("fazer o rollback do deploy e abrir um pull request no repositório").is_mixed


def test_a_missing_model_is_an_error_that_says_so(tmp_path: object) -> None:
    with pytest.raises(ModelError):
        LanguageIdentifier(tmp_path / "none.npz")  # type: ignore[operator]


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200), hint=st.one_of(st.none(), st.text(max_size=6)))
def test_any_text_has_an_answer(text: str, hint: str | None) -> None:
    heard = IDENTIFIER.identify(text, hint)
    assert 0.0 <= heard.probability <= 1.0
    assert 2 <= len(heard.language) <= 3
    assert heard.variant in ("", "pt-BR", "pt-PT")


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=80))
def test_the_same_text_always_gets_the_same_answer(text: str) -> None:
    assert LanguageIdentifier().identify(text) == IDENTIFIER.identify(text)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["a", "a.", "1a", "a@", "‹", "é"])
def test_hostile_texts_are_read_in_linear_time(piece: str) -> None:
    IDENTIFIER.identify(piece * 100_000)
