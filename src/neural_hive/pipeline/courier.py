"""Calls that come one by one travel together: whoever waits while a request is under way goes with the next.

The brother of `batching.Batcher` for work that waits instead of computing: requests may overlap, so that one that hangs
does not stop the rest, and every passenger has a deadline of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from neural_hive.errors import SpecialistError

In = TypeVar("In")
Out = TypeVar("Out")

#: Items in one request at most.
MAX_BATCH = 16
#: Requests under way at most: the bulkhead. Whatever hangs holds this many connections and no more.
MAX_REQUESTS = 4
#: A further request starts only when the youngest has been under way for this long, in seconds: a busy service gets fuller
#: batches, one that hangs is passed by. About ten times what a healthy request takes.
NEXT_REQUEST_AFTER_S = 0.05


@dataclass(slots=True)
class Passenger(Generic[In, Out]):
    """One item on its way.

    due_s: loop time by which its result is needed. is_alone: travels in a request of its own, as retries do, so that
    whatever spoilt a batch cannot spoil it twice.
    """

    item: In
    due_s: float
    is_alone: bool = False
    arrived: asyncio.Future[Out] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Courier(Generic[In, Out]):
    """Carries items in batches; `send(items, timeout_s)` makes one request and gives one result per item, in order."""

    def __init__(self, send: Callable[[Sequence[In], float], Awaitable[Sequence[Out]]], request_timeout_s: float) -> None:
        """request_timeout_s: longest that one request may take, in seconds."""
        self._send, self._request_timeout_s = send, request_timeout_s
        self._waiting: deque[Passenger[In, Out]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._youngest_s = 0.0
        self._wake: asyncio.Handle | None = None

    async def carry(self, item: In, timeout_s: float, *, is_alone: bool = False) -> Out:
        """The result for one item.

        Raises:
            TimeoutError: it did not come within `timeout_s` seconds.
            SpecialistError: what `send` raised for its batch.
        """
        loop = asyncio.get_running_loop()
        passenger: Passenger[In, Out] = Passenger(item, loop.time() + timeout_s, is_alone)
        self._waiting.append(passenger)
        if self._wake is None:
            self._wake = loop.call_soon(self._depart)  # whoever comes in the same turn of the loop goes along
        async with asyncio.timeout(timeout_s):
            return await passenger.arrived

    async def close(self) -> None:
        """End every request; whoever waits gets a SpecialistError."""
        if self._wake is not None:
            self._wake.cancel()
        _settle_all(self._waiting, _closed())
        self._waiting.clear()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _depart(self) -> None:
        """Start a request if one may start; otherwise wait until one may."""
        self._wake = None
        loop = asyncio.get_running_loop()
        while self._waiting and len(self._under_way) < MAX_REQUESTS:
            wait_s = self._youngest_s + NEXT_REQUEST_AFTER_S - loop.time()
            if self._under_way and wait_s > 0 and not self._waiting[0].is_alone:
                self._wake = loop.call_later(wait_s, self._depart)
                return
            if batch := self._next_batch():
                self._youngest_s = loop.time()
                task = asyncio.create_task(self._travel(batch))
                self._under_way.add(task)
                task.add_done_callback(self._arrive)

    def _arrive(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._wake is not None:
            self._wake.cancel()
        if not task.cancelled():
            self._depart()

    def _next_batch(self) -> list[Passenger[In, Out]]:
        """Whoever still waits for a result, in order of arrival; a lone traveller by itself."""
        batch: list[Passenger[In, Out]] = []
        while self._waiting and len(batch) < MAX_BATCH and not (batch and self._waiting[0].is_alone):
            passenger = self._waiting.popleft()
            if not passenger.arrived.done():
                batch.append(passenger)
                if passenger.is_alone:
                    break
        return batch

    async def _travel(self, batch: Sequence[Passenger[In, Out]]) -> None:
        left_s = max(p.due_s for p in batch) - asyncio.get_running_loop().time()
        try:
            results = await self._send([p.item for p in batch], min(left_s, self._request_timeout_s))
        except asyncio.CancelledError:
            _settle_all(batch, _closed())
            raise
        except Exception as error:  # noqa: BLE001 - every passenger gets the error, whatever it is
            _settle_all(batch, error)
            return
        for passenger, result in zip(batch, results, strict=True):
            if not passenger.arrived.done():
                passenger.arrived.set_result(result)


def _closed() -> SpecialistError:
    return SpecialistError("the hive is closing")


def _settle_all(batch: Sequence[Passenger[In, Out]] | deque[Passenger[In, Out]], error: Exception) -> None:
    for passenger in batch:
        if not passenger.arrived.done():
            passenger.arrived.set_exception(error)
