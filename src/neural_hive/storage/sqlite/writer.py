"""One thread that writes: it drains a queue and commits everything that waits in one synced transaction (group commit).

A caller gets its answer only after COMMIT. An operation that fails takes nothing from its neighbours: if it had written
something, the transaction is rolled back and each operation runs again in one of its own. (A savepoint for each would
make every commit dearer instead: the full-text index is flushed at each.) Several processes may each have a writer on
one file: the transaction takes the write lock first and operations read what they depend on in it; nothing is cached.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import apsw

from neural_hive.errors import OverloadedError, StorageError
from neural_hive.storage.sqlite.faults import storage_error

T = TypeVar("T")

#: Operations that may wait before new ones are refused: two seconds of work at the measured rate.
MAX_WAITING = 8192
#: Operations in one transaction; bounds how long the first one waits for the last.
MAX_BATCH = 256


@dataclass(slots=True, eq=False)
class _Operation(Generic[T]):
    """Work for the writer, and where its answer goes."""

    work: Callable[[apsw.Connection], T]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[T]
    value: T | None = field(default=None)
    error: BaseException | None = field(default=None)


class Writer:
    """Runs operations on one connection, in order of arrival, in group commits."""

    def __init__(self, connection: apsw.Connection, path: str, *, max_waiting: int = MAX_WAITING) -> None:
        """Take over `connection`: nobody else may use or close it until `close` returns. `path` is for messages."""
        self._connection = connection
        self._path = path
        self._max_waiting = max_waiting
        self._waiting: queue.SimpleQueue[_Operation[Any] | None] = queue.SimpleQueue()
        self._is_closing = False
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run `work` inside a transaction; its effects are durable on return. What it raises is raised here.

        `work` may run twice, the first time in a transaction that is rolled back. Cancelling the caller does not undo
        work that has begun.

        Raises:
            OverloadedError: too many operations wait; nothing was queued.
            StorageError: the transaction failed as a whole, or the writer is closed. Nothing was acknowledged.
        """
        return await self.submit(work)

    def submit(self, work: Callable[[apsw.Connection], T]) -> asyncio.Future[T]:
        """Queue `work` behind what was queued before, without waiting; the future is what `run` returns or raises."""
        if self._is_closing:
            raise StorageError(f"{self._path} is closed; nothing was acknowledged.")
        if self._waiting.qsize() >= self._max_waiting:
            raise OverloadedError("The ledger has too much waiting to be written; try again shortly.")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._waiting.put(_Operation(work, loop, answer))
        return answer

    async def close(self) -> None:
        """Finish what waits, then stop. Safe to call twice."""
        if not self._is_closing:
            self._is_closing = True
            self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        try:
            is_open = True
            while is_open:
                batch, is_open = self._take()
                self._finish(batch)
        finally:
            self._is_closing = True
            while not self._waiting.empty():
                self._refuse(self._waiting.get())

    def _finish(self, batch: Sequence[_Operation[Any]]) -> None:
        """Commit a batch and answer it, whatever happens: nobody may wait for ever."""
        try:
            self._commit(batch)
        except BaseException:
            for operation in batch:
                operation.error = StorageError(f"{self._path}: the writer stopped; nothing was acknowledged.")
            raise
        finally:
            _answer(batch)

    def _take(self) -> tuple[list[_Operation[Any]], bool]:
        """Wait for one operation, then take all that wait with it; False when this is the last batch."""
        batch: list[_Operation[Any]] = []
        following = self._waiting.get()
        while following is not None:
            if not following.answer.cancelled():
                batch.append(following)
            if len(batch) >= MAX_BATCH or self._waiting.empty():
                return batch, True
            following = self._waiting.get()
        return batch, False

    def _commit(self, batch: Sequence[_Operation[Any]]) -> None:
        if not self._transact(batch):
            for operation in batch:
                self._transact([operation])

    def _transact(self, batch: Sequence[_Operation[Any]]) -> bool:
        """Run and commit a batch. False when one operation spoiled it: nothing was kept, run each on its own."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            if not all(self._attempt(operation) for operation in batch):
                self._abandon()
                return len(batch) == 1
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            self._abandon()
            for operation in batch:
                operation.error = storage_error(error, self._path)
        return True

    def _attempt(self, operation: _Operation[Any]) -> bool:
        """Run one operation. False when it failed after it may have written something."""
        operation.error = None
        n_before = self._connection.total_changes()
        try:
            operation.value = operation.work(self._connection)
        except apsw.Error as error:
            operation.error = storage_error(error, self._path)
        except Exception as error:  # noqa: BLE001 - not swallowed: it is raised where `run` is awaited
            operation.error = error
            return self._connection.total_changes() == n_before
        return operation.error is None

    def _abandon(self) -> None:
        with suppress(apsw.Error):  # a disk that fails here has failed before: the caller is told of that
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _refuse(self, operation: _Operation[Any] | None) -> None:
        if operation is not None:
            operation.error = StorageError(f"{self._path} is closed; nothing was acknowledged.")
            _answer([operation])


def _answer(batch: Sequence[_Operation[Any]]) -> None:
    """Hand every operation its answer, with one wake-up per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Operation[Any]]] = defaultdict(list)
    for operation in batch:
        by_loop[operation.loop].append(operation)
    for loop, operations in by_loop.items():
        with suppress(RuntimeError):  # a loop that has been closed took its callers with it
            loop.call_soon_threadsafe(_settle, operations)


def _settle(operations: Sequence[_Operation[Any]]) -> None:
    for operation in operations:
        if operation.answer.done():
            continue
        if operation.error is not None:
            operation.answer.set_exception(operation.error)
        else:
            operation.answer.set_result(operation.value)
