"""What a text names is found with exact offsets and normalised values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_hive.understanding.entities import EntityFinder, find_entities

#: A Monday.
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
FINDER = EntityFinder()


def found(text: str, language: str, kind: str) -> list[str]:
    return [entity.value for entity in FINDER.find(text, language, NOW) if entity.type == kind]


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("até 31/12", "pt", "2026-12-31"),
        ("até 15/03/2027", "pt", "2027-03-15"),
        ("antes del 01/02", "es", "2027-02-01"),
        ("by 12/31", "en", "2026-12-31"),
        ("on 2026-12-01", "en", "2026-12-01"),
        ("amanhã", "pt", "2026-11-24"),
        ("mañana", "es", "2026-11-24"),
        ("tomorrow at noon", "en", "2026-11-24T12:00:00Z"),
        ("depois de amanhã", "pt", "2026-11-25"),
        ("ontem", "pt", "2026-11-22"),
        ("na próxima sexta às 22h", "pt", "2026-11-27T22:00:00Z"),
        ("el viernes que viene a las 22:00", "es", "2026-11-27T22:00:00Z"),
        ("next Monday", "en", "2026-11-30"),
        ("on Friday at 10pm", "en", "2026-11-27T22:00:00Z"),
        ("segunda-feira", "pt", "2026-11-30"),
        ("em 3 dias", "pt", "2026-11-26"),
        ("dentro de 48 horas", "es", "2026-11-25T15:00:00Z"),
        ("in two weeks", "en", "2026-12-07"),
        ("two weeks ago", "en", "2026-11-09"),
        ("end of quarter", "en", "2026-12-31"),
        ("fim do mês", "pt", "2026-11-30"),
        ("fin de año", "es", "2026-12-31"),
        ("semana que vem", "pt", "2026-11-30"),
        ("next month", "en", "2026-12-01"),
        ("no fim de semana", "pt", "2026-11-28"),
        ("25 de dezembro", "pt", "2026-12-25"),
        ("March 3rd, 2027", "en", "2027-03-03"),
        ("em março", "pt", "2027-03-01"),
        ("Q1", "en", "2027-03-31"),
        ("às 8:30", "pt", "2026-11-24T08:30:00Z"),
        ("hoje às 22h", "pt", "2026-11-23T22:00:00Z"),
        ("dia 15", "pt", "2026-12-15"),
    ],
)
def test_dates_are_resolved_with_the_future_preferred(text: str, language: str, value: str) -> None:
    assert found(text, language, "date") == [value]


def test_a_clock_time_is_resolved_from_the_zone_in_which_the_text_was_received() -> None:
    received = NOW.astimezone(timezone(timedelta(hours=-3)))
    assert [entity.value for entity in FINDER.find("amanhã às 22h", "pt", received)] == ["2026-11-25T01:00:00Z"]


@pytest.mark.parametrize(
    ("text", "language", "kind", "value"),
    [
        ("R$ 1.234,56", "pt", "money", "1234.56 BRL"),
        ("$1,234.56", "en", "money", "1234.56 USD"),
        ("1.500,50 €", "es", "money", "1500.50 EUR"),
        ("50 mil reais", "pt", "money", "50000 BRL"),
        ("R$ 2,5 milhões", "pt", "money", "2500000 BRL"),
        ("3 milhões de euros", "pt", "money", "3000000 EUR"),
        ("US$ 2.000", "es", "money", "2000 USD"),
        ("10k dollars", "en", "money", "10000 USD"),
        ("99,9%", "pt", "percentage", "99.9%"),
        ("20 por ciento", "es", "percentage", "20%"),
        ("fifteen percent", "en", "percentage", "15%"),
        ("há mais de cinco anos", "pt", "duration", "P5Y"),
        ("durante 6 meses", "pt", "duration", "P6M"),
        ("a cada 30 min", "pt", "duration", "PT30M"),
        ("janela de 1h30", "pt", "duration", "PT1H30M"),
        ("más de dos semanas", "es", "duration", "P2W"),
        ("a 5-day window", "en", "duration", "P5D"),
        ("200 ms", "en", "duration", "PT0.2S"),
        ("500 GB", "pt", "quantity", "500 GB"),
        ("2 mil req/s", "pt", "quantity", "2000 req/s"),
        ("10.000 usuários", "pt", "quantity", "10000 usuarios"),
        ("10,000 users", "en", "quantity", "10000 users"),
        ("5k users", "en", "quantity", "5000 users"),
        ("30 MW", "en", "quantity", "30 MW"),
        ("migrar o Oracle", "pt", "system", "Oracle"),
        ("o SAP caiu", "pt", "system", "SAP"),
        ("reinicie o sistema SIGA", "pt", "system", "SIGA"),
        ("o serviço de pagamentos caiu", "pt", "system", "serviço de pagamentos"),
        ("the payments service is down", "en", "system", "payments service"),
        ("no cluster billing-prod", "pt", "system", "billing-prod"),
        ("usar postgres", "pt", "technology", "PostgreSQL"),
        ("subir no k8s", "pt", "technology", "Kubernetes"),
        ("escrito em C#", "pt", "technology", "C#"),
        ("lento em São Paulo", "pt", "place", "São Paulo"),
        ("pago pelo Bradesco", "pt", "organisation", "Bradesco"),
        ("em produção", "pt", "environment", "production"),
        ("en el entorno de pruebas", "es", "environment", "test"),
        ("deploy to staging", "en", "environment", "staging"),
        ("ambiente de homologação", "pt", "environment", "staging"),
        ("avisar os clientes", "pt", "user_group", "customers"),
        ("los proveedores", "es", "user_group", "suppliers"),
        ("all employees", "en", "user_group", "employees"),
        ("bloquear ‹person-1›", "pt", "person", "person-1"),
    ],
)
def test_values_are_normalised(text: str, language: str, kind: str, value: str) -> None:
    assert found(text, language, kind) == [value]


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("na segunda etapa do projeto", "pt", "date"),
        ("linha de produção parada", "pt", "environment"),
        ("a semana foi boa", "pt", "duration"),
        ("15% dos alunos", "pt", "quantity"),
        ("go now and rest", "en", "technology"),
        ("word of mouth", "en", "technology"),
        ("o CPF do cliente", "pt", "system"),
        ("versão 1.2.3", "pt", "date"),
    ],
)
def test_what_only_looks_like_one_is_left(text: str, language: str, kind: str) -> None:
    assert found(text, language, kind) == []


def test_names_of_the_callers_catalogue_are_found_and_keep_their_spelling() -> None:
    entities = find_entities("reiniciar o motor fenix agora", "pt", NOW, {"Motor Fênix": "system"})
    assert [(entity.type, entity.value) for entity in entities] == [("system", "Motor Fênix")]


def test_an_alias_of_the_callers_catalogue_stands_for_its_system() -> None:
    names = {"payments-db": "payments-db", "banco de pagamentos": "payments-db"}
    finder = EntityFinder(dict.fromkeys(names, "system"), names)
    for text in ("Mover o banco de pagamentos hoje", "Mover o payments-db hoje"):
        assert [entity.value for entity in finder.find(text, "pt", NOW) if entity.type == "system"] == ["payments-db"]


PIECES = st.sampled_from(
    ["apagar", "R$ 1.234,56", "amanhã", "às 22h", "em 3 dias", "Oracle", "‹cpf-1›", "500 GB", "İstanbul",
    "ﬁm do mês", "👍", "em produção", "\n", "31/12", "os clientes", "São Paulo", "99,9%", "C#", "e\u0301",
     "next Monday"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=10), language=st.sampled_from(["pt", "es", "en"]))
def test_offsets_are_exact_and_entities_do_not_overlap(pieces: list[str], language: str) -> None:
    text = " ".join(pieces)
    previous_end = 0
    for entity in FINDER.find(text, language, NOW):
        assert previous_end <= entity.start < entity.end <= len(text)
        assert text[entity.start : entity.end].strip() != ""
        previous_end = entity.end


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["1 ", "1,", "R$ ", "o AAA ", "31 de dezembro ", "um e ", "fim de ", "‹person-1›", "sistema A", "12:"]
)
def test_hostile_texts_are_read_in_linear_time(piece: str) -> None:
    FINDER.find((piece * 20_000)[:20_000], "pt", NOW)
