"""Roles that run from an image, as Kubernetes runs them: started, watched, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.deploy import image

PATIENCE_S = 120.0
PORT = 8000


@dataclass(slots=True)
class Contained:
    """A role that runs from the image. address: where it listens."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    @property
    def pid(self) -> int:
        """The process that is number 1 inside."""
        (child,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(child)

    def client(self, **headers: str) -> httpx2.Client:
        """A client of it."""
        return httpx2.Client(base_url=f"http://{self.address}:{PORT}", headers=headers, timeout=PATIENCE_S)

    def wait(self) -> None:
        """Until its own health check would say yes."""
        give_up_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_at and self.process.poll() is None:
            with suppress(httpx2.TransportError), httpx2.Client(timeout=1) as http:
                if http.get(f"http://{self.address}:{PORT}/health").status_code == 200:
                    return
            threading.Event().wait(0.05)
        pytest.fail(f"it does not listen: {self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End it at once, if it has not ended. Process 1 does not die with its parent: it has changed its user."""
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def end(self, number: signal.Signals) -> int:
        """Signal process 1 inside; the exit code."""
        os.kill(self.pid, number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def contained(
    target: str, folder: Path, address: str, words: list[str], settings: Mapping[str, str], hosts: Mapping[str, str]
) -> Iterator[Contained]:
    """A role of the image `target`, killed at the end if it still runs.

    Args:
        target: text or voice.
        folder: exists; becomes /data. What the role says is in a file beside it.
        address: of this machine's loopback network, where it listens on PORT.
        words: what follows `hive`.
        settings: environment beside the image's own.
        hosts: name → address.
    """
    command = image.command(target, folder, hosts, words, {**settings, "HIVE_HOST": address, "HIVE_PORT": str(PORT)})
    with (folder.parent / f"{address}.log").open("w+") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log, stdin=subprocess.DEVNULL)
        role = Contained(process, address, Path(log.name))
        try:
            yield role
        finally:
            role.kill()
