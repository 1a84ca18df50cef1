"""One thread that writes: it drains a queue and commits everything that waits in one synced transaction (group commit).

Each operation runs in its own savepoint, so that one that fails takes nothing from its neighbours. A caller gets its
answer only after COMMIT. Several processes may each have a writer on the same file: the transaction takes the write
lock first and operations read what they depend on inside it, so nothing is cached between two transactions.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
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

        Cancelling the caller does not undo work that has begun.

        Raises:
            OverloadedError: too many operations wait; nothing was queued.
            StorageError: the transaction failed as a whole, or the writer is closed. Nothing was acknowledged.
        """
        if self._is_closing:
            raise StorageError(f"{self._path} is closed; nothing was acknowledged.")
        if self._waiting.qsize() >= self._max_waiting:
            raise OverloadedError("The ledger has too much waiting to be written; try again shortly.")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._waiting.put(_Operation(work, loop, answer))
        return await answer

    async def close(self) -> None:
        """Finish what waits, then stop. Safe to call twice."""
        if not self._is_closing:
            self._is_closing = True
            self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._take()
            if batch:
                self._commit(batch)
                _answer(batch)
        while not self._waiting.empty():
            self._refuse(self._waiting.get())

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
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for operation in batch:
                self._attempt(operation)
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            self._abandon()
            for operation in batch:
                operation.error = storage_error(error, self._path)

    def _attempt(self, operation: _Operation[Any]) -> None:
        connection = self._connection
        connection.execute("SAVEPOINT operation")
        try:
            operation.value = operation.work(connection)
        except Exception as error:  # not swallowed: it is raised where `run` is awaited
            if not connection.in_transaction and isinstance(error, apsw.Error):
                raise  # SQLite rolled everything back; no neighbour may be acknowledged
            connection.execute("ROLLBACK TO operation")
            operation.error = storage_error(error, self._path) if isinstance(error, apsw.Error) else error
        connection.execute("RELEASE operation")

    def _abandon(self) -> None:
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
        if not loop.is_closed():  # a loop that has gone takes its callers with it
            loop.call_soon_threadsafe(_settle, operations)


def _settle(operations: Sequence[_Operation[Any]]) -> None:
    for operation in operations:
        if operation.answer.done():
            continue
        if operation.error is not None:
            operation.answer.set_exception(operation.error)
        else:
            operation.answer.set_result(operation.value)
