"""Two background loops: unfinished cases are finished, recorded events are published."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from neural_hive.contracts import Case
from neural_hive.errors import HiveError
from neural_hive.pipeline.listening import Listener
from neural_hive.ports import EventBus, Ledger, Outbox

#: Cases judged at once by a sweep, so that each is decided well within its lease, and events published at once.
CASES_AT_ONCE, EVENTS_PER_ROUND = 16, 512
#: Pause after an empty outbox, and after a failed round. Seconds.
IDLE_S, RETRY_S = 0.1, 1.0


class Recovery:
    """Finishes what others left: cases whose lease has run out."""

    def __init__(
        self, ledger: Ledger, finish: Callable[[Case], Awaitable[Case]], listener: Listener, *, interval_s: float, lease_s: float
    ) -> None:
        self._ledger, self._finish, self._listener = ledger, finish, listener
        self._interval_s, self._lease_s = interval_s, lease_s

    async def sweep(self) -> int:
        """Finish what can be claimed now; returns how many cases were finished."""
        n_finished = 0
        while cases := await self._ledger.claim_unfinished(CASES_AT_ONCE, self._lease_s):
            n_finished += sum(await asyncio.gather(*map(self._take_up, cases)))
            if len(cases) < CASES_AT_ONCE:
                break
        return n_finished

    async def _take_up(self, case: Case) -> bool:
        """Whether the case is finished; why it is not is told to the listener."""
        try:
            await self._finish(case)
        except HiveError as error:
            self._listener.on_failed(case.id, "recovery", error)
            return False
        return True

    async def run(self) -> None:
        """Sweep for ever; a failing sweep is told to the listener and tried again."""
        while True:
            try:
                await self.sweep()
            except HiveError as error:
                self._listener.on_failed("", "recovery", error)
            await asyncio.sleep(self._interval_s)


class Relay:
    """Publishes the outbox. At least once: an event is forgotten only after the bus has it."""

    def __init__(self, outbox: Outbox, bus: EventBus, listener: Listener) -> None:
        self._outbox, self._bus, self._listener = outbox, bus, listener
        self.is_degraded = False

    async def round(self) -> int:
        """Publish what waits now, at most one round of it; returns how many events. Where nobody hears the bus, nothing is sent."""
        if not await self._bus.is_heard():
            if await self._outbox.depth():
                await self._outbox.discard()
            return 0
        events = await self._outbox.pending(EVENTS_PER_ROUND)
        if events:
            started = time.perf_counter()
            await self._bus.publish(events)
            self._listener.on_published(events, time.perf_counter() - started)
            await self._outbox.mark_published([e.id for e in events])
        return len(events)

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            try:
                n_events = await self.round()
                self.is_degraded = False
                if n_events < EVENTS_PER_ROUND:
                    await asyncio.sleep(IDLE_S)
            except HiveError as error:
                self.is_degraded = True
                self._listener.on_failed("", "outbox", error)
                await asyncio.sleep(RETRY_S)
