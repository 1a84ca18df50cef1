"""Calls that come one by one are done together: whoever waits while the worker is busy goes with the next batch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


class Batcher(Generic[In, Out]):
    """Runs `work(items)` in an executor, at most one batch at a time, never waiting to fill one.

    A batch of one costs what a single call costs; under load the batches grow to `max_batch` by themselves.
    """

    def __init__(self, work: Callable[[Sequence[In]], Sequence[Out]], executor: Executor, max_batch: int = 16) -> None:
        self._work, self._executor, self._max_batch = work, executor, max_batch
        self._waiting: deque[tuple[In, asyncio.Future[Out]]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def depth(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def run(self, item: In) -> Out:
        """The result for one item. Raises what `work` raised for its batch."""
        future: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._max_batch, len(self._waiting)))]
            batch = [entry for entry in batch if not entry[1].done()]
            if not batch:
                continue
            try:
                results = await loop.run_in_executor(self._executor, self._work, [item for item, _ in batch])
            except Exception as error:  # noqa: BLE001 - every waiting caller gets the error, whatever it is
                _settle_all(batch, error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)


def _settle_all(batch: Sequence[tuple[In, asyncio.Future[Out]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
