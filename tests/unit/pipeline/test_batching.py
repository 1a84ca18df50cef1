"""Calls that wait together are done together, and each gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from neural_hive.pipeline.batching import Batcher


async def test_who_waits_goes_with_the_next_batch() -> None:
    batches: list[int] = []
    gate = threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        batches.append(len(items))
        if len(batches) == 1:
            gate.wait(10)
        return [i * 2 for i in items]

    with ThreadPoolExecutor(1) as executor:
        batcher: Batcher[int, int] = Batcher(work, executor, max_batch=4)
        calls = [asyncio.create_task(batcher.run(i)) for i in range(10)]
        await asyncio.sleep(0)  # lets every call enter
        gate.set()
        assert await asyncio.gather(*calls) == [i * 2 for i in range(10)]
    assert sum(batches) == 10
    assert max(batches) <= 4


async def test_an_error_reaches_every_caller_of_its_batch_and_no_other() -> None:
    def work(items: Sequence[int]) -> list[int]:
        if 13 in items:
            raise ValueError("unlucky")
        return list(items)

    with ThreadPoolExecutor(1) as executor:
        batcher: Batcher[int, int] = Batcher(work, executor, max_batch=1)
        with pytest.raises(ValueError, match="unlucky"):
            await batcher.run(13)
        assert await batcher.run(7) == 7


async def test_a_cancelled_caller_does_not_hold_up_the_others() -> None:
    with ThreadPoolExecutor(1) as executor:
        batcher: Batcher[int, int] = Batcher(list, executor)
        first, second = asyncio.create_task(batcher.run(1)), asyncio.create_task(batcher.run(2))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == 2
