"""A worker: is woken by the bus for every intent that was accepted to be judged later, and finishes it.

The delivery is the lease: the consumer group gives an event to one member, and to another if that one dies. The ledger's own
lease holds recovery back meanwhile, and lets it step in when the bus is down.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

from neural_hive.contracts import Case, CaseStatus, Event, EventType
from neural_hive.errors import HiveError
from neural_hive.pipeline.listening import Listener
from neural_hive.ports import Delivery, EventBus, Ledger

#: The consumer group of all workers of a hive.
GROUP = "workers"
#: Cases that one worker judges at once; further deliveries wait on the bus, for any worker.
AT_ONCE = 16
#: Pause before a bus that failed is asked again, and longest wait for cases under way when the worker ends. Seconds.
RETRY_S, DRAIN_S = 1.0, 3.0


class Worker:
    """Takes deliveries until it is cancelled. An event is settled only after its case's decision is durable."""

    def __init__(self, bus: EventBus, ledger: Ledger, finish: Callable[[Case], Awaitable[Case]], listener: Listener) -> None:
        """finish: judges a case and records its decision; doing it twice decides once."""
        self._bus, self._ledger, self._finish, self._listener = bus, ledger, finish, listener
        self._places = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work for ever; a bus that fails is told to the listener and subscribed to again."""
        while True:
            try:
                await self._subscribe()
            except HiveError as error:
                self._listener.on_failed("", "worker", error)
            await asyncio.sleep(RETRY_S)

    async def _subscribe(self) -> None:
        deliveries = cast("AsyncGenerator[Delivery, None]", self._bus.subscribe(GROUP))
        async with aclosing(deliveries):
            try:
                async for delivery in deliveries:
                    await self._places.acquire()
                    task = asyncio.create_task(self._take(delivery), name=f"case {delivery.event.case_id}")
                    self._tasks.add(task)
                    task.add_done_callback(self._leave)
            finally:
                await self._drain()

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._places.release()

    async def _drain(self) -> None:
        """Let what is under way end before the subscription does; whatever takes longer goes to another worker."""
        if self._tasks:
            _, late = await asyncio.wait(list(self._tasks), timeout=DRAIN_S)
            for task in late:
                task.cancel()

    async def _take(self, delivery: Delivery) -> None:
        event = delivery.event
        try:
            try:
                if is_work(event):
                    await self._judge(event)
            except HiveError as error:
                await self._fail(delivery, error, str(error))
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the case must go to the next attempt or the dead letters
                await self._fail(delivery, error, type(error).__name__)
            else:
                await delivery.done()
        except HiveError as error:  # the bus cannot be told: it delivers the event again
            self._listener.on_failed(event.case_id, "worker", error)

    async def _fail(self, delivery: Delivery, error: Exception, reason: str) -> None:
        self._listener.on_failed(delivery.event.case_id, "worker", error)
        await delivery.failed(reason)

    async def _judge(self, event: Event) -> None:
        case = await self._ledger.get(event.tenant, event.case_id)
        if case.status is not CaseStatus.DECIDED:
            await self._finish(case)


def is_work(event: Event) -> bool:
    """Whether an event is an intent that somebody left to the workers."""
    return event.type is EventType.ACCEPTED and event.data.get("is_deferred") is True
