"""Brief → opinion: the same pure function for every specialist. No clock, no I/O, no randomness."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from neural_hive.contracts import Brief, Finding, Frame, Mood, Opinion, Outcome, Span, Status
from neural_hive.contracts.names import names
from neural_hive.phrases import Words, split_words
from neural_hive.specialists.rubric import Concern, Rubric, Rule

#: Presence that a cue alone gives. Low on purpose: words without a frame or a classifier behind them prove little.
CUE_PRESENCE = 0.35
#: Concerns less likely than this are not worth saying.
MIN_LIKELIHOOD = 0.2
#: Concerns with less presence than this are not considered, whatever the caution.
MIN_PRESENCE = 0.08
#: How strongly the caution that such texts call for moves every likelihood, and the caution that moves none.
WARY_WEIGHT, CALM_WEIGHT, NEUTRAL_CAUTION = 0.9, 0.5, 0.4
#: How much the classifier's probability counts as presence; it was measured on whole phrases, not on harm.
SIGNAL_WEIGHT = 0.8
#: Each further finding counts less: concerns about one text are not independent, as plain noisy-OR assumes.
DAMPING = 0.45
#: Risk from which a specialist, alone, would add conditions, ask a person, reject.
RISK_CONDITIONAL, RISK_REVIEW, RISK_REJECT = 0.25, 0.55, 0.88
#: Log-odds by which circumstances move a likelihood. Every one of them is monotone and bounded.
STATED, STATED_OTHER, MAX_STATED_OTHER, MAX_STATED = -0.8, -0.25, -0.75, -2.0
WAIVED, WAIVED_OTHER = 0.9, 0.45
ENVIRONMENT = {"production": 0.45, "staging": -1.6, "test": -1.9, "development": -1.9, "unknown": 0.0}
SCOPE = {"all": 0.4, "some": 0.0, "one": -0.4, "unknown": 0.0}
MOOD = {Mood.REQUEST: 0.0, Mood.REPORT: 0.0, Mood.QUESTION: -1.0, Mood.WISH: -0.2}
URGENT, IRREVERSIBLE, NEGATED, PROTECTIVE = 0.2, 0.35, -1.5, -1.5
#: The concern that the graph can raise without a word of the text.
_BLAST_RADIUS = "large-blast-radius"
#: Blast radius at which the architecture specialist counts a change as touching the core.
LARGE_BLAST_RADIUS = 3


@lru_cache(maxsize=1)
def texts() -> Mapping[str, Any]:
    """The specialists' catalogue of sentences, by language."""
    return tomllib.loads(resources.files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))


def judge(rubric: Rubric, brief: Brief, facts: Facts | None = None) -> Opinion:
    """One specialist's opinion. The same rubric and brief give the same opinion, byte for byte.

    Risk is a damped noisy-OR (Pearl 1988) of severity × likelihood over the findings.

    facts: `Facts.of(brief)`, for whoever asks several specialists about one brief.
    """
    facts = facts or Facts.of(brief)
    words, signals = facts.words, facts.signals
    hits = _cue_spans(rubric, words, brief.understanding.frame)
    ruled = _ruled(rubric, facts)
    found = []
    for position, concern in enumerate(rubric.concerns):
        if position in ruled or concern.id in hits or concern.id in signals or concern.id == _BLAST_RADIUS:
            found.append(
                _finding(concern, brief, facts, ruled.get(position), signals.get(concern.id, 0.0), hits.get(concern.id, ()))
            )
    findings = sorted((f for f in found if f is not None), key=lambda f: (-f.severity * f.likelihood, f.concern))
    relevance = brief.understanding.specialists.get(rubric.specialist, 0.0)
    risk = pooled_risk([f.severity * f.likelihood for f in findings])
    return Opinion(
        specialist=rubric.specialist,
        relevance=relevance,
        risk=round(risk, 4),
        confidence=round(_confidence(brief, findings), 4),
        recommendation=recommend(risk, brief.understanding.status),
        summary=_summary(brief, findings, relevance),
        findings=tuple(findings),
        model=rubric.name,
    )


def recommend(risk: float, status: Status) -> Outcome:
    """What a specialist would decide alone. What was not understood goes to a person."""
    if status in (Status.NOT_UNDERSTOOD, Status.OUT_OF_SCOPE):
        return Outcome.NEEDS_REVIEW
    if risk >= RISK_REJECT:
        return Outcome.REJECTED
    if risk >= RISK_REVIEW:
        return Outcome.NEEDS_REVIEW
    return Outcome.CONDITIONAL if risk >= RISK_CONDITIONAL else Outcome.APPROVED


def pooled_risk(harms: Sequence[float]) -> float:
    """Damped noisy-OR: 1 − ∏ (1 − harmᵢ · dⁱ), harms sorted downwards. In [0, 1], monotone in every harm."""
    left = 1.0
    for rank, harm in enumerate(sorted(harms, reverse=True)):
        left *= 1.0 - harm * DAMPING**rank
    return min(1.0, max(0.0, 1.0 - left))


