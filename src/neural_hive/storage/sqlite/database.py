"""One SQLite file: a writer, a few read connections, and how they are opened. Shared by every role on the file."""

from __future__ import annotations

import asyncio
import os
import queue
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import apsw

from neural_hive.errors import StorageError
from neural_hive.storage.resources import Resources
from neural_hive.storage.sqlite.checkpoints import Checkpoints
from neural_hive.storage.sqlite.faults import require_version, storage_error, translated
from neural_hive.storage.sqlite.migrations import Migration, migrate
from neural_hive.storage.sqlite.writer import Writer
from neural_hive.storage.urls import MEMORY

T = TypeVar("T")

#: How long to wait for another process's transaction before LedgerBusyError, in milliseconds.
BUSY_TIMEOUT_MS = 5_000
#: Read connections: enough for reads to overlap on few cores.
N_READERS = 3
#: "HIVE" in the file's header: which application made it.
APPLICATION_ID = 0x48495645


class Database:
    """An open SQLite file. In memory, reads go through the writer: another connection would see another database."""

    def __init__(self, path: str, writer: Writer, readers: Sequence[apsw.Connection]) -> None:
        self.path = path
        self._writer = writer
        self._readers: queue.SimpleQueue[apsw.Connection] = queue.SimpleQueue()
        for connection in readers:
            self._readers.put(connection)
        self._n_readers = len(readers)
        self._is_closed = False
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(readers)), thread_name_prefix="sqlite-reader")

    async def write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run `work` in the next group commit; durable on return. See `Writer.run`."""
        return await self._writer.run(work)

    def submit(self, work: Callable[[apsw.Connection], T]) -> asyncio.Future[T]:
        """Queue `work` for the writer, in order with other writes, without waiting. See `Writer.submit`."""
        return self._writer.submit(work)

    async def read(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run `work` on one consistent snapshot, beside the writer.

        Raises:
            StorageError: the file cannot be read.
        """
        if self._is_closed:
            raise StorageError(f"{self.path} is closed.")
        if not self._n_readers:
            return await self._writer.run(work)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    async def migrate(self, role: str, migrations: Sequence[Migration]) -> None:
        """Bring the tables of `role` up to date, before anything uses them.

        Raises:
            StorageError: a newer release wrote the file.
        """
        await self._writer.run(partial(migrate, role=role, migrations=migrations))

    async def ping(self) -> None:
        """Raise StorageError unless a transaction can be written."""
        await self.write(_mark)

    async def close(self) -> None:
        """Finish what waits and close every connection."""
        self._is_closed = True
        await self._writer.close()
        await asyncio.to_thread(self._pool.shutdown)
        while not self._readers.empty():
            self._readers.get().close()

    def _read(self, work: Callable[[apsw.Connection], T]) -> T:
        connection = self._readers.get()
        try:
            with translated(self.path):
                connection.execute("BEGIN")
                try:
                    return work(connection)
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._readers.put(connection)


@asynccontextmanager
async def open_database(path: str, *, n_readers: int = N_READERS) -> AsyncIterator[Database]:
    """Open a SQLite file, creating it when it is absent, and close it at the end.

    Raises:
        StorageError: the library is too old, or the file cannot be opened; the message says what to do.
    """
    require_version(apsw.sqlite_lib_version())
    n_readers = 0 if path == MEMORY else n_readers
    is_file = path != MEMORY
    writing, *reading = await asyncio.to_thread(_connect_all, path, 1 + n_readers + is_file)
    checkpoints = Checkpoints(writing, reading.pop()) if is_file else None
    database = Database(path, Writer(writing, path), reading)
    try:
        yield database
    finally:
        await database.close()
        if checkpoints:
            await asyncio.to_thread(checkpoints.close)
        writing.close()


@asynccontextmanager
async def shared_database(path: str, resources: Resources | None) -> AsyncIterator[Database]:
    """The database that all roles of `resources` on this file share, or one of its own without `resources`."""
    if resources is None:
        async with open_database(path) as database:
            yield database
    else:
        yield await resources.once(f"sqlite:{_identity(path)}", partial(open_database, path))


def _identity(path: str) -> str:
    """One name for one file, however it is spelled."""
    return path if path == MEMORY else os.path.realpath(path)


def _mark(connection: apsw.Connection) -> None:
    """Write something that never changes anything: who made the file."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def connect(path: str) -> apsw.Connection:
    """A connection with the hive's settings: write-ahead log, a sync at every commit, foreign writers waited for."""
    connection = apsw.Connection(path)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _connect_all(path: str, n: int) -> list[apsw.Connection]:
    opened: list[apsw.Connection] = []
    try:
        for _ in range(n):
            opened.append(connect(path))
    except apsw.Error as error:
        for connection in opened:
            connection.close()
        raise storage_error(error, path) from error
    return opened


def _use_write_ahead_log(connection: apsw.Connection) -> None:
    """Switch the journal mode; SQLite does not wait for others while switching, so this does."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").get
        except apsw.BusyError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
        else:
            break
    if mode not in ("wal", "memory"):
        raise StorageError(f"{connection.filename}: no write-ahead log on this file system; use a local disk.")
