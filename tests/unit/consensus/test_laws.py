"""The laws of consensus (DESIGN §6), each over thousands of made-up panels."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_hive.consensus.decide import HEARING_FLOOR, Panel, decide
from neural_hive.consensus.explain import texts
from neural_hive.consensus.guardrails import bundled_guardrails
from neural_hive.consensus.pooling import agreement, pool, told
from neural_hive.contracts import (
    SEVERITY_ORDER,
    Domain,
    Finding,
    Frame,
    Opinion,
    Outcome,
    Span,
    SpecialistName,
    Status,
    Understanding,
)

NAMES = tuple(n.value for n in SpecialistName)
GUARDRAILS = bundled_guardrails()
scores = st.floats(0.0, 1.0, allow_nan=False).map(lambda x: round(x, 4))
outcomes = st.sampled_from(list(Outcome))


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    return Finding(
        concern=draw(st.sampled_from(["irreversible-destruction", "secret-in-clear-text", "slow-performance", "another"])),
        title="A concern",
        severity=draw(scores),
        likelihood=draw(scores),
        evidence=(Span(quote="words", start=0, end=5),),
        mitigations=("Do this", "Do that"),
    )


@st.composite
def opinions_of(draw: st.DrawFn, name: str) -> Opinion:
    return Opinion(
        specialist=name,
        relevance=draw(scores),
        risk=draw(scores),
        confidence=draw(scores),
        recommendation=draw(outcomes),
        summary="So it is.",
        findings=tuple(draw(st.lists(findings(), max_size=2))),
        model="made-up",
    )


@st.composite
def panels(draw: st.DrawFn, is_complete: bool = False) -> Panel:
    present = NAMES if is_complete else draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    understanding = Understanding(
        language=draw(st.sampled_from(["pt", "en", "es"])),
        domain=draw(st.sampled_from(list(Domain))),
        classification="x",
        confidence=draw(scores),
        status=draw(st.sampled_from(list(Status))),
        frame=Frame(),
        specialists={n: draw(scores) for n in NAMES},
        caution=draw(st.sampled_from([{}, {"go": 1.0, "care": 0.0, "stop": 0.0}, {"go": 0.2, "care": 0.3, "stop": 0.5}])),
    )
    return Panel(
        understanding=understanding,
        asked=NAMES,
        opinions=tuple(draw(opinions_of(n)) for n in present),
        answer_language=draw(st.sampled_from(["pt", "en", "es"])),
        trust={n: draw(st.floats(-2, 4)) for n in NAMES},
    )


def strictness(outcome: Outcome) -> int:
    return SEVERITY_ORDER.index(outcome)


@given(panels(), st.integers())
def test_the_order_of_opinions_never_matters(panel: Panel, seed: int) -> None:
    shuffled = list(panel.opinions)
    random.Random(seed).shuffle(shuffled)
    assert decide(replace(panel, opinions=tuple(shuffled)), GUARDRAILS) == decide(panel, GUARDRAILS)


@given(panels())
def test_the_same_input_gives_the_same_bytes(panel: Panel) -> None:
    assert decide(panel, GUARDRAILS).model_dump_json() == decide(panel, GUARDRAILS).model_dump_json()


@settings(max_examples=300)
@given(panels(is_complete=True), st.sampled_from(NAMES), scores, outcomes)
def test_a_more_severe_opinion_never_makes_the_outcome_more_permissive(
    panel: Panel, name: str, risk: float, recommendation: Outcome
) -> None:
    before = decide(panel, GUARDRAILS)
    worse = tuple(
        o.model_copy(
            update={
                "risk": max(o.risk, risk),
                "recommendation": max(o.recommendation, recommendation, key=SEVERITY_ORDER.index),
            }
        )
        if o.specialist == name
        else o
        for o in panel.opinions
    )
    after = decide(replace(panel, opinions=worse), GUARDRAILS)
    assert after.risk >= before.risk
    assert strictness(after.outcome) >= strictness(before.outcome)


@given(panels(is_complete=True), st.sampled_from(NAMES), findings())
def test_one_more_finding_never_lowers_the_risk(panel: Panel, name: str, finding: Finding) -> None:
    more = tuple(o.model_copy(update={"findings": (*o.findings, finding)}) if o.specialist == name else o for o in panel.opinions)
    before, after = decide(panel, GUARDRAILS), decide(replace(panel, opinions=more), GUARDRAILS)
    assert after.risk >= before.risk
    assert strictness(after.outcome) >= strictness(before.outcome)


@given(panels())
def test_a_missing_vote_is_never_a_yes(panel: Panel) -> None:
    decision = decide(panel, GUARDRAILS)
    if len(panel.opinions) < len(NAMES):
        assert decision.outcome is not Outcome.APPROVED
        assert decision.degraded
        assert decision.quorum.missing
    if len(panel.opinions) < 3:
        assert strictness(decision.outcome) >= strictness(Outcome.NEEDS_REVIEW)


@given(panels())
def test_degraded_tightens_and_never_loosens(panel: Panel) -> None:
    """The same opinions, with and without others that were asked and did not answer."""
    alone = replace(panel, asked=tuple(o.specialist for o in panel.opinions))
    waiting, complete = decide(panel, GUARDRAILS), decide(alone, GUARDRAILS)
    assert waiting.risk >= complete.risk
    assert strictness(waiting.outcome) >= strictness(complete.outcome)


@given(panels())
def test_a_fallback_tightens(panel: Panel) -> None:
    with_fallback = decide(replace(panel, has_fallback=True), GUARDRAILS)
    assert with_fallback.degraded
    assert strictness(with_fallback.outcome) >= max(1, strictness(decide(panel, GUARDRAILS).outcome))


@given(panels(), scores)
def test_doubt_about_what_was_heard_tightens_and_never_loosens(panel: Panel, heard: float) -> None:
    written, spoken = decide(panel, GUARDRAILS), decide(replace(panel, heard=heard), GUARDRAILS)
    assert spoken.risk == written.risk
    assert spoken.confidence <= min(written.confidence, heard)
    assert strictness(spoken.outcome) >= strictness(written.outcome)
    if heard < HEARING_FLOOR:
        assert strictness(spoken.outcome) >= strictness(Outcome.NEEDS_REVIEW)
        assert texts()[panel.answer_language]["misheard"] in spoken.explanation


@given(panels(is_complete=True))
def test_five_rejects_reject(panel: Panel) -> None:
    rejecting = tuple(o.model_copy(update={"recommendation": Outcome.REJECTED}) for o in panel.opinions)
    assert decide(replace(panel, opinions=rejecting), GUARDRAILS).outcome is Outcome.REJECTED


@given(panels(is_complete=True), st.sampled_from(NAMES))
def test_one_credible_serious_finding_is_never_outvoted(panel: Panel, name: str) -> None:
    finding = Finding(
        concern="x", title="Grave", severity=0.95, likelihood=0.9, evidence=(Span(quote="w", start=0, end=1),), mitigations=("m",)
    )
    calm = tuple(o.model_copy(update={"risk": 0.0, "recommendation": Outcome.APPROVED, "findings": ()}) for o in panel.opinions)
    one = tuple(o.model_copy(update={"findings": (finding,)}) if o.specialist == name else o for o in calm)
    decision = decide(replace(panel, opinions=one), GUARDRAILS)
    assert strictness(decision.outcome) >= strictness(Outcome.NEEDS_REVIEW)
    assert decision.risk >= 0.7


@given(panels(is_complete=True), st.sampled_from(NAMES))
def test_who_would_reject_it_leads(panel: Panel, name: str) -> None:
    understood = panel.understanding.model_copy(update={"status": Status.UNDERSTOOD})
    relevance = {n: 0.3 if n == name else 0.9 for n in NAMES}
    calm = {"risk": 0.1, "recommendation": Outcome.APPROVED}
    opinions = tuple(o.model_copy(update={**calm, "relevance": relevance[o.specialist]}) for o in panel.opinions)
    alone = tuple(o.model_copy(update={"recommendation": Outcome.REJECTED}) if o.specialist == name else o for o in opinions)
    assert decide(replace(panel, understanding=understood, opinions=opinions), GUARDRAILS).primary != name
    assert decide(replace(panel, understanding=understood, opinions=alone), GUARDRAILS).primary == name


@given(panels())
def test_what_is_not_understood_goes_to_a_person(panel: Panel) -> None:
    if panel.understanding.status is not Status.UNDERSTOOD:
        assert strictness(decide(panel, GUARDRAILS).outcome) >= strictness(Outcome.NEEDS_REVIEW)


@given(panels())
def test_conditions_come_with_every_outcome_but_an_approval(panel: Panel) -> None:
    decision = decide(panel, GUARDRAILS)
    assert decision.outcome is not Outcome.APPROVED or decision.conditions == ()
    assert decision.outcome is not Outcome.CONDITIONAL or decision.conditions
    assert len(decision.conditions) == len(set(decision.conditions))


@given(st.lists(st.tuples(scores, st.floats(0.01, 2.0)), min_size=1, max_size=8))
def test_a_pool_lies_between_its_votes(votes: list[tuple[float, float]]) -> None:
    risks = [min(0.92, max(0.08, r)) for r, _ in votes]
    assert min(risks) - 1e-9 <= pool(votes) <= max(risks) + 1e-9


@given(scores, scores)
def test_the_told_risk_keeps_the_order(one: float, other: float) -> None:
    assert (told(one) < told(other)) == (one < other)
    assert 0.0 <= told(one) <= 1.0


@pytest.mark.parametrize(
    ("votes", "expected"),
    [([(0.3, 1.0)] * 5, 1.0), ([(0.0, 1.0), (1.0, 1.0)], 0.0), ([(0.8, 1.0), (0.0, 0.01)], 0.969), ([], 0.0)],
)
def test_agreement_is_that_of_those_concerned(votes: list[tuple[float, float]], expected: float) -> None:
    assert agreement(votes) == pytest.approx(expected, abs=0.001)