def _cue_spans(rubric: Rubric, words: Words, frame: Frame) -> dict[str, tuple[Span, ...]]:
    """Quoted cues by concern, without those inside something the text says not to do."""
    denied = [(a.evidence.start, a.evidence.end) for a in frame.actions if a.negated]
    spans: dict[str, dict[tuple[int, int], Span]] = {}
    for match in rubric.matcher.find(words):
        quote, start, end = words.quote(match.first, match.last)
        if not any(start < stop and begin < end for begin, stop in denied):
            spans.setdefault(match.payload[0], {})[start, end] = Span(quote=quote, start=start, end=end)
    return {concern: tuple(found.values()) for concern, found in spans.items()}


def _finding(
    concern: Concern,
    brief: Brief,
    facts: Facts,
    ruled: tuple[float, tuple[Span, ...]] | None,
    signal: float,
    cues: tuple[Span, ...],
) -> Finding | None:
    frame = brief.understanding.frame
    rule, proof = ruled or (0.0, ())
    system = _system_presence(concern, brief)
    presence = 1.0 - (1.0 - rule) * (1.0 - (CUE_PRESENCE if cues else 0.0)) * (1.0 - SIGNAL_WEIGHT * signal) * (1.0 - system)
    if presence < MIN_PRESENCE:
        return None
    likelihood = _shift(presence, _circumstances(concern, frame) + facts.caution)
    if likelihood < MIN_LIKELIHOOD:
        return None
    eased = tuple(s for s in concern.mitigated_by if s in frame.safeguards)
    language = brief.answer_language
    evidence = _unique([*cues, *proof]) or (_whole(facts.words, frame),)
    return Finding(
        concern=concern.id,
        title=concern.title[language],
        severity=concern.severity,
        likelihood=round(likelihood, 4),
        evidence=evidence[:4],
        mitigated_by=eased,
        mitigations=concern.mitigations[language],
        reference=concern.reference,
    )


def _shift(probability: float, log_odds: float) -> float:
    clipped = min(0.97, max(0.01, probability))
    return 1.0 / (1.0 + math.exp(-(math.log(clipped / (1.0 - clipped)) + log_odds)))


def _circumstances(concern: Concern, frame: Frame) -> float:
    """Log-odds that the frame's circumstances add to a concern's likelihood."""
    relevant = set(concern.mitigated_by)
    stated, waived = set(frame.safeguards), set(frame.waived)
    total = max(MAX_STATED, STATED * len(stated & relevant) + max(MAX_STATED_OTHER, STATED_OTHER * len(stated - relevant)))
    total += WAIVED * min(2, len(waived & relevant)) + WAIVED_OTHER * min(2, len(waived - relevant))
    total += ENVIRONMENT[frame.environment] + SCOPE[frame.scope] + MOOD[frame.mood]
    total += URGENT if frame.urgent and waived else 0.0
    if frame.reversibility == "irreversible":
        total += IRREVERSIBLE
    if frame.negation:
        total += NEGATED
    if frame.protective:
        total += PROTECTIVE
    return total


def _caution(brief: Brief) -> float:
    """Log-odds that experience with such texts adds: the classifier for what is risky, beside the one for what it is about."""
    caution = brief.understanding.caution
    if not caution:
        return 0.0
    wary = min(0.97, max(0.03, caution.get("stop", 0.0) + 0.6 * caution.get("care", 0.0)))
    neutral = math.log(NEUTRAL_CAUTION / (1.0 - NEUTRAL_CAUTION))
    shift = math.log(wary / (1.0 - wary)) - neutral
    return shift * (WARY_WEIGHT if shift > 0.0 else CALM_WEIGHT)


def _ruled(rubric: Rubric, facts: Facts) -> dict[int, tuple[float, tuple[Span, ...]]]:
    """Position of each concern that a rule sees → likelihood of the surest such rule, and the words it rests on."""
    best: dict[int, tuple[float, tuple[Span, ...]]] = {}
    for action in dict.fromkeys(("", *(asked[0] for asked in facts.asked))):
        for position, rule in rubric.rules_by_action.get(action, ()):
            if position in best and best[position][0] >= rule.likelihood:
                continue
            spans = _match_rule(rule, facts)
            if spans is not None:
                best[position] = (rule.likelihood, spans)
    return best


