"""The tutorial's commands, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from docs.samples import with_decision

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-decision.md"
#: A block that begins with ```sh and nothing else is run; ```sh install is what `make test` has done already.
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of somebody who has run the whole tutorial; `N.out` is what block N printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(ROOT / "examples", folder / "examples")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HIVE_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for number, block in enumerate(BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))):
        command = ["bash", "-euo", "pipefail", "-c", block]
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, f"{block}\n{ran.stderr}"
        (folder / f"{number}.out").write_text(ran.stdout)
    return folder


def outputs(folder: Path) -> dict[str, str]:
    """What each block printed, by its first line."""
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    return {block.splitlines()[0]: (folder / f"{n}.out").read_text() for n, block in enumerate(blocks)}


def output(folder: Path, beginning: str) -> str:
    return next(out for line, out in outputs(folder).items() if line.startswith(beginning))


def test_every_command_of_the_tutorial_works(finished: Path) -> None:
    assert len(outputs(finished)) >= 9


def test_the_careless_wording_needs_a_person_and_the_careful_one_is_less_risky(finished: Path) -> None:
    careless = json.loads(output(finished, 'hive ask "Apagar'))
    careful = json.loads(output(finished, 'hive ask "Arquivar'))
    assert careless["decision"]["outcome"] == "needs_review"
    assert careful["decision"]["risk"] < careless["decision"]["risk"]


def test_the_answer_is_in_the_askers_language(finished: Path) -> None:
    decision = json.loads(output(finished, 'hive ask "Apagar'))["decision"]
    assert "Uma pessoa" in decision["explanation"]


def test_a_case_in_a_file_is_read_by_a_script(finished: Path) -> None:
    assert output(finished, 'hive ask "Add').strip() == "approved"


def test_every_example_row_is_answered_in_order(finished: Path) -> None:
    asked = [json.loads(line)["id"] for line in (ROOT / "examples" / "intents.jsonl").read_text().splitlines()]
    assert [json.loads(line)["id"] for line in (finished / "decisions.jsonl").read_text().splitlines()] == asked


def test_the_verdict_is_recorded_and_the_chain_is_intact(finished: Path) -> None:
    case = json.loads(output(finished, "hive review "))
    assert case["reviews"][0]["verdict"] == "rejected"
    assert json.loads(output(finished, "hive ledger verify"))["ok"] is True


@pytest.mark.parametrize(("page", "is_brief"), [(ROOT / "README.md", True), (TUTORIAL, False)], ids=["README", "tutorial"])
def test_the_decision_that_is_shown_is_the_one_the_hive_gives(page: Path, is_brief: bool) -> None:
    text = page.read_text(encoding="utf-8")
    assert with_decision(text, is_brief=is_brief) == text, "run: make docs"
