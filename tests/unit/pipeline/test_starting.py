"""What is read at start: at once where it can be, later where it cannot, each thing once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from neural_hive.errors import StorageError
from neural_hive.pipeline import starting
from neural_hive.pipeline.listening import Silence
from neural_hive.pipeline.starting import FirstReads


class Told(Silence):
    """Keeps which stages failed."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        self.stages.append(stage)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "FIRST_S", 0.02)
    monkeypatch.setattr(starting, "AGAIN_S", 0.0)


def failing(n_times: int, calls: list[str], name: str) -> Callable[[], Awaitable[object]]:
    async def read() -> None:
        calls.append(name)
        if calls.count(name) <= n_times:
            raise StorageError

    return read


async def test_what_answers_is_read_once_and_what_fails_is_read_until_it_does() -> None:
    calls: list[str] = []
    told = Told()
    reads = FirstReads({"catalogue": failing(2, calls, "catalogue"), "trust": failing(0, calls, "trust")}, told)
    await reads.attempt()
    assert calls == ["catalogue", "trust"]
    await reads.run()
    assert calls == ["catalogue", "trust", "catalogue", "catalogue"]
    assert told.stages == ["catalogue", "catalogue"]


async def test_a_store_that_hangs_delays_the_start_no_longer_than_it_may() -> None:
    told = Told()

    async def hang() -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(10):
        await FirstReads({"catalogue": hang, "trust": hang}, told).attempt()
    assert told.stages == ["catalogue", "trust"]


async def test_a_mistake_of_ours_is_not_taken_for_a_store_that_is_down() -> None:
    async def wrong() -> None:
        raise KeyError("mistake")

    with pytest.raises(KeyError):
        await FirstReads({"catalogue": wrong}, Told()).attempt()
