"""Vectors of a tenant on Neo4j: reads are shared, outlive whoever gives up waiting, and miss nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from neural_hive.errors import StorageError
from neural_hive.storage.graph.neo4j import _Known

VECTOR = (np.ones(4) / 2).astype("<f2").tobytes()


class Database:
    """Rows of vectors; a read waits until it is let go, and tells from where it read."""

    def __init__(self) -> None:
        self.n_rows = 0
        self.reads: list[int] = []
        self.is_asked, self.may_go = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None

    async def newer(self, after: int) -> Sequence[Any]:
        self.reads.append(after)
        self.is_asked.set()
        found = [{"row": row, "vector": VECTOR} for row in range(self.n_rows, after, -1)]
        await self.may_go.wait()
        if self.error is not None:
            raise self.error
        return found


@pytest.fixture
async def database() -> Database:
    return Database()


def rows(known: _Known) -> set[int]:
    return {row for row, _ in known.index.nearest(VECTOR, 100, 0.6)}


async def test_whoever_comes_during_a_read_shares_the_next_one_and_sees_what_was_linked_before_it_came(
    database: Database,
) -> None:
    known = _Known(database.newer, 4)
    database.n_rows = 1
    first = asyncio.create_task(known.refresh())
    await database.is_asked.wait()
    database.n_rows = 3
    later = [asyncio.create_task(known.refresh()) for _ in range(20)]
    database.may_go.set()
    await asyncio.gather(first, *later)
    assert database.reads == [0, 1]
    assert rows(known) == {1, 2, 3}


async def test_a_read_goes_on_when_nobody_waits_for_it_any_more(database: Database) -> None:
    known = _Known(database.newer, 4)
    database.n_rows = 5
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await known.refresh()
    database.may_go.set()
    await known.refresh()
    assert database.reads[-1] == 5
    assert rows(known) == {1, 2, 3, 4, 5}


async def test_a_read_that_fails_is_told_to_all_who_wait_and_the_next_one_reads_again(database: Database) -> None:
    known = _Known(database.newer, 4)
    database.n_rows, database.error = 2, StorageError()
    database.may_go.set()
    found = await asyncio.gather(known.refresh(), known.refresh(), return_exceptions=True)
    assert [type(one) for one in found] == [StorageError, StorageError]
    database.error = None
    await known.refresh()
    assert rows(known) == {1, 2}


async def test_what_is_being_read_ends_with_the_graph(database: Database) -> None:
    known = _Known(database.newer, 4)
    waiting = asyncio.create_task(known.refresh())
    await database.is_asked.wait()
    await known.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
