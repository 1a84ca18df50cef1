"""No personal data is left, nothing else is touched, and there is no way back without the vault's key."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.br import cnpj as std_cnpj
from stdnum.br import cpf as std_cpf
from stdnum.es import cif as std_cif
from stdnum.es import dni as std_dni
from stdnum.es import nie as std_nie
from stdnum.pt import nif as std_nif_pt

from neural_hive.errors import ConfigurationError, NotFoundError
from neural_hive.understanding.privacy import KINDS, Masker, checksums
from neural_hive.understanding.privacy.vault import Vault, vault_key

MASKER = Masker()
PATIENT = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def masked(text: str) -> str:
    return MASKER.mask(text).text


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length)


def completed(body: str, check: Callable[[str], bool], alphabet: str = "0123456789", width: int = 1) -> str | None:
    """`body` with the check characters that make it valid, or None when it has none."""
    tails = alphabet if width == 1 else [a + b for a in alphabet for b in alphabet]
    return next((body + tail for tail in tails if check(body + tail)), None)


CPFS = digits(9).map(lambda body: completed(body, checksums.is_cpf, width=2)).filter(bool)
CNPJS = digits(8).map(lambda body: completed(body + "0001", checksums.is_cnpj, width=2)).filter(bool)
NEW_CNPJS = (
    st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=12, max_size=12)
    .filter(lambda body: not body.isdigit())
    .map(lambda body: completed(body, checksums.is_cnpj, width=2))
    .filter(bool)
)
CARDS = (
    st.tuples(st.sampled_from(["4", "51", "55", "2221", "34", "37"]), digits(15))
    .map(lambda pair: (pair[0] + pair[1])[: 14 if pair[0] in ("34", "37") else 15])
    .map(lambda body: completed(body, checksums.is_card))
    .filter(bool)
)
NIFS_PT = digits(8).map(lambda body: completed("2" + body[1:], checksums.is_nif_pt)).filter(bool)
DNIS = digits(8).map(lambda body: completed(body, checksums.is_dni_es, "TRWAGMYFPDXBNJZSQVHLCKE")).filter(bool)
NIES = (
    st.tuples(st.sampled_from("XYZ"), digits(7))
    .map(lambda pair: completed("".join(pair), checksums.is_nie_es, "TRWAGMYFPDXBNJZSQVHLCKE"))
    .filter(bool)
)
SSNS = digits(9).filter(checksums.is_ssn).map(lambda number: f"{number[:3]}-{number[3:5]}-{number[5:]}")
IBANS_PT = digits(21).map(lambda body: f"PT{98 - int(body + '252900') % 97:02d}{body}").filter(checksums.is_iban)
EMAILS = st.tuples(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789._", min_size=1, max_size=12).filter(
        lambda part: part[0].isalnum() and part[-1].isalnum()
    ),
    st.sampled_from(["example.com", "empresa.com.br", "correio.pt", "mañana.es", "sub.dominio.org"]),
).map("@".join)
IPS = st.ip_addresses(v=4).map(str).filter(lambda ip: not ip.startswith(("0.0.0.0", "127.0.0.1", "255.255.")))
MOBILES = st.one_of(
    digits(8).map(lambda rest: f"+55 11 9{rest[:4]}-{rest[4:]}"),
    digits(8).map(lambda rest: f"(21) 9{rest[:4]}-{rest[4:]}"),
    digits(7).map(lambda rest: f"+351 91{rest}"),
    digits(8).map(lambda rest: f"+34 6{rest}"),
)
IDENTIFIERS = st.one_of(CPFS, CNPJS, NEW_CNPJS, CARDS, DNIS, NIES, SSNS, IBANS_PT, EMAILS, IPS)
AROUND = st.sampled_from(
    ["", "apagar os dados de ", "cliente ", "please delete ", "el usuario pidió borrar ", "id: ", "(", "«",
    "registro ", "12 ", "v2 ", "\n", "total de 3 contas, ", "ação—", "pedido n.º 7, "]
)  # fmt: skip
BEHIND = st.sampled_from(
    [
        "",
        ".",
        ", por favor",
        " hoje",
        ")",
        "; obrigado",
        "\n",
        " e mais 3",
        "?",
        " – urgente",
        "»",
        " at once",
        " para siempre",
    ]
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("cpf 529.982.247-25", "cpf"),
        ("CPF:52998224725", "cpf"),
        ("cpf ５２９.９８２.２４７-２５", "cpf"),
        ("529\u200b.982.247–25", "cpf"),
        ("5 2 9 9 8 2 2 4 7 2 5", "cpf"),
        ("meu cpf é cinco dois nove nove oito dois dois quatro sete dois cinco", "cpf"),
        ("o CPF digitado foi 123.456.789-00", "cpf"),
        ("CNPJ 11.222.333/0001-81", "cnpj"),
        ("novo CNPJ 12.ABC.345/01DE-35", "cnpj"),
        ("12ABC34501DE35", "cnpj"),
        ("contribuinte 501 964 843", "nif_pt"),
        ("NIF: 501964843", "nif_pt"),
        ("DNI 12345678Z", "nif_es"),
        ("12.345.678-Z", "nif_es"),
        ("NIE X1234567L", "nie_es"),
        ("CIF A58818501", "cif_es"),
        ("SSN 123-45-6789", "ssn"),
        ("social security number 123456789", "ssn"),
        ("PT50 0002 0123 1234 5678 9015 4", "iban"),
        ("iban ES9121000418450200051332", "iban"),
        ("cartão 4111 1111 1111 1111", "card"),
        ("3782 822463 10005", "card"),
        ("liga para (11) 98765-4321", "phone"),
        ("+351 912 345 678", "phone"),
        ("whatsapp 11987654321", "phone"),
        ("llámame al 612 34 56 78", "phone"),
        ("call 415-555-2671", "phone"),
        ("joão.silva@empresa.com.br", "email"),
        ("maria ponto silva arroba gmail ponto com", "email"),
        ("john at example dot com", "email"),
        ("ana [at] empresa [dot] pt", "email"),
        ("bloquear 203.0.113.7", "ip"),
        ("2001:db8:85a3::8a2e:370:7334", "ip"),
        ("00:1A:2B:3C:4D:5E", "mac"),
        ("PIS 120.56874.10-7", "pis"),
        ("cartão do SUS 898 0000 0004 3208", "cns"),
        ("RG 12.345.678-9", "rg"),
        ("passaporte FZ123456", "passport"),
        ("nascido em 12/03/1985", "date_of_birth"),
        ("date of birth: March 12, 1985", "date_of_birth"),
        ("moro na Rua das Flores, 123", "address"),
        ("CEP 01310-100", "postcode"),
        ("placa ABC1D23", "plate"),
        ("chave pix 123e4567-e89b-12d3-a456-426614174000", "pix_key"),
        ("senha: Abc123!x", "secret"),
        ("password=hunter2", "secret"),
        ("use o token ghp_abcdefghijklmnopqrstuvwxyz0123456789", "secret"),
        ("https://host.com/a?token=abcdef123", "secret"),
        ("cliente João da Silva", "person"),
        ("o joão silva pediu acesso", "person"),
        ("me llamo Begoña Iruretagoyena", "person"),
        ("delete the account of Mary O'Brien", "person"),
        ("MARIA DA SILVA pediu", "person"),
        ("Sr. Xpto reclamou", "person"),
    ],
)
def test_each_kind_is_masked(text: str, kind: str) -> None:
    assert [mention.kind for mention in MASKER.mask(text).pii] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "pagar R$ 123.456.789,00 até 31/12/2026",
        "aumentar de 1.234.567,89 para 2,500,000.00",
        "ticket 123456789 e pedido 987654321",
        "atualizar para a versão 10.2.1.4 e para o build 20240131123456",
        "timestamp 1700000000000 às 12:30:45",
        "entre 2024-01-15 10:20 e 15/01/2024",
        "Migrar o Oracle para Aurora em São Paulo com Jenkins e Grafana",
        "servidores em Santiago de Chile e São José dos Campos",
        "o banco Santander usa MariaDB",
        "los clientes de Madrid y la tienda de Braga",
        "abrir a porta 5432 para 0.0.0.0/0",
        "a senha é fraca e o token expira",
        "std::string e a::b no código",
        "processar 123456789 registros em 200 ms SLA",
        "meet at example.com",
        "O usuário deve poder exportar relatórios em PDF",
        "Criar dashboard de vendas para a diretoria",
    ],
)
def test_what_is_nobodys_stays(text: str) -> None:
    assert masked(text) == text


@PATIENT
@given(identifier=IDENTIFIERS, before=AROUND, behind=BEHIND)
def test_no_valid_identifier_survives_whatever_stands_around_it(identifier: str, before: str, behind: str) -> None:
    assert identifier not in masked(f"{before}{identifier}{behind}")


@PATIENT
@given(number=NIFS_PT, cue=st.sampled_from(["NIF ", "contribuinte n.º ", "nif: ", "tax number ", "número fiscal "]))
def test_portuguese_taxpayer_numbers_are_masked_where_a_word_announces_them(number: str, cue: str) -> None:
    assert number not in masked(cue + number)


@PATIENT
@given(number=MOBILES)
def test_mobile_numbers_are_masked(number: str) -> None:
    text = masked(f"ligar para {number} amanhã")
    assert number not in text
    assert sum(character.isdigit() for character in text) <= 1


@PATIENT
@given(text=st.text(max_size=80), identifier=IDENTIFIERS, tail=st.text(max_size=30))
def test_masking_twice_changes_nothing_more(text: str, identifier: str, tail: str) -> None:
    once = MASKER.mask(f"{text} {identifier} {tail}")
    assert MASKER.mask(once.text) == once


@PATIENT
@given(text=st.text(max_size=120), identifiers=st.lists(IDENTIFIERS, max_size=3))
def test_offsets_point_at_the_placeholders(text: str, identifiers: list[str]) -> None:
    result = MASKER.mask(" ".join([text, *identifiers]))
    for mention in result.pii:
        assert result.text[mention.start : mention.end].startswith(f"‹{mention.kind}-")
        assert result.text[mention.end - 1] == "›"


def test_the_same_value_gets_the_same_number_however_it_is_written() -> None:
    assert masked("529.982.247-25 e 52998224725 e 111.444.777-35") == "‹cpf-1› e ‹cpf-1› e ‹cpf-2›"


def test_numbers_go_on_from_placeholders_that_are_there() -> None:
    assert masked("‹cpf-3› e 529.982.247-25") == "‹cpf-3› e ‹cpf-4›"


def test_a_session_numbers_all_pieces_of_an_intent_alike() -> None:
    session = MASKER.session()
    assert session.mask("apagar ana@x.org").text == "apagar ‹email-1›"
    assert session.mask_tree({"owner": "ana@x.org"}) == {"owner": "‹email-1›"}


def test_a_tree_is_masked_through_keys_values_numbers_and_labels() -> None:
    tree = {
        "cpf": "12345678900",
        "tags": ["ok", {"joao@x.com": 4111111111111111}],
        "password": "banana",
        "n": 42,
        "on": True,
    }
    result = json.dumps(MASKER.mask_tree(tree), ensure_ascii=False)
    assert not any(raw in result for raw in ("12345678900", "joao@x.com", "4111111111111111", "banana"))
    assert MASKER.mask_tree(tree)["n"] == 42
    assert MASKER.mask_tree(tree)["on"] is True


def test_a_tree_that_is_too_deep_is_refused() -> None:
    tree: object = "x"
    for _ in range(70):
        tree = [tree]
    with pytest.raises(ValueError, match="64"):
        MASKER.mask_tree(tree)


def test_a_masked_text_cannot_be_unmasked() -> None:
    session = MASKER.session()
    assert session.mask("cpf 529.982.247-25").text == MASKER.session().mask("cpf 111.444.777-35").text


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "1 ",
        "1.",
        "@",
        "a.a-",
        "A1",
        "a:",
        "um ",
        "Maria ",
        "senha: ",
        "://",
        "Rua ",
        "-----BEGIN ",
        "arroba a",
        "ES12 ",
        "+1 ",
        "João da ",
    ],
)
def test_hostile_texts_are_masked_in_linear_time(piece: str) -> None:
    MASKER.mask((piece * 20_000)[:20_000])


@given(body=digits(9))
def test_checksums_agree_with_an_independent_implementation(body: str) -> None:
    for tail in ("00", "25", "99"):
        assert checksums.is_cpf(body + tail) == (std_cpf.is_valid(body + tail) and len(set(body + tail)) > 1)
    assert checksums.is_luhn(body) == luhn.is_valid(body)
    assert checksums.is_dni_es(body[:8] + "Z") == std_dni.is_valid(body[:8] + "Z")
    assert checksums.is_nie_es("X" + body[:7] + "L") == std_nie.is_valid("X" + body[:7] + "L")
    if checksums.is_nif_pt(body):
        assert std_nif_pt.is_valid(body)
    if std_cif.is_valid("A" + body[:8]):
        assert checksums.is_cif_es("A" + body[:8])
    number = completed(body + "001", checksums.is_cnpj, width=2)
    assert number is None or std_cnpj.is_valid(number)


def test_the_alphanumeric_cnpj_of_the_revenue_services_own_example_is_valid() -> None:
    assert checksums.is_cnpj("12ABC34501DE35")
    assert not checksums.is_cnpj("12ABC34501DE36")


def test_every_kind_that_is_found_is_described() -> None:
    from neural_hive.understanding.privacy.codes import ANNOUNCED, FORMS
    from neural_hive.understanding.privacy.numbers import RULES

    assert {rule.kind for rule in RULES} | {form.kind for form in FORMS} | {kind for kind, _ in ANNOUNCED} <= set(KINDS)


def test_the_vault_gives_back_the_value_to_who_holds_the_key() -> None:
    key = os.urandom(32)
    vault = Vault(key, "case-1")
    text = MASKER.session(vault).mask("cpf 529.982.247-25").text
    assert text == "cpf ‹cpf-1›"
    assert Vault(key, "case-1", vault.entries).reveal("‹cpf-1›") == "529.982.247-25"
    assert vault.reveal_all() == {"‹cpf-1›": "529.982.247-25"}
    assert "529" not in "".join(vault.entries.values())


def test_the_vault_stays_shut_for_another_key_case_or_placeholder() -> None:
    key = os.urandom(32)
    vault = Vault(key, "case-1")
    MASKER.session(vault).mask("cpf 529.982.247-25, 111.444.777-35")
    with pytest.raises(ConfigurationError):
        Vault(os.urandom(32), "case-1", vault.entries).reveal("‹cpf-1›")
    with pytest.raises(ConfigurationError):
        Vault(key, "case-2", vault.entries).reveal("‹cpf-1›")
    with pytest.raises(ConfigurationError):
        Vault(key, "case-1", {"‹cpf-1›": vault.entries["‹cpf-2›"]}).reveal("‹cpf-1›")
    with pytest.raises(NotFoundError):
        vault.reveal("‹cpf-9›")


@pytest.mark.parametrize("written", ["short", "!" * 44, base64.b64encode(b"x" * 31).decode()])
def test_a_key_that_is_none_is_told(written: str) -> None:
    with pytest.raises(ConfigurationError, match="HIVE_VAULT_KEY"):
        vault_key(written)
    assert vault_key(" ") is None
    assert vault_key(base64.b64encode(b"x" * 32).decode()) == b"x" * 32
