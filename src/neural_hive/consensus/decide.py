"""Opinions → decision. Pure: the same input, rubrics, policy and models give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from neural_hive.consensus.explain import Doubt, conditions_of, dissent_of, explain
from neural_hive.consensus.guardrails import Guardrail, Guardrails
from neural_hive.consensus.pooling import agreement, experience, pool, severity_floor, told, votes_of, weight
from neural_hive.contracts import SEVERITY_ORDER, Decision, Opinion, Outcome, Quorum, Status, Understanding

#: Pooled risk from which conditions are needed, a person is asked, the answer is no.
CONDITIONAL_AT, REVIEW_AT, REJECT_AT = 0.25, 0.52, 0.9
#: Specialists that must answer, of five.
QUORUM = 3
#: Below this certainty a person decides. It does not depend on the risks, so that a graver opinion cannot get round it.
CONFIDENCE_FLOOR = 0.22
#: Below this confidence of the ear the answer asks to repeat or confirm what was heard. High, since that confidence is coarse
#: (calibration error 0.17). Source: on 65 development clips 24 are below it, 23 of the 35 with an error and 1 of the 30 without.
HEARING_FLOOR = 0.6
#: How much the risk of a specialist counts when choosing whose business it mainly is.
PRIMARY_RISK_SHARE = 0.5
#: Relevance from which a specialist who would reject leads before those who would not.
MIN_LEADING = 0.2

RiskBand = Literal["low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True)
class Panel:
    """What there is to decide from.

    asked: names of all specialists asked. opinions: those that came, in any order. trust: by specialist, 1 when absent.
    digests: content hashes of rubrics and models. answer_language: pt, en or es. heard: the ear's confidence in the
    transcript, 1 for what was written.
    """

    understanding: Understanding
    asked: tuple[str, ...]
    opinions: tuple[Opinion, ...]
    answer_language: str
    trust: Mapping[str, float] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    has_fallback: bool = False
    heard: float = 1.0


def decide(panel: Panel, guardrails: Guardrails) -> Decision:
    """The hive's judgement.

    Laws (each a property test): the order of opinions never matters; a more severe opinion never makes the outcome more
    permissive; a missing vote is never a yes; degraded tightens, never loosens; five rejects reject.
    """
    opinions = tuple(sorted((o for o in panel.opinions if o.specialist in panel.asked), key=lambda o: o.specialist))
    missing = tuple(sorted(set(panel.asked) - {o.specialist for o in opinions}))
    risk = _risk(panel, opinions, missing)
    triggered = guardrails.triggered(panel.understanding, opinions)
    agreed = agreement([(o.risk, weight(o.relevance, 1.0)) for o in opinions])
    certainty = min(_certainty(panel.understanding, opinions, missing), panel.heard)
    outcome = _outcome(panel, opinions, missing, risk, certainty, triggered)
    degraded = bool(missing) or panel.has_fallback
    primary = _primary(panel.understanding, opinions)
    return Decision(
        outcome=outcome,
        primary=primary,
        risk=round(told(risk), 4),
        risk_band=band(round(told(risk), 4)),
        confidence=round(certainty * (0.7 + 0.3 * agreed), 4),
        agreement=round(agreed, 4),
        dissent=dissent_of(opinions, outcome, panel.answer_language),
        conditions=conditions_of(opinions, outcome, panel.answer_language),
        guardrails=tuple(g.id for g in triggered),
        quorum=Quorum(asked=len(panel.asked), answered=len(opinions), missing=missing),
        degraded=degraded,
        explanation=explain(
            panel.understanding,
            opinions,
            outcome,
            round(told(risk), 2),
            triggered,
            missing,
            _doubt(panel, certainty),
            panel.answer_language,
        ),
        models=dict(sorted(panel.digests.items())),
    )


def band(risk: float) -> RiskBand:
    """The name of a risk (DESIGN §2)."""
    if risk < 0.4:
        return "low"
    if risk < 0.7:
        return "medium"
    return "high" if risk < 0.9 else "critical"


def strictest(outcomes: Sequence[Outcome]) -> Outcome:
    """The least permissive of some outcomes."""
    return max(outcomes, key=SEVERITY_ORDER.index)


def _risk(panel: Panel, opinions: Sequence[Opinion], missing: Sequence[str]) -> float:
    is_judged = panel.understanding.status in (Status.UNDERSTOOD, Status.AMBIGUOUS)
    prior = experience(panel.understanding.caution) if is_judged else []
    seen = pool(votes_of(opinions, (), {}, panel.trust) + prior)
    cautious = pool(votes_of(opinions, missing, panel.understanding.specialists, panel.trust) + prior)
    return max(seen, cautious, severity_floor(opinions))


def _outcome(
    panel: Panel,
    opinions: Sequence[Opinion],
    missing: Sequence[str],
    risk: float,
    certainty: float,
    triggered: Sequence[Guardrail],
) -> Outcome:
    """The strictest of everything that has a say; nothing here can loosen what another says."""
    verdicts = [_by_risk(risk), *(g.outcome for g in triggered), _by_votes(opinions)]
    if panel.understanding.status in (Status.NOT_UNDERSTOOD, Status.OUT_OF_SCOPE, Status.AMBIGUOUS):
        verdicts.append(Outcome.NEEDS_REVIEW)
    if len(opinions) < min(QUORUM, len(panel.asked)) or certainty < CONFIDENCE_FLOOR:
        verdicts.append(Outcome.NEEDS_REVIEW)
    if panel.heard < HEARING_FLOOR:
        verdicts.append(Outcome.NEEDS_REVIEW)
    if missing or panel.has_fallback:
        verdicts.append(Outcome.CONDITIONAL)
    leader = max(panel.understanding.specialists.items(), key=lambda i: (i[1], i[0]), default=("", 0.0))[0]
    if leader in missing:
        verdicts.append(Outcome.NEEDS_REVIEW)
    return strictest(verdicts)


def _doubt(panel: Panel, certainty: float) -> Doubt | None:
    """What a person should check first. What may have been misheard may have been misunderstood, too."""
    if panel.heard < HEARING_FLOOR:
        return "misheard"
    is_unsure = certainty < CONFIDENCE_FLOOR and panel.understanding.status is Status.UNDERSTOOD
    return "unsure" if is_unsure else None


def _by_risk(risk: float) -> Outcome:
    if risk >= REJECT_AT:
        return Outcome.REJECTED
    if risk >= REVIEW_AT:
        return Outcome.NEEDS_REVIEW
    return Outcome.CONDITIONAL if risk >= CONDITIONAL_AT else Outcome.APPROVED


def _by_votes(opinions: Sequence[Opinion]) -> Outcome:
    """A majority of those who answered that rejects is a rejection; one that wants a person gets one."""
    n_answered = len(opinions)
    rejects = sum(o.recommendation is Outcome.REJECTED for o in opinions)
    stops = sum(o.recommendation in (Outcome.REJECTED, Outcome.NEEDS_REVIEW) for o in opinions)
    if n_answered and 2 * rejects > n_answered:
        return Outcome.REJECTED
    return Outcome.NEEDS_REVIEW if n_answered and 2 * stops > n_answered else Outcome.APPROVED


def _certainty(understanding: Understanding, opinions: Sequence[Opinion], missing: Sequence[str]) -> float:
    """Confidence in the understanding and in the weighty opinions, less a share for every missing one; knows nothing of risks."""
    if not opinions:
        return 0.0
    weights = [weight(o.relevance, 1.0) for o in opinions]
    mean = math.fsum(w * o.confidence for w, o in zip(weights, opinions, strict=True)) / math.fsum(weights)
    return min(1.0, max(0.0, 0.5 * (mean + understanding.confidence) * (1.0 - 0.1 * len(missing))))


def _primary(understanding: Understanding, opinions: Sequence[Opinion]) -> str:
    """Whose business it mainly is: theirs who would reject it, else relevance, and a little more for who sees more risk."""
    if understanding.status in (Status.NOT_UNDERSTOOD, Status.OUT_OF_SCOPE) or not opinions:
        return "none"
    stopping = [o for o in opinions if o.recommendation is Outcome.REJECTED and o.relevance >= MIN_LEADING]
    best = max(
        stopping or opinions, key=lambda o: (o.relevance * (1.0 - PRIMARY_RISK_SHARE + PRIMARY_RISK_SHARE * o.risk), o.specialist)
    )
    return best.specialist
