"""What understands texts: a thread of this process, or processes beside it, which use the other cores and their caches."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from neural_hive.contracts import Understanding
from neural_hive.errors import HiveError, ModelError, UnavailableError
from neural_hive.pipeline.batching import Batcher
from neural_hive.understanding.understand import Heading, Understander, Understood
from neural_hive.understanding.wire import packed, receive_from
from neural_hive.understanding.worker import heading_head

#: Texts in one message at most, and messages under way: the next batch waits at the worker, not here.
MAX_BATCH, MAX_UNDER_WAY = 16, 2
#: Longest time for a worker to start, and to end when its connection is closed. Seconds.
START_S, END_S = 60.0, 2.0
#: A text is given to a worker this many times before it is taken for what kills workers.
MAX_ATTEMPTS = 2
#: Pause before a worker is started again after it died at once. Seconds.
RESTART_S = 1.0


class Mind(Protocol):
    """Understands texts."""

    @property
    def models(self) -> Mapping[str, str]:
        """Name → hash of each model that it uses."""

    @property
    def depth(self) -> int:
        """How many texts wait."""

    async def understand(self, heading: Heading) -> Understood:
        """Understand one text.

        Raises:
            UnavailableError: it could not be understood now.
        """

    async def learn_names(self, names: Mapping[str, str]) -> None:
        """Know names of the caller's own as systems. names: name or alias in lower case → the system's name."""

    async def close(self) -> None:
        """Let go of what it holds."""


class ThreadMind:
    """Understands in a thread of this process; what waits together is understood together."""

    def __init__(self, understander: Understander) -> None:
        self.models: Mapping[str, str] = understander.models
        self._understander = understander
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="understanding")
        self._batcher: Batcher[Heading, Understood] = Batcher(understander.understand, self._executor)

    @property
    def depth(self) -> int:
        """See `Mind`."""
        return self._batcher.depth

    async def understand(self, heading: Heading) -> Understood:
        """See `Mind`."""
        return await self._batcher.run(heading)

    async def learn_names(self, names: Mapping[str, str]) -> None:
        """See `Mind`."""
        self._understander.learn_names(names)

    async def close(self) -> None:
        """See `Mind`."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class ProcessMind:
    """Understands in worker processes. One that dies is started again, and what it had is given to it again."""

    def __init__(self, workers: Sequence[_Worker]) -> None:
        self._workers = workers
        self.models: Mapping[str, str] = workers[0].models

    @classmethod
    async def start(cls, n_processes: int, model: Path | None = None) -> ProcessMind:
        """Start workers and wait until they have loaded their models (about a second, 190 MB each).

        Args:
            n_processes: how many, at least 1.
            model: folder of the domain model; None is the bundled one.

        Raises:
            ModelError: a model is missing or damaged.
            UnavailableError: a worker did not start.
        """
        workers = [_Worker(model) for _ in range(n_processes)]
        try:
            await asyncio.gather(*(worker.start() for worker in workers))
        except BaseException:
            await asyncio.gather(*(worker.close() for worker in workers))
            raise
        return cls(workers)

    @property
    def depth(self) -> int:
        """See `Mind`."""
        return sum(worker.depth for worker in self._workers)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids, for health reports and tests."""
        return tuple(worker.pid for worker in self._workers)

    async def understand(self, heading: Heading) -> Understood:
        """See `Mind`."""
        return await min(self._workers, key=lambda worker: worker.depth).understand(heading)

    async def learn_names(self, names: Mapping[str, str]) -> None:
        """See `Mind`."""
        for worker in self._workers:
            worker.learn_names(names)

    async def close(self) -> None:
        """See `Mind`."""
        await asyncio.gather(*(worker.close() for worker in self._workers))


@dataclass(slots=True, eq=False)
class _Job:
    heading: Heading
    answer: asyncio.Future[Understood]
    n_attempts: int = field(default=0)


class _Worker:
    """One process, its connection, and what waits for it."""

    def __init__(self, model: Path | None) -> None:
        self._model = model
        self._names: Mapping[str, str] = {}
        self._waiting: deque[_Job] = deque()
        self._under_way: deque[list[_Job]] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._life: asyncio.Task[None] | None = None
        self.models: Mapping[str, str] = {}

    @property
    def depth(self) -> int:
        return len(self._waiting) + sum(map(len, self._under_way))

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    async def start(self) -> None:
        """Start the process; afterwards it is kept alive until `close`."""
        reader = await self._open()
        self._life = asyncio.create_task(self._live(reader), name="understanding worker")

    async def understand(self, heading: Heading) -> Understood:
        job = _Job(heading, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._send()
        return await job.answer

    def learn_names(self, names: Mapping[str, str]) -> None:
        self._names = names
        if self._writer is not None:
            self._writer.write(packed({"names": dict(names)}))

    async def close(self) -> None:
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
        self._fail([*self._waiting, *(job for batch in self._under_way for job in batch)], "The hive is closing.")
        await asyncio.to_thread(self._end)

    async def _open(self) -> asyncio.StreamReader:
        """Start the process and wait until its models are loaded."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = _spawned(theirs)
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        try:
            writer.write(packed({"model": str(self._model) if self._model else ""}))
            async with asyncio.timeout(START_S):
                said, _ = await receive_from(reader)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            writer.close()
            raise UnavailableError("The process that understands texts did not start.") from error
        if said["kind"] != "ready":
            writer.close()
            raise ModelError(str(said["message"]))
        if self._names:
            writer.write(packed({"names": dict(self._names)}))
        self.models, self._writer = said["models"], writer
        return reader

    async def _live(self, reader: asyncio.StreamReader) -> None:
        """Take answers; when the process dies, start another."""
        while True:
            self._send()
            with suppress(OSError, EOFError, ValueError):
                while True:
                    self._settle(*await receive_from(reader))
            self._take_back()
            await asyncio.to_thread(self._end)
            reader = await self._reopen()

    async def _reopen(self) -> asyncio.StreamReader:
        while True:
            try:
                return await self._open()
            except HiveError as error:
                self._fail(self._waiting, str(error))
                await asyncio.to_thread(self._end)
                await asyncio.sleep(RESTART_S)

    def _send(self) -> None:
        """Give the process what waits, unless it has enough."""
        while self._writer is not None and self._waiting and len(self._under_way) < MAX_UNDER_WAY:
            batch: list[_Job] = []
            while self._waiting and len(batch) < MAX_BATCH and not (batch and self._waiting[0].n_attempts):
                job = self._waiting.popleft()
                if not job.answer.done():
                    job.n_attempts += 1
                    batch.append(job)
                    if job.n_attempts > 1:  # once bitten: alone, so that it cannot take others with it
                        break
            if batch:
                self._under_way.append(batch)
                self._writer.write(packed({"headings": [heading_head(job.heading) for job in batch]}))

    def _settle(self, head: Mapping[str, Any], body: bytes) -> None:
        batch = self._under_way.popleft()
        self._send()
        if head["kind"] != "done":
            self._fail(batch, f"The text could not be understood ({head['message']}).")
            return
        at = 0
        sizes = iter(head["sizes"])
        for job, n_words, n_vector in zip(batch, sizes, sizes, strict=False):
            if not job.answer.done():
                understanding = Understanding.model_validate_json(body[at : at + n_words])
                job.answer.set_result(Understood(understanding, body[at + n_words : at + n_words + n_vector]))
            at += n_words + n_vector

    def _take_back(self) -> None:
        """What a dead process had goes to the next one, unless it may be what killed it."""
        self._writer = None
        had = [job for batch in self._under_way for job in batch]
        self._under_way.clear()
        self._fail(
            [job for job in had if job.n_attempts >= MAX_ATTEMPTS], "Understanding this text failed; it is tried again later."
        )
        self._waiting.extendleft(job for job in reversed(had) if job.n_attempts < MAX_ATTEMPTS)

    def _fail(self, jobs: Sequence[_Job] | deque[_Job], message: str) -> None:
        for job in jobs:
            if not job.answer.done():
                job.answer.set_exception(UnavailableError(message))
        if jobs is self._waiting:
            self._waiting.clear()

    def _end(self) -> None:
        """Wait for the process, which ends with its connection; kill it if it does not. Blocking."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._child is not None:
            try:
                self._child.wait(END_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()


def _spawned(connection: socket.socket) -> subprocess.Popen[bytes]:
    """A worker at the other end of `connection`. It hears nothing of the hive's tokens, passwords and URLs."""
    return subprocess.Popen(  # noqa: S603 - this interpreter and our own module
        [sys.executable, "-P", "-m", "neural_hive.understanding.worker", str(connection.fileno())],
        pass_fds=[connection.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("HIVE_")}
        | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
