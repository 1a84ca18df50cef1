"""Terms are put right where they were heard, and nowhere else."""

import pytest

from neural_hive.understanding.speech.jargon import HeardWord, Vocabulary, replaced, sound_key

TERMS = ("Kubernetes", "OAuth2", "rollback", "PostgreSQL", "Grafana", "deploy", "SAP")


def _heard(text: str, confidence: float) -> list[HeardWord]:
    return [HeardWord(f" {word}", confidence) for word in text.split()]


def _corrected(text: str, confidence: float) -> str:
    words = _heard(text, confidence)
    texts = [word.text for word in words]
    for fix in reversed(Vocabulary(TERMS).corrections(words)):
        texts[fix.start : fix.end] = [replaced("".join(texts[fix.start : fix.end]), fix.text)]
    return "".join(texts).strip()


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ("migrar para cubernetes hoje", "migrar para Kubernetes hoje"),
        ("fazer um roll back, agora", "fazer um rollback, agora"),
        ("usar o auth dois no login", "usar OAuth2 no login"),
        ("painel no grafanna.", "painel no Grafana."),
        ("banco postgres quel", "banco PostgreSQL"),
    ],
)
def test_an_unsure_word_that_sounds_like_a_term_becomes_it(heard, expected):
    assert _corrected(heard, 0.4) == expected


@pytest.mark.parametrize("said", ["apagar as contas inativas", "o gráfico da semana", "depois", "save the file", "sapo", "role"])
def test_other_words_are_left_alone_however_unsure(said):
    assert _corrected(said, 0.1) == said


def test_a_sure_word_that_only_resembles_a_term_is_left_alone():
    assert _corrected("kubernete", 0.95) == "kubernete"


def test_the_case_of_a_term_is_put_right_even_when_sure():
    assert _corrected("kubernetes", 0.99) == "Kubernetes"


def test_without_terms_nothing_changes():
    assert Vocabulary(()).corrections(_heard("qualquer coisa", 0.0)) == []


def test_spellings_of_one_sound_share_a_key():
    assert sound_key("Kubernetes") == sound_key("cubernetes")
    assert sound_key("ç") == sound_key("c")
