"""A hive as a user starts it: `hive up` in an empty folder, on a free port, talked to from outside."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

HIVE = str(Path(sys.executable).with_name("hive"))
#: Longest that a hive may take to say that it listens or to end, in seconds, on a busy machine.
PATIENCE_S = 60.0
_LISTENING = re.compile(r"listening on (http://\S+)")


@dataclass(slots=True)
class RunningHive:
    """A process and what it has said. url: where it listens."""

    process: subprocess.Popen[str]
    url: str = ""
    said: list[str] = field(default_factory=list)
    _reader: threading.Thread | None = None
    _lines: queue.Queue[str | None] = field(default_factory=queue.Queue)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def client(self, **headers: str) -> httpx2.Client:
        """A client of this hive."""
        return httpx2.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S)

    def wait_until_it_listens(self, patience_s: float = PATIENCE_S) -> None:
        """Read what it says until it says where it listens, as long as it says something within `patience_s`."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        while not self.url:
            line = self._lines.get(timeout=patience_s)
            assert line is not None, f"the hive ended: {''.join(self.said)}"
            if found := _LISTENING.search(line):
                self.url = found[1]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            self._lines.put(line)
        self._lines.put(None)

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self.process.kill()
        self.process.wait()
        if self._reader is not None:
            self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def clean_environment() -> dict[str, str]:
    """The environment without settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HIVE_")}


@pytest.fixture(scope="module")
def hive_starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningHive]]:
    """Starts a hive with the given settings; whatever still runs at the end is killed."""
    started: list[RunningHive] = []

    def start(*words: str, **settings: str) -> RunningHive:
        process = subprocess.Popen(
            [HIVE, *(words or ("up",)), "--port", "0"],
            cwd=tmp_path_factory.mktemp("hive"),
            env=clean_environment() | settings,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        started.append(RunningHive(process))
        started[-1].wait_until_it_listens()
        return started[-1]

    yield start
    for running in started:
        running.kill()


@pytest.fixture(scope="module")
def running_hive(hive_starter: Callable[..., RunningHive]) -> RunningHive:
    """One hive with default settings for all tests of a module."""
    return hive_starter()


@pytest.fixture
def http(running_hive: RunningHive) -> Iterator[httpx2.Client]:
    """A client of the module's hive."""
    with running_hive.client() as client:
        yield client


@pytest.fixture
def hive_command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `hive` to its end, with settings."""

    def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = clean_environment() | settings
        return subprocess.run([HIVE, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)

    return run
