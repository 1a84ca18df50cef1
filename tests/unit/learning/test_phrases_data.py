"""The training phrases: every field is one the hive knows, and nothing that is measured on is among them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from neural_hive.contracts import Domain, Outcome
from neural_hive.phrases import split_words
from neural_hive.specialists.rubric import bundled_rubrics

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "data/phrases").glob("*.jsonl"))
KINDS = {"request", "report", "question", "off_topic", "gibberish", "greeting", "injection", "other_language"}
STYLES = {"ticket", "chat", "requirement", "voice", "misspelt"}
SPECIALISTS = {"business", "technical", "behavior", "evolution", "architecture", "none"}
CONCERNS = {concern.id for rubric in bundled_rubrics().values() for concern in rubric.concerns}


def rows(file: Path) -> Iterator[dict]:
    return (json.loads(line) for line in file.read_text("utf-8").splitlines())


def said(text: str) -> str:
    return " ".join(split_words(text).folded)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_field_is_known(file: Path) -> None:
    for row in rows(file):
        where = f"{row['group']} {row['language']}"
        assert row["text"].strip(), where
        assert row["language"] in {"pt-BR", "pt-PT", "es", "en", "other"}, where
        assert row["kind"] in KINDS, where
        assert row["style"] in STYLES, where
        assert {row["specialist"], *row.get("also_specialists", ())} <= SPECIALISTS, where
        assert {*row.get("also_domains", ()), *([row["domain"]] if "domain" in row else [])} <= {d.value for d in Domain}, where
        assert set(row.get("outcome", ())) <= {o.value for o in Outcome}, where
        assert set(row.get("concerns", ())) <= CONCERNS, where
        assert 0 < row.get("weight", 1.0) <= 1, where


def test_nothing_that_is_measured_on_is_trained_on() -> None:
    trained = {said(row["text"]) for file in FILES for row in rows(file)}
    golden = ROOT / "tests/golden"
    measured = [row["text"] for row in rows(golden / "everyday.jsonl")]
    measured += [row["text"] for file in sorted(golden.glob("fresh_*.jsonl")) for row in rows(file)]
    measured += [row[key] for row in rows(golden / "twins.jsonl") for key in ("safe", "risky")]
    measured += [row[key] for row in rows(golden / "parallel.jsonl") for key in ("pt", "es", "en")]
    assert [text for text in measured if said(text) in trained] == []


def test_formal_requirements_are_there_for_every_specialist_in_three_languages() -> None:
    formal = ROOT / "data/phrases/requirements_formal.jsonl"
    counted = Counter((row["specialist"], row["language"]) for row in rows(formal))
    assert len(counted) == 15
    assert min(counted.values()) >= 40
