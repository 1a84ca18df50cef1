"""A rubric: what one specialist knows, read from TOML and checked in full before anyone uses it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from neural_hive.canonical import canonical_json, digest
from neural_hive.errors import RubricError
from neural_hive.phrases import PhraseMatcher, PhraseSyntaxError

LANGUAGES = ("en", "pt", "es")
#: Examples that each concern must have in each language (DESIGN: rubrics are data a domain expert can read and edit).
MIN_EXAMPLES = 6
_RULE_KEYS = frozenset(
    {
        "action",
        "object",
        "with_object",
        "scope",
        "environment",
        "safeguard",
        "unless_safeguard",
        "waived",
        "entity",
        "mood",
        "likelihood",
    }
)
#: How sure a frame rule alone makes us, when it does not say.
DEFAULT_RULE_LIKELIHOOD = 0.7


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions on a frame, all of which must hold. Each is a set of alternatives; any of `unless_safeguard`, stated, is enough for
    the rule not to hold. likelihood in [0, 1]."""

    conditions: Mapping[str, frozenset[str]]
    likelihood: float


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that can go wrong or must be respected. severity in [0, 1]; texts by language."""

    id: str
    severity: float
    reference: str
    mitigated_by: tuple[str, ...]
    rules: tuple[Rule, ...]
    title: Mapping[str, str]
    mitigations: Mapping[str, tuple[str, ...]]
    cues: Mapping[str, tuple[str, ...]]
    examples: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Rubric:
    """All concerns of a specialist, ready to be matched. digest: SHA-256 of the parsed content."""

    specialist: str
    version: str
    concerns: tuple[Concern, ...]
    digest: str
    matcher: PhraseMatcher[tuple[str, str]] = field(repr=False, compare=False)
    #: Action → (position of the concern, rule); rules that name no action are under "".
    rules_by_action: Mapping[str, tuple[tuple[int, Rule], ...]] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Name and hash, as opinions give it."""
        return f"{self.specialist}-{self.version}@{self.digest[:12]}"


def bundled_rubrics() -> dict[str, Rubric]:
    """The rubrics that come with the hive, by specialist."""
    folder = resources.files(__package__).joinpath("rubrics")
    texts = {f.name: f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".toml")}
    return _load_all(texts)


def rubrics_in(folder: Path) -> dict[str, Rubric]:
    """The rubrics of a folder, by specialist.

    Raises:
        RubricError: a file cannot be read or is not valid; the message names the file and the concern.
    """
    try:
        texts = {f.name: f.read_text(encoding="utf-8") for f in sorted(folder.glob("*.toml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise RubricError(f"{folder}: {error}") from error
    if not texts:
        raise RubricError(f"{folder} holds no .toml rubric")
    return _load_all(texts)


def _load_all(texts: Mapping[str, str]) -> dict[str, Rubric]:
    rubrics = {r.specialist: r for r in (parse_rubric(text, name) for name, text in sorted(texts.items()))}
    seen: dict[str, str] = {}
    for rubric in rubrics.values():
        for concern in rubric.concerns:
            if concern.id in seen:
                raise RubricError(f"concern {concern.id} is in the rubrics of both {seen[concern.id]} and {rubric.specialist}")
            seen[concern.id] = rubric.specialist
    return rubrics


def parse_rubric(text: str, file: str = "rubric") -> Rubric:
    """Read one rubric.

    Raises:
        RubricError: it is not valid TOML or does not follow docs/how-to/add-a-concern.md.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RubricError(f"{file}: {error}") from error
    for key in ("specialist", "version", "concern"):
        if key not in table:
            raise RubricError(f"{file}: `{key}` is missing")
    concerns = tuple(_concern(entry, file) for entry in table["concern"])
    try:
        matcher = PhraseMatcher((p, (c.id, lang)) for c in concerns for lang, cues in c.cues.items() for p in cues)
    except PhraseSyntaxError as error:
        raise RubricError(f"{file}: {error}") from error
    index = _rules_by_action(concerns)
    return Rubric(str(table["specialist"]), str(table["version"]), concerns, digest(canonical_json(table)), matcher, index)


def _rules_by_action(concerns: Sequence[Concern]) -> dict[str, tuple[tuple[int, Rule], ...]]:
    index: dict[str, list[tuple[int, Rule]]] = {}
    for position, concern in enumerate(concerns):
        for rule in concern.rules:
            for action in rule.conditions.get("action", ("",)):
                index.setdefault(action, []).append((position, rule))
    return {action: tuple(rules) for action, rules in index.items()}


def _concern(entry: Mapping[str, Any], file: str) -> Concern:
    where = f"{file}: concern {entry.get('id', '?')}"
    try:
        concern = Concern(
            id=entry["id"],
            severity=float(entry["severity"]),
            reference=entry["reference"],
            mitigated_by=tuple(entry["mitigated_by"]),
            rules=tuple(_rule(r, where) for r in entry.get("when", ())),
            title=dict(entry["title"]),
            mitigations={lang: tuple(v) for lang, v in entry["mitigations"].items()},
            cues={lang: tuple(v) for lang, v in entry["cues"].items()},
            examples={lang: tuple(v) for lang, v in entry["examples"].items()},
        )
    except KeyError as error:
        raise RubricError(f"{where}: {error} is missing") from error
    _check(concern, where)
    return concern


def _rule(entry: Mapping[str, Any], where: str) -> Rule:
    unknown = set(entry) - _RULE_KEYS
    if unknown:
        raise RubricError(f"{where}: a rule has {sorted(unknown)}; it may have {sorted(_RULE_KEYS)}")
    conditions = {k: frozenset([v] if isinstance(v, str) else v) for k, v in entry.items() if k != "likelihood"}
    if not conditions:
        raise RubricError(f"{where}: a rule needs a condition")
    return Rule(conditions, float(entry.get("likelihood", DEFAULT_RULE_LIKELIHOOD)))


def _check(concern: Concern, where: str) -> None:
    if not 0.0 <= concern.severity <= 1.0 or any(not 0.0 <= r.likelihood <= 1.0 for r in concern.rules):
        raise RubricError(f"{where}: severity and likelihoods must be in [0, 1]")
    for language in LANGUAGES:
        if not concern.title.get(language) or not concern.mitigations.get(language):
            raise RubricError(f"{where}: title and mitigations are needed in {language}")
        if len(concern.examples.get(language, ())) < MIN_EXAMPLES:
            raise RubricError(f"{where}: {MIN_EXAMPLES} examples are needed in {language}")
    if len({len(m) for m in concern.mitigations.values()}) != 1:
        raise RubricError(f"{where}: every language needs the same mitigations")


def check_vocabulary(rubrics: Sequence[Rubric], words: Mapping[str, frozenset[str]]) -> None:
    """Check that frame rules use only words that the frame reader can produce.

    Raises:
        RubricError: a rule could never match.
    """
    for rubric in rubrics:
        for concern in rubric.concerns:
            named = ((k.removeprefix("unless_"), v) for rule in concern.rules for k, v in rule.conditions.items())
            for key, values in ((k, v) for k, v in named if k in words):
                if values - words[key]:
                    raise RubricError(f"{rubric.specialist}: {concern.id}: unknown {key} {sorted(values - words[key])}")
            if set(concern.mitigated_by) - words["safeguard"]:
                raise RubricError(f"{rubric.specialist}: {concern.id}: unknown safeguard in mitigated_by")
