"""Three languages, the same texts; every text that is used exists and every one that exists is used."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_hive import console
from neural_hive.console.breaks import State
from neural_hive.console.models_table import model_rows
from neural_hive.console.tallies import SPANS
from neural_hive.console.wording import LANGUAGES, choose_language, wording
from neural_hive.contracts import Channel, Domain, Environment, Language, Outcome, Reversibility, Scope, Status
from neural_hive.storage.ledger.chain import EntryKind

ROOT = Path(console.__file__).parent
SOURCES = [*ROOT.rglob("*.html"), *ROOT.rglob("*.py")]
#: The model of understanding that comes with the package, by its digest.
MODELS = {"understanding": json.loads((ROOT.parent / "models" / "understanding" / "manifest.json").read_text("utf-8"))["digest"]}
#: Kinds of word whose keys are made from data.
NAMED = {
    "outcome": Outcome,
    "outcome_short": Outcome,
    "domain": Domain,
    "status": Status,
    "channel": Channel,
    "language": Language,
    "scope": set(Scope) - {Scope.UNKNOWN},
    "environment": set(Environment) - {Environment.UNKNOWN},
    "reversibility": set(Reversibility) - {Reversibility.UNKNOWN},
    "entry": EntryKind,
    "link": get_args(State),
    "trends.spans": SPANS,
    "band": ("low", "medium", "high", "critical"),
    "head": {quality.part for row in model_rows(MODELS) for quality in row.quality},
}
MADE = (
    "verb",
    "nav",
    "preferences",
    "ask",
    "problem",
    "hive_field",
    "state",
    "part",
    "entity",
    "pii",
    "action",
    "object",
)
MADE += ("problem_hint", "reason", "lifecycle", "model", "model_kind", "ledger.flaw")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_same_texts_with_the_same_values_as_english(language: str) -> None:
    english, other = wording("en").texts, wording(language).texts
    assert set(other) == set(english)
    assert {k for k in english if fields(other[k]) != fields(english[k])} == set()
    assert all(text.strip() for text in other.values())


def used_keys() -> set[str]:
    found: set[str] = set()
    for source in SOURCES:
        found |= set(re.findall(r"\bt\(\s*['\"]([a-z_.\-0-9]+)['\"]\s*[,)]", source.read_text(encoding="utf-8")))
    return found


def test_every_text_that_is_used_exists() -> None:
    assert used_keys() - set(wording("en").texts) == set()


def test_every_text_is_used() -> None:
    made = (*MADE, *NAMED, "ledger.checked", "ledger.good", "trends.lead", "hive.concerns")
    unused = {k for k in wording("en").texts if k not in used_keys() and not k.startswith(tuple(f"{m}." for m in made))}
    assert unused == set()


@pytest.mark.parametrize("kind", NAMED)
def test_every_word_of_the_contracts_has_a_name(kind: str) -> None:
    assert {f"{kind}.{word}" for word in NAMED[kind]} - set(wording("pt").texts) == set()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("de-DE,es-AR;q=0.7,en;q=0.3", "es"),
        ("en;q=0.1,es;q=0.9", "es"),
        ("es;q=0,en", "en"),
        ("fr", "en"),
        ("", "en"),
        (";;;q=x", "en"),
    ],
)
def test_the_browser_says_which_language(header: str, language: str) -> None:
    assert choose_language(None, header) == language


def test_the_persons_choice_comes_first() -> None:
    assert choose_language("es", "pt-BR") == "es"
    assert choose_language("xx", "pt-BR") == "pt"


@given(st.text(max_size=200))
def test_any_header_gives_a_language(header: str) -> None:
    assert choose_language(None, header) in LANGUAGES


def test_numbers_are_written_as_people_write_them() -> None:
    assert wording("en").number(1234567.5, 1) == "1,234,567.5"
    assert wording("pt").number(1234567.5, 1) == "1\u202f234\u202f567,5"
    assert wording("es").score(0.5) == "0,50"
    assert wording("en").count("ledger.checked", 1).startswith("1 entry")