@dataclass(frozen=True, slots=True)
class Facts:
    """What every specialist asks about one brief, worked out once.

    signals: concern → probability. caution: log-odds. asked: (action, objects touched, objects named, words) of each asked action.
    """

    words: Words
    signals: Mapping[str, float]
    caution: float
    circumstances: Mapping[str, frozenset[str]]
    asked: tuple[tuple[str, frozenset[str], frozenset[str], Span], ...]
    evidence: tuple[Span, ...]

    @classmethod
    def of(cls, brief: Brief) -> Facts:
        """The facts of a brief."""
        frame = brief.understanding.frame
        circumstances = {
            "scope": frozenset({frame.scope.value}),
            "environment": frozenset({frame.environment.value}),
            "mood": frozenset({frame.mood.value}),
            "safeguard": frozenset(frame.safeguards),
            "waived": frozenset(frame.waived),
            "entity": frozenset(e.type for e in brief.understanding.entities),
        }
        asked = tuple(
            (a.action, frozenset(_heads(a.action, a.objects)), frozenset(a.objects), a.evidence)
            for a in frame.actions
            if not (a.negated or a.described)
        )
        return cls(
            words=split_words(brief.text),
            signals={s.concern: s.probability for s in brief.understanding.signals},
            caution=_caution(brief),
            circumstances=circumstances,
            asked=asked,
            evidence=frame.evidence[:2],
        )


def _match_rule(rule: Rule, facts: Facts) -> tuple[Span, ...] | None:
    if not rule.conditions.get("unless_safeguard", frozenset()).isdisjoint(facts.circumstances["safeguard"]):
        return None
    actions, objects, others = (rule.conditions.get(key) for key in ("action", "object", "with_object"))
    spans = facts.evidence
    if actions is not None or objects is not None:
        spans = tuple(
            words
            for action, touched, named, words in facts.asked
            if (actions is None or action in actions)
            and (objects is None or not objects.isdisjoint(touched))
            and (others is None or not others.isdisjoint(named))
        )
        if not spans:
            return None
    for key, values in rule.conditions.items():
        present = facts.circumstances.get(key)
        if present is not None and values.isdisjoint(present):
            return None
    return spans


_TAKING_OUT = frozenset({"export", "expose", "collect"})
#: Objects that, when they come first, are all that is touched: a typo in the customer report is a typo.
_LIGHT = frozenset({"ui", "text", "report", "notification", "feature", "document", "code", "test_suite", "performance"})


def _heads(action: str, objects: Sequence[str]) -> Sequence[str]:
    """The objects that are really touched: all up to the second, only the first if it is a light one.

    What is taken out is more than the sheet it stands in: somebody's data count wherever they are named.
    """
    touched = objects[:1] if objects and objects[0] in _LIGHT else objects[:2]
    return [*touched, "personal_data"] if action in _TAKING_OUT and "personal_data" in objects else touched


def _system_presence(concern: Concern, brief: Brief) -> float:
    """A change to a system that many depend on has a large blast radius, whatever the words."""
    if concern.id != _BLAST_RADIUS or brief.understanding.frame.action in ("read", "document", "investigate", "none"):
        return 0.0
    widest = max((s.blast_radius for s in brief.systems), default=0)
    return 0.0 if widest < LARGE_BLAST_RADIUS else min(0.8, 0.3 + 0.05 * widest)


def _unique(spans: Iterable[Span]) -> tuple[Span, ...]:
    return tuple({(s.start, s.end): s for s in spans if s.quote}.values())


def _whole(words: Words, frame: Frame) -> Span:
    """The main action's words, or the first sentence: what the classifier judged."""
    for mention in frame.actions:
        if not mention.negated:
            return mention.evidence
    last = max((i for i in range(len(words)) if words.sentence[i] == words.sentence[0]), default=0)
    if not len(words):
        return Span(quote=words.text, start=0, end=len(words.text))
    quote, start, end = words.quote(0, last)
    return Span(quote=quote, start=start, end=end)


def _confidence(brief: Brief, findings: Sequence[Finding]) -> float:
    """Confidence in the understanding, less where the weightiest likelihoods are neither yes nor no."""
    doubt = max((4.0 * f.likelihood * (1.0 - f.likelihood) * f.severity for f in findings[:3]), default=0.0)
    return brief.understanding.confidence * (1.0 - 0.3 * doubt)


def _summary(brief: Brief, findings: Sequence[Finding], relevance: float) -> str:
    language = brief.answer_language
    say: Mapping[str, str] = texts()[language]
    if not findings:
        subject = ", ".join(brief.understanding.keywords[:3])
        return say["nothing"].format(subject=subject) if relevance >= 0.2 and subject else say["not_mine"]
    first = findings[0]
    key = "found_one" if len(findings) == 1 else "found_many"
    text = say[key].format(n=len(findings), first=first.title)
    if first.mitigated_by:
        text += say["eased"].format(safeguards=", ".join(names("safeguard", language)[s] for s in first.mitigated_by))
    widest = max(brief.systems, key=lambda s: s.blast_radius, default=None)
    if widest is not None and widest.blast_radius >= LARGE_BLAST_RADIUS:
        text += say["systems"].format(system=widest.name, n=widest.blast_radius)
    return text
