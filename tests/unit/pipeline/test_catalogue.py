"""Names of the catalogue's systems: learnt when they change, kept while the graph is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from neural_hive.errors import StorageError
from neural_hive.pipeline.catalogue import Catalogue
from neural_hive.pipeline.listening import Silence


class Graph:
    """Names that a test changes, or an error; a test waits for the next time that they are read."""

    def __init__(self) -> None:
        self.found: Mapping[str, str] | Exception = {}
        self.has_been_read = asyncio.Event()

    async def names(self) -> Mapping[str, str]:
        self.has_been_read.set()
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def become(self, found: Mapping[str, str] | Exception, n_reads: int = 2) -> None:
        """Change, and wait until it was noticed: until something is read again after it was read."""
        self.found = found
        for _ in range(n_reads):
            self.has_been_read.clear()
            async with asyncio.timeout(10):
                await self.has_been_read.wait()


class Pupil(Silence):
    """A mind and a listener that keep what they are told."""

    def __init__(self) -> None:
        self.lessons: list[Mapping[str, str]] = []
        self.failed: list[str] = []

    async def learn_names(self, names: Mapping[str, str]) -> None:
        self.lessons.append(names)

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        self.failed.append(stage)


def catalogue(graph: Any, pupil: Any) -> Catalogue:
    return Catalogue(graph, pupil, pupil, 0.0)


async def test_names_are_taught_when_they_change_and_only_then() -> None:
    graph, pupil = Graph(), Pupil()
    loop = asyncio.create_task(catalogue(graph, pupil).run())
    await graph.become({"crm": "crm"}, n_reads=5)
    await graph.become({"crm": "crm", "erp": "erp"})
    loop.cancel()
    assert pupil.lessons[-2:] == [{"crm": "crm"}, {"crm": "crm", "erp": "erp"}]
    assert len(pupil.lessons) <= 3


async def test_a_graph_that_is_away_is_told_once_and_takes_no_names_away() -> None:
    graph, pupil = Graph(), Pupil()
    loop = asyncio.create_task(catalogue(graph, pupil).run())
    await graph.become({"crm": "crm"})
    await graph.become(StorageError(), n_reads=5)
    assert pupil.failed == ["catalogue"]
    await graph.become({"crm": "crm"})
    await graph.become(StorageError())
    loop.cancel()
    assert pupil.failed == ["catalogue", "catalogue"]
    assert pupil.lessons[-1] == {"crm": "crm"}


async def test_at_the_start_a_graph_that_is_away_is_an_error() -> None:
    graph, pupil = Graph(), Pupil()
    graph.found = StorageError()
    with pytest.raises(StorageError):
        await catalogue(graph, pupil).learn()
    graph.found = {"crm": "crm"}
    assert await catalogue(graph, pupil).learn() == 1
