"""What the OpenAPI document promises holds for whatever schemathesis thinks of; bounded, so that it stays quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from neural_hive.gateway.app import document_for
from neural_hive.settings import Settings

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
HEARING = "voice|transcriptions"
#: Not everything that a plan must fulfil can be said in a schema: its tasks must not wait for each other in a circle.
UNSAYABLE = "positive_data_acceptance"


def examine(url: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Let schemathesis loose on a hive: coverage, fuzzing and sequences of requests."""
    bounds = ("--max-examples", "15", "--generation-deterministic", "--no-color")
    return subprocess.run(
        [SCHEMATHESIS, "run", f"{url}/api/v1/openapi.json", *bounds, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_no_answer_is_undeclared(running_hive: Any, tmp_path: Path) -> None:
    result = examine(running_hive.url, tmp_path, "--exclude-path-regex", HEARING, "--exclude-checks", UNSAYABLE)
    assert result.returncode == 0, result.stdout


def test_no_answer_about_recordings_is_undeclared(running_hive: Any, tmp_path: Path) -> None:
    may_be_501 = f"not_a_server_error,{UNSAYABLE},negative_data_rejection"
    result = examine(running_hive.url, tmp_path, "--include-path-regex", HEARING, "--exclude-checks", may_be_501)
    assert result.returncode == 0, result.stdout


def test_the_document_that_is_served_is_the_one_that_is_published(http: httpx2.Client) -> None:
    served = http.get("/api/v1/openapi.json").json()
    assert served["paths"] == document_for(Settings.model_construct())["paths"]
