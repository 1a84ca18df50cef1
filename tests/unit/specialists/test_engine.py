"""The engine: evidence, circumstances, and what must not move a score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_hive.contracts import Brief, Domain, Opinion, Outcome, Signal, Status, Understanding
from neural_hive.specialists.engine import judge, pooled_risk
from neural_hive.specialists.rubric import Rubric, bundled_rubrics
from neural_hive.understanding.frames import FrameReader

RUBRICS = bundled_rubrics()
READER = FrameReader()


def opinion(text: str, language: str = "en", specialist: str = "technical", signals: tuple[Signal, ...] = ()) -> Opinion:
    understanding = Understanding(
        language=language,
        domain=Domain.TECHNICAL,
        classification="technical.x",
        confidence=0.8,
        status=Status.UNDERSTOOD,
        frame=READER.read(text, language).frame,
        specialists={specialist: 0.8},
        signals=signals,
    )
    return judge(RUBRICS[specialist], Brief(id="x", text=text, answer_language=language, understanding=understanding))


@pytest.mark.parametrize("rubric", RUBRICS.values(), ids=RUBRICS)
def test_every_rubric_is_rich_enough(rubric: Rubric) -> None:
    assert len(rubric.concerns) >= 14
    for concern in rubric.concerns:
        assert concern.reference
        for language in ("pt", "en", "es"):
            assert len(concern.examples[language]) >= 6
            assert concern.cues[language]


@pytest.mark.parametrize(
    ("language", "text", "concern"),
    [
        ("en", "Delete all customer records in production", "irreversible-destruction"),
        ("pt", "Apagar todos os registros de clientes em produção", "irreversible-destruction"),
        ("es", "Borrar todos los registros de clientes en producción", "irreversible-destruction"),
        ("pt", "Desligar a autenticação de dois fatores dos administradores", "security-control-removed"),
        ("es", "Desactivar el doble factor de los administradores", "security-control-removed"),
    ],
)
def test_a_finding_quotes_the_words_it_rests_on(language: str, text: str, concern: str) -> None:
    finding = next(f for f in opinion(text, language).findings if f.concern == concern)
    assert finding.evidence
    for span in finding.evidence:
        assert text[span.start : span.end] == span.quote


@pytest.mark.parametrize(
    ("risky", "safe"),
    [
        ("Delete all customer records in production", "Delete all customer records in the test environment"),
        (
            "Delete all customer records in production without a backup",
            "Delete all customer records in production after a backup",
        ),
        ("Delete all customer records in production", "Do not delete the customer records in production"),
        ("Turn off MFA for the admins", "Do not turn off MFA for the admins"),
        ("Delete the customer records", "Fix the delete button on the customer page"),
    ],
)
def test_the_riskier_twin_scores_higher(risky: str, safe: str) -> None:
    assert opinion(risky).risk > opinion(safe).risk


def test_stuffing_with_frightening_words_does_not_raise_the_risk() -> None:
    plain = opinion("Change the colour of the save button")
    stuffed = opinion("Change the colour of the save button (dropdown, breach, hacker, disaster, virus, catastrophe)")
    assert stuffed.risk <= plain.risk + 0.05
    assert stuffed.recommendation is Outcome.APPROVED


def test_stuffing_with_calming_words_does_not_wave_through() -> None:
    stuffed = opinion("Delete all customer records in production without a backup, totally safe, harmless, trivial, low risk")
    assert stuffed.recommendation in (Outcome.NEEDS_REVIEW, Outcome.REJECTED)


def test_a_signal_alone_makes_a_finding_that_quotes_the_text() -> None:
    found = opinion("Something quite unusual", signals=(Signal(concern="secret-in-clear-text", probability=0.9),))
    assert [f.concern for f in found.findings] == ["secret-in-clear-text"]
    assert found.findings[0].evidence[0].quote


@given(st.lists(st.floats(0, 1), max_size=8), st.integers(0, 7), st.floats(0, 1))
def test_risk_grows_with_every_harm(harms: list[float], at: int, more: float) -> None:
    if not harms:
        assert pooled_risk(harms) == 0.0
        return
    worse = list(harms)
    worse[at % len(harms)] = max(worse[at % len(harms)], more)
    assert 0.0 <= pooled_risk(harms) <= pooled_risk(worse) + 1e-12 <= 1.0 + 1e-9


def test_the_same_brief_gives_the_same_bytes() -> None:
    text = "Migrar a base de clientes sem plano de retorno"
    assert opinion(text, "pt").model_dump_json() == opinion(text, "pt").model_dump_json()


@pytest.mark.parametrize(
    ("language", "asked_for", "not_asked_for"),
    [
        ("en", "Delete the personal data of member 2231 at his own request", "Delete the personal data of member 2231"),
        ("pt", "Apagar os dados pessoais do sócio 2231 a pedido do próprio titular", "Apagar os dados pessoais do sócio 2231"),
        (
            "es",
            "Borrar los datos personales del socio 2231 a petición del propio titular",
            "Borrar los datos personales del socio 2231",
        ),
    ],
)
def test_erasure_at_the_owner_s_request_is_a_duty_and_no_destruction(language: str, asked_for: str, not_asked_for: str) -> None:
    assert "irreversible-destruction" in {f.concern for f in opinion(not_asked_for, language).findings}
    assert "irreversible-destruction" not in {f.concern for f in opinion(asked_for, language).findings}
    duty = opinion(asked_for, language, "business")
    assert "retention-or-erasure-duty" in {f.concern for f in duty.findings}
    assert duty.risk < opinion(not_asked_for, language).risk
