"""Runs `hive` in this process on a hive that answers without judging."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from neural_hive.cli import connect, main, record

sys.path.insert(0, str(Path(__file__).parent))  # tests are imported without packages

from cli_fakes import FakeHive


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings of whoever runs the tests; nothing is written into the repository; the hooks of the process stay."""
    for name in ("NO_COLOR", "FORCE_COLOR", "HIVE_LOG_LEVEL", "HIVE_HOST", "HIVE_PORT", "HIVE_LEDGER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    on_terminate = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, on_terminate)


@pytest.fixture
def hive(monkeypatch: pytest.MonkeyPatch) -> FakeHive:
    """The hive that commands open."""
    fake = FakeHive()

    @asynccontextmanager
    async def embedded(_what: object = None) -> AsyncIterator[FakeHive]:
        yield fake

    monkeypatch.setattr(connect, "_embedded", embedded)
    monkeypatch.setattr(record, "open_record", embedded)
    return fake


@pytest.fixture
def run(hive: FakeHive, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Call `hive` with some words."""

    def call(*words: str) -> Ran:
        capfd.readouterr()
        code = main(words)
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return call
