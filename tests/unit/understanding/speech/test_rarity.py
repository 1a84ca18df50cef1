"""What people write costs a reading nothing; what nobody writes costs most."""

import numpy as np
import pytest

from neural_hive.errors import ModelError
from neural_hive.learning.rare_words import own_words, table, zipf
from neural_hive.understanding.speech.rarity import COMMON, COST_PER_ZIPF, Rarity, code, plain_words

MOST = COST_PER_ZIPF * COMMON


@pytest.fixture(scope="module")
def rarity():
    return Rarity()


@pytest.mark.parametrize(
    ("language", "common", "misheard"),
    [
        ("es", "Presione la tecla, por favor: ¿correo?", "presioni"),
        ("pt", "Apagar as contas inativas, sem reversão!", "disactivado"),
        ("en", "Don't drop the customers' table", "anstericks"),
    ],
)
def test_what_people_write_costs_nothing_and_what_nobody_writes_costs_most(rarity, language, common, misheard):
    cost = rarity.of(language)
    assert cost(common) == 0
    assert cost(misheard) == MOST
    assert cost(f"{common} {misheard} {misheard}") == 2 * MOST


def test_a_rare_word_costs_less_than_none(rarity):
    assert 0 < rarity.of("es")("comadrejas") < MOST


def test_what_the_caller_expects_costs_nothing(rarity):
    assert rarity.of("pt")("Zyntriq") == MOST
    assert rarity.of("pt", ("Zyntriq Core",))("zyntriq,") == 0


def test_numbers_and_other_languages_cost_nothing(rarity):
    assert rarity.of("en")("2026-11-23 OAuth2 v3") == 0
    assert rarity.of("fr")("ansterisco") == 0


@pytest.mark.parametrize("language", ["pt", "es", "en"])
def test_technologies_and_borrowed_words_cost_nothing(rarity, language):
    assert rarity.of(language)("rollback Kubernetes PostgreSQL firewall staging OpenTelemetry backlog") == 0


def test_the_repository_has_words_of_its_own_in_each_language():
    words = set(own_words())
    assert {("pt", "retenção"), ("es", "postgresql"), ("en", "rollback")} <= words


def test_words_are_taken_out_of_their_punctuation():
    assert plain_words("¡Hola, guarda-chuva! 'Don't' 3rd") == ["hola", "guarda", "chuva", "don't"]


def test_a_table_says_what_it_was_made_of():
    steps, tenths = table(zipf({"casa": 1e-4, "comadrejas": 1e-7, "x": 1e-9}))
    assert np.cumsum(steps, dtype=np.uint32).tolist() == sorted([code("casa"), code("comadrejas")])
    assert sorted(tenths.tolist()) == [0, 10]


def test_a_missing_or_damaged_table_is_a_model_error(tmp_path):
    with pytest.raises(ModelError):
        Rarity(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no table")
    with pytest.raises(ModelError):
        Rarity(tmp_path / "text.npz")
