"""A worker on every bus: woken for each intent left to it, settled after its decision, given up with its reason."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.contract.conftest import Samples

from neural_hive.contracts import Case, CaseStatus, Event, EventType, Intent
from neural_hive.errors import UnavailableError
from neural_hive.pipeline.listening import Silence
from neural_hive.pipeline.worker import GROUP, Worker
from neural_hive.storage.open import LedgerWithOutbox, open_storage

PATIENCE_S = 60.0
Finish = Callable[[Case], Awaitable[Case]]


@pytest.fixture
async def record(samples: Samples) -> AsyncIterator[LedgerWithOutbox]:
    async with open_storage() as storage:
        yield await storage.ledger("sqlite:///:memory:")


@asynccontextmanager
async def working(bus: Any, record: LedgerWithOutbox, finish: Finish, n_workers: int = 1) -> AsyncIterator[None]:
    """Workers that have joined their group."""
    tasks = [asyncio.create_task(Worker(bus, record, finish, Silence()).run()) for _ in range(n_workers)]
    try:
        await _until(lambda: _is_heard(bus))
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _is_heard(bus: Any) -> bool:
    heard: bool = await bus.is_heard()
    return heard


async def _until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.02)


def event_of(intent: Intent) -> Event:
    data = intent.model_dump(mode="json")
    event_id = f"{intent.id}:accepted"
    return Event(id=event_id, type=EventType.ACCEPTED, tenant=intent.tenant, case_id=intent.id, at=datetime.now(UTC), data=data)


async def accepted(record: LedgerWithOutbox, samples: Samples, n_intents: int, **fields: Any) -> list[Intent]:
    intents = [samples.intent(**{"is_deferred": True} | fields) for _ in range(n_intents)]
    for intent in intents:
        await record.accept(intent)
    return intents


def deciding(record: LedgerWithOutbox, samples: Samples, tries: Counter[str], n_failures: int = 0) -> Finish:
    """Decides a case after so many failures."""

    async def finish(case: Case) -> Case:
        tries[case.id] += 1
        if tries[case.id] <= n_failures:
            raise UnavailableError("the ledger rests")
        return await record.record_decision(case.id, *samples.judgement())

    return finish


async def all_decided(record: LedgerWithOutbox, intents: list[Intent]) -> bool:
    cases = [await record.get(intent.tenant, intent.id) for intent in intents]
    return all(case.status is CaseStatus.DECIDED for case in cases)


async def test_what_is_left_to_workers_is_decided_once_each(bus: Any, record: LedgerWithOutbox, samples: Samples) -> None:
    tries: Counter[str] = Counter()
    intents = await accepted(record, samples, 40)
    async with working(bus, record, deciding(record, samples, tries), n_workers=2):
        await bus.publish([event_of(intent) for intent in intents])
        await _until(lambda: all_decided(record, intents))
    assert set(tries) == {intent.id for intent in intents}
    assert (await record.verify()).checked == 80


async def test_what_somebody_judges_himself_wakes_no_worker(bus: Any, record: LedgerWithOutbox, samples: Samples) -> None:
    tries: Counter[str] = Counter()
    own = await accepted(record, samples, 3, is_deferred=False)
    left = await accepted(record, samples, 1)
    async with working(bus, record, deciding(record, samples, tries)):
        await bus.publish([event_of(intent) for intent in own + left])
        await _until(lambda: all_decided(record, left))
    assert set(tries) == {left[0].id}


async def test_a_case_that_fails_is_tried_again_until_it_is_decided(bus: Any, record: LedgerWithOutbox, samples: Samples) -> None:
    tries: Counter[str] = Counter()
    intents = await accepted(record, samples, 2)
    async with working(bus, record, deciding(record, samples, tries, n_failures=2)):
        await bus.publish([event_of(intent) for intent in intents])
        await _until(lambda: all_decided(record, intents))
    assert set(tries.values()) == {3}
    assert await bus.dead_letters(GROUP) == []


async def test_a_case_that_always_fails_is_with_the_dead_letters_and_holds_nobody_up(
    bus: Any, record: LedgerWithOutbox, samples: Samples
) -> None:
    tries: Counter[str] = Counter()
    bad, good = await accepted(record, samples, 2)
    fine = deciding(record, samples, tries)

    async def finish(case: Case) -> Case:
        if case.id == bad.id:
            tries[case.id] += 1
            raise ValueError("words of somebody")
        return await fine(case)

    async with working(bus, record, finish):
        await bus.publish([event_of(bad), event_of(good)])

        async def is_given_up() -> bool:
            return bool(await bus.dead_letters(GROUP))

        await _until(is_given_up)
        await _until(lambda: all_decided(record, [good]))
    assert tries == {bad.id: 5, good.id: 1}
    assert [(event.case_id, reason) for event, reason in await bus.dead_letters(GROUP)] == [(bad.id, "ValueError")]


async def test_what_a_worker_had_when_it_died_another_finishes(bus: Any, record: LedgerWithOutbox, samples: Samples) -> None:
    tries: Counter[str] = Counter()
    (intent,) = await accepted(record, samples, 1)
    begun = asyncio.Event()

    async def hangs(case: Case) -> Case:
        begun.set()
        await asyncio.Event().wait()
        return case

    async with working(bus, record, hangs):
        await bus.publish([event_of(intent)])
        async with asyncio.timeout(PATIENCE_S):
            await begun.wait()
    async with working(bus, record, deciding(record, samples, tries)):
        await _until(lambda: all_decided(record, [intent]))
    assert tries == {intent.id: 1}


async def test_a_bus_that_fails_is_subscribed_to_again(record: LedgerWithOutbox, samples: Samples) -> None:
    asked = asyncio.Event()

    class Broken:
        n_subscriptions = 0

        async def subscribe(self, group: str) -> AsyncIterator[Any]:
            self.n_subscriptions += 1
            if self.n_subscriptions == 2:
                asked.set()
            raise UnavailableError("no broker")
            yield

    task = asyncio.create_task(Worker(Broken(), record, deciding(record, samples, Counter()), Silence()).run())  # type: ignore[arg-type]
    async with asyncio.timeout(PATIENCE_S):
        await asked.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
