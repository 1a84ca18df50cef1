"""The verbs and how they are found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from neural_hive import __version__
from neural_hive.cli.app import load_verb, verbs


def test_help_lists_every_verb_and_goes_to_stdout(run: Callable[..., Any]) -> None:
    ran = run("--help")
    assert (ran.code, ran.err) == (0, "")
    for name, verb in verbs().items():
        assert f"  {name}" in ran.out
        assert verb.about in ran.out


def test_help_imports_no_verb_and_no_heavy_package() -> None:
    script = (
        "import sys; from neural_hive.cli import main; main(['--help']); "
        "print([m for m in ('pydantic', 'rich.console', 'numpy', 'httpx2', 'neural_hive.hive') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_without_a_verb_help_is_shown_as_a_usage_error(run: Callable[..., Any]) -> None:
    ran = run()
    assert ran.code == 2
    assert ran.out == ""
    assert "Usage: hive" in ran.err


def test_version(run: Callable[..., Any]) -> None:
    assert run("--version").out == f"hive {__version__}\n"


@pytest.mark.parametrize("name", verbs())
def test_every_verb_loads_and_its_first_line_is_the_one_in_the_list(name: str) -> None:
    command = load_verb(name)
    assert command.name == name
    assert (command.help or "").splitlines()[0].startswith(verbs()[name].about.rstrip(".").split(",")[0].split(";")[0])


@pytest.mark.parametrize(
    ("words", "meant"), [(["aks", "x"], "'ask'"), (["ledgr"], "'ledger'"), (["ask", "--languge", "pt"], "--language")]
)
def test_a_wrong_word_is_one_line_with_what_was_probably_meant(run: Callable[..., Any], words: list[str], meant: str) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert meant in ran.err
    assert "--help" in ran.err
