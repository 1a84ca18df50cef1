"""Another model for a hive that runs: published, promoted, taken without a restart, refused when it does not fit."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import HIVE, PATIENCE_S, RunningHive, clean_environment
from tests.contract.test_champion import other_model


def command(registry: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `hive models …` to its end."""
    environment = clean_environment() | {"HIVE_MODELS_URL": registry}
    return subprocess.run([HIVE, "models", *words], env=environment, capture_output=True, text=True, timeout=PATIENCE_S)


def model_state(hive: RunningHive) -> dict[str, str]:
    with hive.client() as http:
        found: dict[str, str] = http.get("/ready").json()["dependencies"]["models"]
    return found


def wait_for(hive: RunningHive, is_wanted: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    give_up_at = time.monotonic() + PATIENCE_S
    while not is_wanted(found := model_state(hive)):
        assert time.monotonic() < give_up_at, found
        threading.Event().wait(0.1)
    return found


def served(hive: RunningHive) -> str:
    """The model that the next decision names."""
    with hive.client() as http:
        case: dict[str, Any] = http.post("/api/v1/intents", json={"text": "Fix the typo in the footer"}).json()
    name: str = case["decision"]["models"]["understanding"]
    return name


@pytest.mark.slow
def test_a_running_hive_takes_another_champion_and_refuses_one_that_does_not_fit(
    hive_starter: Callable[..., RunningHive], tmp_path: Path
) -> None:
    registry = f"bundled://{tmp_path}/registry"
    hive = hive_starter("up", HIVE_MODELS_URL=registry, HIVE_MODELS_INTERVAL_S="0.2")
    before = served(hive)
    published = command(registry, "publish", str(other_model(tmp_path / "good", 1)), "--promote")
    assert published.returncode == 0, published.stderr
    version = json.loads(published.stdout)
    assert version["metrics"]["domain_accuracy"] > 0.5
    assert version["digest"][:16] != before
    wait_for(hive, lambda state: version["digest"][:16] in state["detail"])
    assert served(hive) == version["digest"][:16]
    assert json.loads(command(registry, "champion").stdout) == version

    refused = command(registry, "publish", str(other_model(tmp_path / "bad", 2, frame_columns=["asked:destroy"])))
    assert refused.returncode == 1
    assert "frame vocabulary" in refused.stderr
    assert command(registry, "promote", "nothing").returncode == 1
    assert served(hive) == version["digest"][:16]
