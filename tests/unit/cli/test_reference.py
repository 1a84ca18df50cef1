"""docs/reference/cli.md."""

from __future__ import annotations

from pathlib import Path

from neural_hive.cli.app import verbs
from neural_hive.cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def test_the_reference_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: python -m neural_hive.cli.reference > docs/reference/cli.md"


def test_every_verb_is_in_it() -> None:
    for name in verbs():
        assert f"### `hive {name}" in reference()
