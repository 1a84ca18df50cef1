"""One speech worker as seen from the hive: started, asked, timed, killed. Blocking.

`ear` runs it on a thread of its own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neural_hive.contracts import Transcript
from neural_hive.errors import AudioRejectedError, ModelError, UnavailableError
from neural_hive.understanding.wire import receive, send

_GRACE_S = 2.0
#: What the worker frees of a megabyte or more goes back to the system, on whichever thread it was made: the pieces of a long
#: recording are read on several. Source: mallopt(3), M_MMAP_THRESHOLD; measured, docs/explanation/decisions/0016-pieces-at-once.md.
ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": "1000000"}


@dataclass(frozen=True)
class WorkerLimits:
    """Bounds of the worker.

    Attributes:
        memory_bytes: Address space; the base model needs about 1.7 GB of addresses for 0.35 GB of memory.
        load_s: Longest time to load the model, seconds.
        decode_s: Longest time to decode a file, seconds.
        job_s: Longest time for a whole request, seconds.
        n_threads: Threads of the networks.
    """

    memory_bytes: int = 4 << 30
    load_s: float = 60.0
    decode_s: float = 20.0
    job_s: float = 180.0
    n_threads: int = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Request:
    """One recording: a file's bytes, or float32 samples (mono, 16 kHz), and what is wanted."""

    body: bytes
    is_samples: bool
    language: str | None
    vocabulary: tuple[str, ...]
    word_times: bool

    def head(self, cpu_s: float) -> dict[str, Any]:
        """The message that goes before the body."""
        names = ("is_samples", "language", "vocabulary", "word_times")
        return {name: getattr(self, name) for name in names} | {"cpu_s": cpu_s}


class SpeechProcess:
    """A running worker. Any failure ends it; the owner starts another."""

    def __init__(self, model: Path, limits: WorkerLimits) -> None:
        """Start the worker and wait until its model is loaded.

        Raises:
            ModelError: the model cannot be loaded.
            UnavailableError: the worker did not start in time.
        """
        self._limits = limits
        self.n_jobs = 0
        self._connection, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", "neural_hive.understanding.speech.worker", str(theirs.fileno())]
        with theirs:
            self._child = subprocess.Popen(  # noqa: S603 - this interpreter and our own module
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
            )
        settings = {"model": str(model), "memory_bytes": limits.memory_bytes, "n_threads": limits.n_threads}
        try:
            send(self._connection, settings)
            said = self._next(time.monotonic() + limits.load_s)
        except (OSError, EOFError, ValueError) as error:
            self.kill()
            raise UnavailableError("The speech worker did not start.") from error
        if said["kind"] != "ready":
            self.kill()
            raise ModelError(str(said.get("message")))
        self.load_s, self.model = float(said["load_s"]), str(said["model"])

    @property
    def pid(self) -> int:
        """Process id, for health reports and tests."""
        return self._child.pid

    def ask(self, request: Request, on_progress: Callable[[float], None]) -> Transcript:
        """Have one recording transcribed.

        Raises:
            AudioRejectedError: the recording is to blame: refused, or it stopped the decoder.
            UnavailableError: the worker died or took too long; it is gone, and another may be asked.
        """
        self.n_jobs += 1
        started = time.monotonic()
        is_decoded = False
        try:
            send(self._connection, request.head(self._limits.job_s * self._limits.n_threads), request.body)
            while True:
                limit = self._limits.job_s if is_decoded else self._limits.decode_s
                said = self._next(started + limit)
                if said["kind"] == "done":
                    return Transcript.model_validate(said["transcript"])
                if said["kind"] == "rejected":
                    raise AudioRejectedError(said["message"])
                if said["kind"] == "failed":
                    raise UnavailableError(said["message"])
                is_decoded = True
                if said["kind"] == "progress":
                    on_progress(said["share"])
        except (OSError, EOFError, ValueError) as error:
            self.kill()
            raise _blame(is_decoded or request.is_samples, error) from error

    def _next(self, deadline: float) -> dict[str, Any]:
        self._connection.settimeout(max(0.001, deadline - time.monotonic()))
        return receive(self._connection)[0]

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._child.poll() is None

    def stop(self) -> None:
        """End the worker between requests: it leaves when the connection closes, and is killed if it does not."""
        self._connection.close()
        try:
            self._child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the worker at once, whatever it does."""
        self._child.kill()
        self._child.wait()
        self._connection.close()


def _environment() -> dict[str, str]:
    """What the worker may know: where Python and its packages are; no token, password or URL of the hive."""
    kept = (
        "PATH",
        "PYTHONPATH",
        "PYTHONHOME",
        "VIRTUAL_ENV",
        "LANG",
        "LD_LIBRARY_PATH",
        "TMPDIR",
        "HOME",
        "SYSTEMROOT",
    )
    return {name: os.environ[name] for name in kept if name in os.environ} | {"OMP_NUM_THREADS": "1"} | ALLOCATION


def _blame(is_decoded: bool, error: Exception) -> AudioRejectedError | UnavailableError:
    """Who is at fault: until the sound is decoded the file, afterwards the worker."""
    if is_decoded:
        return UnavailableError("The transcription was stopped; send the recording again, or in shorter parts.")
    late = "takes too long to decode" if isinstance(error, TimeoutError) else "stopped the decoder"
    return AudioRejectedError(f"The recording {late}; save it again in another format.")
