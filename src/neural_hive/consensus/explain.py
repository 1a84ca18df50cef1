"""Why the hive decided as it did, what must be true to go ahead, and who would decide otherwise: in the asker's language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from neural_hive.consensus.guardrails import Guardrail
from neural_hive.contracts import SEVERITY_ORDER, Finding, Opinion, Outcome, Status, Understanding
from neural_hive.contracts.names import names

#: Conditions shown at most; more than a person checks is noise.
MAX_CONDITIONS = 6
#: A finding's harm (severity × likelihood) from which its mitigations become conditions.
CONDITION_HARM = 0.12

#: Why a person should look twice: the hive is unsure of what it understood, or of what it heard.
Doubt = Literal["unsure", "misheard"]


@lru_cache(maxsize=1)
def texts() -> Mapping[str, Any]:
    """The catalogue of sentences, by language."""
    return tomllib.loads(resources.files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))


def ranked_findings(opinions: Sequence[Opinion]) -> list[Finding]:
    """All findings, most harmful first; ties by concern."""
    return sorted((f for o in opinions for f in o.findings), key=lambda f: (-f.severity * f.likelihood, f.concern))


def conditions_of(opinions: Sequence[Opinion], outcome: Outcome, language: str) -> tuple[str, ...]:
    """What to do before going ahead: mitigations of the weighty findings, most harmful first. None for an approval.

    A conditional decision always has conditions: where experience alone calls for care, the ones that any change needs.
    """
    if outcome is Outcome.APPROVED:
        return ()
    findings = [f for f in ranked_findings(opinions) if f.severity * f.likelihood >= CONDITION_HARM]
    if not findings and outcome is Outcome.CONDITIONAL:
        findings = ranked_findings(opinions)[:1]
    if not findings and outcome is Outcome.CONDITIONAL:
        return tuple(texts()[language]["any_change"])
    texts_in_order = (m for f in findings for m in f.mitigations)
    return tuple(dict.fromkeys(texts_in_order))[:MAX_CONDITIONS]


def dissent_of(opinions: Sequence[Opinion], outcome: Outcome, language: str) -> tuple[str, ...]:
    """Who would decide at least one step more strictly, or two steps more permissively."""
    say = texts()
    here = SEVERITY_ORDER.index(outcome)
    dissenters = [
        o
        for o in opinions
        if SEVERITY_ORDER.index(o.recommendation) > here
        or (o.relevance >= 0.2 and SEVERITY_ORDER.index(o.recommendation) <= here - 2)
    ]
    return tuple(
        say[language]["dissent"].format(
            name=names("specialist", language).get(o.specialist, o.specialist),
            outcome=names("outcome", language)[o.recommendation],
            summary=o.summary,
        )
        for o in dissenters
    )


def explain(
    understanding: Understanding,
    opinions: Sequence[Opinion],
    outcome: Outcome,
    risk: float,
    triggered: Sequence[Guardrail],
    missing: Sequence[str],
    doubt: Doubt | None,
    language: str,
) -> str:
    """The reasons, weightiest first."""
    say = texts()[language]
    parts = [say[outcome].format(risk=_number(risk, language))]
    parts += _why_not_understood(understanding, say)
    parts += [
        say["guarded"].format(text=g.text[language]) for g in triggered if g.id.replace("-", "_") not in understanding.reasons
    ][:2]
    parts += _concerns(opinions, outcome, say)
    parts += _safeguards(understanding, say, language)
    if missing:
        who = ", ".join(names("specialist", language).get(m, m) for m in missing)
        parts.append(say["missing"].format(names=who))
    if doubt:
        parts.append(say[doubt])
    return "".join(parts)


def _number(value: float, language: str) -> str:
    text = f"{value:.2f}"
    return text if language == "en" else text.replace(".", ",")


def _why_not_understood(understanding: Understanding, say: Mapping[str, str]) -> list[str]:
    for reason in ("instruction_to_the_hive", "unsupported_language"):
        if reason in understanding.reasons:
            return [say[reason]]
    return [] if understanding.status is Status.UNDERSTOOD else [say[understanding.status]]


def _concerns(opinions: Sequence[Opinion], outcome: Outcome, say: Mapping[str, str]) -> list[str]:
    findings = ranked_findings(opinions)
    if not findings or (outcome is Outcome.APPROVED and findings[0].severity * findings[0].likelihood < CONDITION_HARM):
        return []
    first = findings[0]
    rest = list(
        dict.fromkeys(f.title for f in findings[1:] if f.severity * f.likelihood >= CONDITION_HARM and f.title != first.title)
    )[:2]
    parts = [say["because"].format(title=first.title, quote=first.evidence[0].quote if first.evidence else "")]
    return parts + ([say["also"].format(titles="; ".join(rest))] if rest else [])


def _safeguards(understanding: Understanding, say: Mapping[str, str], language: str) -> list[str]:
    called = names("safeguard", language)
    frame = understanding.frame
    parts = []
    if frame.safeguards:
        parts.append(say["eased"].format(safeguards=", ".join(called[s] for s in frame.safeguards)))
    if frame.waived:
        parts.append(say["refused"].format(safeguards=", ".join(called[s] for s in frame.waived)))
    return parts
