"""Every promise of `Outbox`, on every product: events are recorded with their case and wait to be published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from neural_hive.contracts import EventType
from neural_hive.storage.open import LedgerWithOutbox

Opener = Callable[[], AbstractAsyncContextManager[LedgerWithOutbox]]
NAMES = ("architecture", "behavior", "business", "evolution", "technical")


async def finished(ledger: LedgerWithOutbox, samples: Any) -> tuple[Any, Any]:
    """A case with a decision and a review; the review."""
    accepted = await ledger.accept(samples.intent())
    await ledger.record_decision(accepted.case.id, *samples.judgement())
    review = samples.review()
    return await ledger.add_review("default", accepted.case.id, review), review


async def test_a_case_brings_its_events_in_order(ledger: LedgerWithOutbox, samples: Any) -> None:
    case, review = await finished(ledger, samples)
    ids = [event.id for event in await ledger.pending(100)]
    opinions = [f"{case.id}:opinion:{name}" for name in NAMES]
    assert ids == [
        f"{case.id}:accepted",
        f"{case.id}:understood",
        *opinions,
        f"{case.id}:decided",
        f"{case.id}:reviewed:{review.id}",
    ]
    assert await ledger.depth() == 9


async def test_an_event_carries_its_part_of_the_case(ledger: LedgerWithOutbox, samples: Any) -> None:
    case, review = await finished(ledger, samples)
    by_type = {event.type: event for event in await ledger.pending(100)}
    whole = case.model_dump(mode="json")
    assert by_type[EventType.ACCEPTED].data == whole["intent"]
    assert by_type[EventType.UNDERSTOOD].data == whole["understanding"]
    assert by_type[EventType.OPINION].data == whole["opinions"][-1]
    assert by_type[EventType.DECIDED].data == whole["decision"]
    assert by_type[EventType.DECIDED].data["hash"] == case.decision.hash
    assert by_type[EventType.REVIEWED].data == review.model_dump(mode="json")
    assert {(event.tenant, event.case_id) for event in by_type.values()} == {("default", case.id)}
    assert by_type[EventType.DECIDED].at == case.decided_at


async def test_every_event_is_in_the_trace_of_its_intent(ledger: LedgerWithOutbox, samples: Any) -> None:
    traces = {}
    for number in (1, 2):
        trace = f"00-{number:032x}-{number:016x}-01"
        accepted = await ledger.accept(samples.intent(trace=trace))
        traces[accepted.case.id] = trace
        await ledger.record_decision(accepted.case.id, *samples.judgement())
        await ledger.add_review("default", accepted.case.id, samples.review())
    untraced = await ledger.accept(samples.intent())
    traces[untraced.case.id] = ""
    events = await ledger.pending(100)
    assert len(events) == 19
    assert [(event.id, event.trace) for event in events] == [(event.id, traces[event.case_id]) for event in events]


async def test_events_wait_in_the_order_of_recording(ledger: LedgerWithOutbox, samples: Any) -> None:
    one = await ledger.accept(samples.intent())
    two = await ledger.accept(samples.intent())
    await ledger.record_decision(two.case.id, *samples.judgement())
    await ledger.record_decision(one.case.id, *samples.judgement())
    cases = [event.case_id for event in await ledger.pending(100)]
    assert cases == [one.case.id] + [two.case.id] * 8 + [one.case.id] * 7


async def test_published_events_are_forgotten_one_by_one(ledger: LedgerWithOutbox, samples: Any) -> None:
    await finished(ledger, samples)
    waiting = [event.id for event in await ledger.pending(100)]
    await ledger.mark_published(waiting[:3])
    assert [event.id for event in await ledger.pending(100)] == waiting[3:]
    assert await ledger.depth() == 6
    await ledger.mark_published(waiting[4:])
    assert [event.id for event in await ledger.pending(100)] == waiting[3:4]
    await ledger.mark_published(waiting)
    assert await ledger.depth() == 0


async def test_unknown_events_are_ignored(ledger: LedgerWithOutbox, samples: Any) -> None:
    case, _ = await finished(ledger, samples)
    await ledger.mark_published(["", "x", ":", "no:such:event", case.id, f"{case.id}:opinion:nobody"])
    await ledger.mark_published([])
    assert await ledger.depth() == 9


async def test_no_more_than_asked_for_is_given(ledger: LedgerWithOutbox, samples: Any) -> None:
    await finished(ledger, samples)
    whole = [event.id for event in await ledger.pending(100)]
    for limit in (0, 1, 4, 9):
        assert [event.id for event in await ledger.pending(limit)] == whole[:limit]


async def test_nothing_is_recorded_twice(ledger: LedgerWithOutbox, samples: Any) -> None:
    case, review = await finished(ledger, samples)
    await ledger.accept(case.intent)
    await ledger.record_decision(case.id, *samples.judgement())
    await ledger.add_review("default", case.id, review)
    assert await ledger.depth() == 9


async def test_events_survive_a_restart(open_lasting_ledger: Opener, samples: Any) -> None:
    async with open_lasting_ledger() as ledger:
        await finished(ledger, samples)
        waiting = await ledger.pending(100)
        await ledger.mark_published([waiting[0].id])
    async with open_lasting_ledger() as ledger:
        assert await ledger.pending(100) == waiting[1:]


async def test_a_relay_beside_writers_sees_every_event_once(ledger: LedgerWithOutbox, samples: Any) -> None:
    n_cases, published = 24, []

    async def relay() -> None:
        while len(published) < 9 * n_cases:
            events = await ledger.pending(16)
            published.extend(event.id for event in events)
            await ledger.mark_published([event.id for event in events])

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay())
        for _ in range(n_cases):
            tasks.create_task(finished(ledger, samples))
    assert len(published) == len(set(published)) == 9 * n_cases
    assert await ledger.depth() == 0


async def test_discarding_forgets_everything_that_waits(ledger: LedgerWithOutbox, samples: Any) -> None:
    await finished(ledger, samples)
    assert await ledger.depth()
    await ledger.discard()
    assert await ledger.depth() == 0
    assert not await ledger.pending(10)
