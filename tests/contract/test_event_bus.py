"""Every promise of `EventBus` and `Delivery`, on every product."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from neural_hive.contracts import Event
from neural_hive.ports import Delivery, EventBus

Opener = Callable[[], AbstractAsyncContextManager[EventBus]]
N_TASKS = 16


@asynccontextmanager
async def subscribed(bus: EventBus, group: str) -> AsyncIterator[AsyncIterator[Delivery]]:
    """A member of a group, closed at the end."""
    deliveries = bus.subscribe(group)
    try:
        yield deliveries
    finally:
        await deliveries.aclose()  # type: ignore[attr-defined]


async def take(deliveries: AsyncIterator[Delivery], n: int) -> list[Event]:
    """Receive and settle n events."""
    taken = []
    for _ in range(n):
        delivery = await anext(deliveries)
        taken.append(delivery.event)
        await delivery.done()
    return taken


async def test_published_events_arrive_as_they_are(bus: EventBus, samples: Any) -> None:
    events = [samples.event("a", n) for n in range(3)]
    async with subscribed(bus, "g") as deliveries:
        await bus.publish(events)
        assert await take(deliveries, 3) == events


async def test_publishing_nothing_is_fine(bus: EventBus) -> None:
    await bus.publish([])


async def test_every_group_gets_every_event(bus: EventBus, samples: Any) -> None:
    events = [samples.event("a", n) for n in range(3)]
    async with subscribed(bus, "g") as one, subscribed(bus, "h") as two:
        await bus.publish(events)
        assert await take(one, 3) == events
        assert await take(two, 3) == events


async def test_a_new_group_starts_with_what_is_published_after_it_subscribes(bus: EventBus, samples: Any) -> None:
    async with subscribed(bus, "other") as other:
        await bus.publish([samples.event("a", 1)])
        async with subscribed(bus, "g") as deliveries:
            later = samples.event("a", 2)
            await bus.publish([later])
            assert await take(deliveries, 1) == [later]
        assert len(await take(other, 2)) == 2


async def test_members_of_a_group_share_its_events(bus: EventBus, samples: Any) -> None:
    events = [samples.event(f"case{n % 10}", n) for n in range(60)]
    seen: list[str] = []

    async def member() -> None:
        async with subscribed(bus, "g") as deliveries:
            ready.release()
            async for delivery in deliveries:
                await delivery.done()
                seen.append(delivery.event.id)
                if len(seen) >= len(events):
                    all_seen.set()

    ready, all_seen = asyncio.Semaphore(0), asyncio.Event()
    members = [asyncio.create_task(member()) for _ in range(4)]
    for _ in members:
        await ready.acquire()
    await bus.publish(events)
    await all_seen.wait()
    for task in members:
        task.cancel()
    await asyncio.gather(*members, return_exceptions=True)
    assert Counter(seen) == Counter(event.id for event in events)


async def test_the_events_of_one_case_arrive_in_order(bus: EventBus, samples: Any) -> None:
    seen: dict[str, list[int]] = defaultdict(list)
    async with subscribed(bus, "g") as deliveries:
        await asyncio.gather(*(bus.publish([samples.event(f"case{task}", n) for n in range(5)]) for task in range(N_TASKS)))
        for event in await take(deliveries, 5 * N_TASKS):
            seen[event.case_id].append(event.data["n"])
    assert all(order == [0, 1, 2, 3, 4] for order in seen.values())
    assert len(seen) == N_TASKS


async def test_what_is_not_settled_comes_again(bus: EventBus, samples: Any) -> None:
    event = samples.event("a", 1)
    async with subscribed(bus, "g") as deliveries:
        await bus.publish([event])
        assert (await anext(deliveries)).event == event
    async with subscribed(bus, "g") as deliveries:
        assert await take(deliveries, 1) == [event]


async def test_what_is_done_does_not_come_again(bus: EventBus, samples: Any) -> None:
    first, second = samples.event("a", 1), samples.event("a", 2)
    async with subscribed(bus, "g") as deliveries:
        await bus.publish([first])
        await take(deliveries, 1)
    async with subscribed(bus, "g") as deliveries:
        await bus.publish([second])
        assert await take(deliveries, 1) == [second]


async def test_a_group_gets_after_a_restart_what_it_missed(open_lasting_bus: Opener, samples: Any) -> None:
    done, held, missed = (samples.event(f"case{n}", n) for n in range(3))
    async with open_lasting_bus() as bus, subscribed(bus, "g") as deliveries:
        await bus.publish([done])
        assert await take(deliveries, 1) == [done]
        await bus.publish([held])
        assert (await anext(deliveries)).event == held
    async with open_lasting_bus() as bus:
        await bus.publish([missed])
        async with subscribed(bus, "g") as deliveries:
            assert {event.id for event in await take(deliveries, 2)} == {held.id, missed.id}


async def test_what_failed_comes_again_before_the_next_event_of_its_case(bus: EventBus, samples: Any) -> None:
    first, second = samples.event("a", 1), samples.event("a", 2)
    async with subscribed(bus, "g") as deliveries:
        await bus.publish([first, second])
        await (await anext(deliveries)).failed("not now")
        assert await take(deliveries, 2) == [first, second]


async def test_after_five_failures_an_event_is_given_up_and_the_next_one_goes(bus: EventBus, samples: Any) -> None:
    bad, good = samples.event("a", 1), samples.event("a", 2)
    seen = []
    async with subscribed(bus, "g") as deliveries:
        await bus.publish([bad, good])
        async for delivery in deliveries:
            seen.append(delivery.event)
            if delivery.event == good:
                await delivery.done()
                break
            await delivery.failed("it never works")
    assert seen == [bad] * 5 + [good]


async def test_publishers_at_once_lose_nothing(bus: EventBus, samples: Any) -> None:
    events = [samples.event(f"case{n}", n) for n in range(4 * N_TASKS)]
    async with subscribed(bus, "g") as deliveries:
        await asyncio.gather(*(bus.publish([event]) for event in events))
        assert {event.id for event in await take(deliveries, len(events))} == {event.id for event in events}


async def test_a_bus_that_works_answers_a_ping(bus: EventBus) -> None:
    await bus.ping()


async def test_a_bus_with_a_group_is_heard(bus: EventBus) -> None:
    async with subscribed(bus, "readers"):
        assert await bus.is_heard()
