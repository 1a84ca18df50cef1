"""Guardrails: declarative rules that no opinion can outvote."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from neural_hive.canonical import canonical_json, digest
from neural_hive.contracts import Opinion, Outcome, Understanding
from neural_hive.errors import RubricError

_KEYS = frozenset(
    {
        "action",
        "object",
        "environment",
        "scope",
        "mood",
        "waived",
        "reason",
        "domain",
        "unless_safeguard",
        "concern",
        "likelihood",
    }
)
#: Only the first two objects of an action are what it is done to.
_HEADS = 2


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One rule. outcome: the least strict outcome it allows. text: why, by language."""

    id: str
    outcome: Outcome
    conditions: Mapping[str, frozenset[str]]
    likelihood: float
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Guardrails:
    """All rules in the order of the file, and the SHA-256 of its content."""

    rules: tuple[Guardrail, ...]
    digest: str

    def triggered(self, understanding: Understanding, opinions: Sequence[Opinion]) -> list[Guardrail]:
        """Rules whose conditions all hold."""
        likelihoods = strongest_findings(opinions)
        return [rule for rule in self.rules if _holds(rule, understanding, likelihoods)]


def strongest_findings(opinions: Sequence[Opinion]) -> dict[str, float]:
    """Greatest likelihood of each concern over all opinions."""
    strongest: dict[str, float] = {}
    for opinion in opinions:
        for finding in opinion.findings:
            strongest[finding.concern] = max(finding.likelihood, strongest.get(finding.concern, 0.0))
    return strongest


def bundled_guardrails() -> Guardrails:
    """The guardrails that come with the hive."""
    return parse_guardrails(resources.files(__package__).joinpath("guardrails.toml").read_text(encoding="utf-8"))


def reasons_of(ids: Iterable[str], language: str) -> tuple[str, ...]:
    """What the bundled guardrails with these ids say, in pt, en or es, else in English; an unknown id says itself."""
    said = _texts_by_id()
    return tuple(said[id_].get(language, said[id_]["en"]) if id_ in said else id_ for id_ in ids)


@lru_cache(maxsize=1)
def _texts_by_id() -> Mapping[str, Mapping[str, str]]:
    return {rule.id: rule.text for rule in bundled_guardrails().rules}


def parse_guardrails(text: str) -> Guardrails:
    """Read guardrails from TOML.

    Raises:
        RubricError: a rule is not valid; the message names it.
    """
    try:
        table = tomllib.loads(text)
        rules = tuple(_rule(entry) for entry in table["guardrail"])
    except (tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        raise RubricError(f"guardrails: {error}") from error
    return Guardrails(rules, digest(canonical_json(table)))


def _rule(entry: Mapping[str, Any]) -> Guardrail:
    when = dict(entry["when"])
    if set(when) - _KEYS:
        raise RubricError(f"guardrail {entry['id']}: unknown condition {sorted(set(when) - _KEYS)}")
    likelihood = float(when.pop("likelihood", 0.5))
    outcome = Outcome(entry["outcome"])
    if outcome not in (Outcome.NEEDS_REVIEW, Outcome.REJECTED):
        raise RubricError(f"guardrail {entry['id']}: a guardrail can only tighten: needs_review or rejected")
    return Guardrail(entry["id"], outcome, {k: frozenset(v) for k, v in when.items()}, likelihood, dict(entry["text"]))


def _holds(rule: Guardrail, understanding: Understanding, likelihoods: Mapping[str, float]) -> bool:
    frame, conditions = understanding.frame, rule.conditions
    if conditions.get("unless_safeguard", frozenset()).intersection(frame.safeguards):
        return False
    for key, present in (
        ("environment", (frame.environment.value,)),
        ("scope", (frame.scope.value,)),
        ("mood", (frame.mood.value,)),
        ("waived", frame.waived),
        ("reason", understanding.reasons),
        ("domain", (understanding.domain.value,)),
    ):
        if key in conditions and not conditions[key].intersection(present):
            return False
    if "concern" in conditions and not any(likelihoods.get(c, 0.0) >= rule.likelihood for c in conditions["concern"]):
        return False
    return ("action" not in conditions and "object" not in conditions) or _is_asked(understanding, conditions)


def _is_asked(understanding: Understanding, conditions: Mapping[str, frozenset[str]]) -> bool:
    actions, objects = conditions.get("action"), conditions.get("object")
    return any(
        not mention.negated
        and not mention.described
        and (actions is None or mention.action in actions)
        and (objects is None or bool(objects.intersection(mention.objects[:_HEADS])))
        for mention in understanding.frame.actions
    )
