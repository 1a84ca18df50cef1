"""The event bus on a SQLite file: a durable log, and for each consumer group what it has still to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from neural_hive.contracts import Event
from neural_hive.errors import StorageError
from neural_hive.ports import Delivery
from neural_hive.storage.bus import log
from neural_hive.storage.resources import Resources
from neural_hive.storage.sqlite.database import Database, shared_database
from neural_hive.storage.urls import sqlite_path

#: How often a subscriber looks for events of other processes, in seconds; those of its own process wake it at once.
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class BusOptions:
    """How deliveries behave.

    lease_s: seconds a member has for one event before another member gets it. retry_s: seconds before the second
    attempt; doubled at each failure. batch: events taken at a time. clock: POSIX seconds.
    """

    lease_s: float = 30.0
    retry_s: float = 0.2
    batch: int = 32
    clock: Callable[[], float] = time.time


class SqliteDelivery:
    """Implements `Delivery`."""

    def __init__(self, bus: SqliteBus, work: log.Work) -> None:
        self.event = work.event
        self._bus = bus
        self._work = work

    async def done(self) -> None:
        """See `Delivery.done`."""
        await self._bus.settle(partial(log.finish, work=self._work))

    async def failed(self, reason: str) -> None:
        """See `Delivery.failed`."""
        options = self._bus.options
        failure = log.Failure(reason, at=options.clock(), retry_s=options.retry_s)
        await self._bus.settle(partial(log.fail, work=self._work, failure=failure))


class SqliteBus:
    """Implements `EventBus`. Order is kept per case: its next event is delivered when the one before it is settled."""

    def __init__(self, database: Database, options: BusOptions | None = None) -> None:
        """`database` has the bus's tables; whoever opened it closes it."""
        self.options = options or BusOptions()
        self._database = database
        self._sleepers: set[asyncio.Event] = set()

    async def publish(self, events: Sequence[Event]) -> None:
        """See `EventBus.publish`. Events that no group waits for are not kept."""
        if events:
            await self._database.write(partial(log.append, events=events))
            self._wake()

    async def is_heard(self) -> bool:
        """See `EventBus.is_heard`."""
        return await self._database.write(log.has_groups)  # behind the groups that are just joining

    def subscribe(self, group: str) -> AsyncIterator[Delivery]:
        """See `EventBus.subscribe`. What this member has not settled when it closes goes to another at once."""
        return self._deliveries(group, self._database.submit(partial(log.join, group=group, now=self.options.clock())))

    async def dead_letters(self, group: str) -> Sequence[tuple[Event, str]]:
        """The events that a group gave up, oldest first, each with the reason of its last failure."""
        return await self._database.read(partial(log.dead_letters, group=group))

    async def ping(self) -> None:
        """See `EventBus.ping`."""
        await self._database.ping()

    async def settle(self, change: Callable[..., None]) -> None:
        """Record what became of a delivery and let the next event of its case go."""
        await self._database.write(change)
        self._wake()

    async def _deliveries(self, group: str, joined: asyncio.Future[None]) -> AsyncIterator[Delivery]:
        await joined
        leased: list[log.Work] = []
        something_happened = asyncio.Event()
        self._sleepers.add(something_happened)
        try:
            while True:
                something_happened.clear()
                taken = await self._take(group)
                leased = [work for work in leased if self._holds(work)] + [*taken]
                for work in taken:
                    if self._holds(work):
                        yield SqliteDelivery(self, work)
                if not taken:
                    await _rest(something_happened)
        finally:
            self._sleepers.discard(something_happened)
            with suppress(StorageError):  # on a closed file the leases run out by themselves
                await self._database.write(partial(log.release, works=leased))
            self._wake()

    def _holds(self, work: log.Work) -> bool:
        """Whether this member still has the lease, as far as time tells."""
        return work.lease_until > self.options.clock()

    async def _take(self, group: str) -> Sequence[log.Work]:
        now = self.options.clock()
        if not await self._database.read(partial(log.has_work, group=group, now=now)):
            return ()
        claim = log.Claim(self.options.batch, now, now + self.options.lease_s)
        return await self._database.write(partial(log.take, group=group, claim=claim))

    def _wake(self) -> None:
        for sleeper in self._sleepers:
            sleeper.set()


async def _rest(something_happened: asyncio.Event) -> None:
    """Wait until something happens in this process, or long enough that something may have in another.

    Not `asyncio.wait_for`: in Python 3.11 it can swallow the cancellation that should end a subscription.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(POLL_S):
            await something_happened.wait()


@asynccontextmanager
async def open_sqlite_bus(url: str, resources: Resources | None = None) -> AsyncIterator[SqliteBus]:
    """Open the bus at a SQLite URL, creating the file when it is absent; shared with the other roles of `resources`.

    Raises:
        ConfigurationError: the URL is not a SQLite file's.
        StorageError: the file cannot be opened, or a newer release wrote it.
    """
    async with shared_database(sqlite_path(url, "HIVE_BUS_URL"), resources) as database:
        await database.migrate(log.ROLE, log.MIGRATIONS)
        yield SqliteBus(database)
