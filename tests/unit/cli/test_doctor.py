"""`hive doctor`."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neural_hive.cli import checks
from neural_hive.cli.checks import Check, State, check_machine, worst


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models take a second to load; their own tests do."""
    monkeypatch.setattr(checks, "_understanding", lambda: Check("nlu", State.OK, "…"))


def found(name: str) -> Check:
    return next(check for check in check_machine() if check.name == name)


def test_looking_makes_no_file(run: Callable[..., Any], tmp_path: Path) -> None:
    report = json.loads(run("doctor").out)
    assert {"python", "sqlite", "settings", "bind", "port", "ledger", "disk", "rubrics", "speech"} <= {
        check["name"] for check in report["checks"]
    }
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_setting_is_named_with_the_nearest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIVE_LEDGR_URL", "sqlite:///x.db")
    check = found("settings")
    assert check.state is State.WARNING
    assert "HIVE_LEDGER_URL" in check.advice


def test_a_wrong_setting_fails(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIVE_DEADLINE_MS", "soon")
    ran = run("doctor", "--text")
    assert ran.code == 1
    assert "HIVE_DEADLINE_MS" in ran.out


def test_no_secret_is_shown(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIVE_AUTH_TOKENS", "hush=acme")
    monkeypatch.setenv("HIVE_CACHE_URL", "nosuch://user:hush@host/0?password=hush")
    ran = run("doctor", "--text")
    assert "hush" not in ran.out + ran.err
    assert ran.code == 1


def test_a_public_address_without_authentication_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIVE_HOST", "0.0.0.0")
    assert found("bind").state is State.FAILED


def test_a_busy_port_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("HIVE_PORT", str(taken.getsockname()[1]))
        assert found("port").state is State.WARNING


def test_a_missing_folder_and_a_file_that_is_no_ledger_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIVE_LEDGER_URL", f"sqlite:///{tmp_path}/no/hive.db")
    assert found("ledger").state is State.FAILED
    (tmp_path / "note.txt").write_text("not a database, " * 100)
    monkeypatch.setenv("HIVE_LEDGER_URL", f"sqlite:///{tmp_path}/note.txt")
    assert found("ledger").state is State.FAILED


def test_the_worst_state_counts() -> None:
    states = [Check("a", State.OK, ""), Check("b", State.WARNING, ""), Check("c", State.FAILED, "")]
    assert [worst(states[:n]) for n in range(4)] == [State.OK, State.OK, State.WARNING, State.FAILED]
