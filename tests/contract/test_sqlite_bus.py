"""What the SQLite bus does beyond its port: strict order per case, leases, dead letters, old groups forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from neural_hive.storage.bus import log
from neural_hive.storage.bus.sqlite import BusOptions, SqliteBus
from neural_hive.storage.sqlite.database import Database, open_database


class Clock:
    """POSIX seconds that move when told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def opened(path: Path | str) -> AsyncIterator[Database]:
    async with open_database(str(path)) as database:
        await database.migrate(log.ROLE, log.MIGRATIONS)
        yield database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "bus.db") as database:
        yield database


@pytest.fixture
def bus(database: Database, clock: Clock) -> SqliteBus:
    return SqliteBus(database, BusOptions(lease_s=30.0, retry_s=1.0, clock=clock))


async def n_logged(database: Database) -> int:
    return await database.read(lambda connection: int(connection.execute("SELECT count(*) FROM bus_log").get))


async def test_an_event_waits_until_the_one_before_it_is_settled_and_other_cases_go_on(bus: SqliteBus, samples: Any) -> None:
    first, second, other = samples.event("a", 1), samples.event("a", 2), samples.event("b", 1)
    deliveries = bus.subscribe("g")
    await bus.publish([first, second, other])
    held = await anext(deliveries)
    beside = await anext(deliveries)
    assert [held.event, beside.event] == [first, other]
    await held.done()
    assert (await anext(deliveries)).event == second


async def test_a_lease_that_runs_out_gives_the_event_to_another_member(bus: SqliteBus, clock: Clock, samples: Any) -> None:
    one, two = bus.subscribe("g"), bus.subscribe("g")
    await bus.publish([samples.event("a", 1)])
    late = await anext(one)
    clock.now += 31.0
    again = await anext(two)
    assert again.event == late.event
    await late.failed("too late to matter")
    await again.done()
    assert await bus.dead_letters("g") == []


async def test_each_attempt_waits_twice_as_long(bus: SqliteBus, clock: Clock, database: Database, samples: Any) -> None:
    deliveries = bus.subscribe("g")
    await bus.publish([samples.event("a", 1)])
    for wait in (1.0, 2.0, 4.0, 8.0):
        await (await anext(deliveries)).failed("no")
        due = await database.read(lambda connection: connection.execute("SELECT lease_until FROM bus_work").get)
        assert due == clock.now + wait
        clock.now += wait


async def test_what_is_given_up_is_kept_with_its_last_reason(bus: SqliteBus, clock: Clock, samples: Any) -> None:
    event = samples.event("a", 1)
    deliveries = bus.subscribe("g")
    await bus.publish([event])
    for n in range(log.MAX_FAILURES):
        await (await anext(deliveries)).failed(f"failure {n}")
        clock.now += 100.0
    assert await bus.dead_letters("g") == [(event, "failure 4")]
    assert await bus.dead_letters("h") == []


async def test_another_process_is_heard(bus: SqliteBus, tmp_path: Path, samples: Any) -> None:
    event = samples.event("a", 1)
    deliveries = bus.subscribe("g")
    await bus.publish([])
    async with opened(tmp_path / "bus.db") as other:
        await other.read(lambda _: None)
        waiting = deliveries.__anext__()
        await SqliteBus(other).publish([samples.event("before", 0)])
        assert (await waiting).event.case_id == "before"
        await SqliteBus(other).publish([event])
        assert (await anext(deliveries)).event == event


async def test_the_log_keeps_only_what_a_group_still_needs(bus: SqliteBus, database: Database, samples: Any) -> None:
    await bus.publish([samples.event("nobody", 1)])
    assert await n_logged(database) == 0
    one, two = bus.subscribe("g"), bus.subscribe("h")
    await bus.publish([samples.event("a", n) for n in range(10)])
    for _ in range(10):
        await (await anext(one)).done()
    assert await n_logged(database) == 10
    for _ in range(10):
        await (await anext(two)).done()
    await bus.publish([samples.event("a", 10)])
    assert (await anext(one)).event.data["n"] == 10
    assert await n_logged(database) == 1


async def test_a_group_that_nobody_reads_for_a_day_is_forgotten(
    bus: SqliteBus, clock: Clock, database: Database, samples: Any
) -> None:
    left, stays = bus.subscribe("left"), bus.subscribe("stays")
    await bus.publish([samples.event("a", 1)])
    await (await anext(stays)).done()
    await left.aclose()  # type: ignore[attr-defined]
    clock.now += log.GROUP_LIFE_S + 1.0
    await bus.publish([samples.event("a", 2)])
    await (await anext(stays)).done()
    await bus.publish([samples.event("a", 3)])
    await anext(stays)
    assert await n_logged(database) == 1
