"""Filing behind the answer: a graph that is down is asked again, in order; what it refuses is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from neural_hive.errors import ConflictError, StorageError
from neural_hive.pipeline import filing
from neural_hive.pipeline.filing import Filing
from neural_hive.pipeline.listening import Silence


class Graph:
    """Raises what is next, then files."""

    def __init__(self, *errors: Exception) -> None:
        self._errors, self.filed = list(errors), []

    filed: list[str]

    async def link_case(self, case: Any, systems: Sequence[str], vector: bytes) -> None:
        if self._errors:
            raise self._errors.pop(0)
        self.filed.append(case.id)


async def filed(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is in the graph once three cases are settled."""
    monkeypatch.setattr(filing, "AGAIN_S", 0.0)
    queue = Filing(graph, Silence())  # type: ignore[arg-type]
    judgement: Any = SimpleNamespace(understanding=SimpleNamespace(entities=()), vector=b"")
    for name in ("a", "b", "c"):
        case: Any = SimpleNamespace(id=name)
        queue.put(case, judgement)
    running = asyncio.create_task(queue.run())
    async with asyncio.timeout(10):
        await queue.settled()
    running.cancel()
    assert queue.depth == 0
    return graph.filed


async def test_what_waited_while_the_graph_was_down_is_filed_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await filed(Graph(StorageError(), StorageError(), StorageError()), monkeypatch) == ["a", "b", "c"]


async def test_a_case_that_the_graph_refuses_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await filed(Graph(ConflictError()), monkeypatch) == ["b", "c"]


async def test_cases_that_wait_are_filed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    class Together(Graph):
        n_at_once = n_most = 0

        async def link_case(self, case: Any, systems: Sequence[str], vector: bytes) -> None:
            self.n_at_once += 1
            self.n_most = max(self.n_most, self.n_at_once)
            await asyncio.sleep(0.01)
            self.n_at_once -= 1
            await super().link_case(case, systems, vector)

    graph = Together()
    assert sorted(await filed(graph, monkeypatch)) == ["a", "b", "c"]
    assert graph.n_most == 3


async def test_where_too_many_wait_the_oldest_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "MAX_WAITING", 2)
    assert await filed(Graph(), monkeypatch) == ["b", "c"]


def test_beyond_what_may_wait_the_oldest_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "MAX_WAITING", 2)
    queue = Filing(Graph(), Silence())  # type: ignore[arg-type]
    for name in ("a", "b", "c", "d"):
        queue.put(SimpleNamespace(id=name), SimpleNamespace())  # type: ignore[arg-type]
    assert (queue.depth, queue.n_dropped) == (2, 2)
