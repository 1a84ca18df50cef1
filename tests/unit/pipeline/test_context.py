"""What the graph adds to an intent, and what is said when it does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from neural_hive.contracts import Ask, Caller, Intent, SimilarCase
from neural_hive.errors import StorageError
from neural_hive.pipeline import context
from neural_hive.pipeline.context import ContextReader
from neural_hive.pipeline.intake import Intake
from neural_hive.pipeline.listening import Silence
from neural_hive.understanding.privacy import Masker
from neural_hive.understanding.understand import VECTOR_BYTES

ALIKE = SimilarCase(id="a", similarity=0.9, outcome="approved")


class Graph:
    """Answers as it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.trouble: Exception | None = None
        self.pause_s = 0.0

    async def similar(self, tenant: str, vector: bytes, limit: int, *, exclude: str = "") -> Sequence[SimilarCase]:
        self.asked.append((tenant, vector))
        await asyncio.sleep(self.pause_s)
        if self.trouble:
            raise self.trouble
        return [ALIKE][:limit]


class Told(Silence):
    def __init__(self) -> None:
        self.failures: list[tuple[str, str]] = []

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        self.failures.append((stage, str(error)))


class Text:
    """As much of what was understood as the graph is asked with."""

    vector = bytes(VECTOR_BYTES)


def intent() -> Intent:
    return Intake(Masker(), 10_000).intent(Ask(text="Fix the typo in the footer"), Caller())[0]


async def test_trouble_is_told_once_until_the_graph_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "GRAPH_TIMEOUT_S", 0.02)
    graph, told = Graph(), Told()
    reader = ContextReader(graph, 3, told)  # type: ignore[arg-type]
    text: Any = Text()
    assert (await reader.of(intent(), text)).similar == (ALIKE,)

    graph.pause_s = 1.0
    for _ in range(3):
        assert (await reader.of(intent(), text)).is_degraded
    assert told.failures == [("graph", "No answer within 0.02 s; decisions are made without similar cases and systems.")]

    graph.pause_s = 0.0
    assert not (await reader.of(intent(), text)).is_degraded
    graph.trouble = StorageError("the graph is closed")
    assert (await reader.of(intent(), text)).is_degraded
    assert told.failures[1:] == [("graph", "the graph is closed")]


async def test_the_first_question_is_asked_before_anybody_waits() -> None:
    graph = Graph()
    await ContextReader(graph, 3, Told()).rehearse()  # type: ignore[arg-type]
    assert graph.asked == [("default", bytes(VECTOR_BYTES))]
    await ContextReader(graph, 0, Told()).rehearse()  # type: ignore[arg-type]
    assert len(graph.asked) == 1
