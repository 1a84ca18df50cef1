"""Calls to stores and the bus as spans, in the trace of their case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from typing import Any

import pytest

from neural_hive.contracts import Event, EventType
from neural_hive.errors import StorageError
from neural_hive.observability.arrivals import ARRIVAL, NOWHERE
from neural_hive.observability.observing import Observing, observe

pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")
from tests.observability.receiver import Receiver, attributes

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNRECORDED = TRACE.removesuffix("01") + "00"
CLIENT, PRODUCER, CONSUMER = 3, 4, 5


class Graph:
    """A graph that knows nothing and can fail."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.linked: list[Any] = []

    async def similar(self, tenant: str, vector: bytes, limit: int, *, exclude: str = "") -> list[Any]:
        """Nothing, or the error."""
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return [tenant, vector, limit, exclude]

    async def systems(self, names: Sequence[str]) -> list[Any]:
        """Never."""
        await asyncio.Event().wait()
        return []

    async def related(self, tenant: str, case_id: str) -> None: ...

    async def link_case(self, case: Any, systems: Sequence[str], vector: bytes) -> None:
        """Notes the case."""
        self.linked.append(case)

    async def ping(self) -> str:
        """Not traced."""
        return "pong"


class Delivered:
    """A delivery that notes how it was settled."""

    def __init__(self, event: Event) -> None:
        self.event, self.settled = event, ""

    async def done(self) -> None:
        """Notes it."""
        self.settled = "done"

    async def failed(self, reason: str) -> None:
        """Notes it."""
        self.settled = reason


class Bus:
    """A bus that delivers what was published."""

    def __init__(self) -> None:
        self.published: list[Event] = []
        self.deliveries: list[Delivered] = []
        self.groups: list[str] = []

    async def publish(self, events: Sequence[Event]) -> None:
        """Notes them."""
        self.published += events

    def subscribe(self, group: str) -> AsyncIterator[Delivered]:
        """Joins at once, as the port says."""
        self.groups.append(group)
        return self._each()

    async def _each(self) -> AsyncIterator[Delivered]:
        for event in self.published:
            self.deliveries.append(Delivered(event))
            yield self.deliveries[-1]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A collector."""
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def observing(receiver: Receiver) -> Observing:
    """Traces only what callers want traced."""
    return observe(receiver.url, 0.0)


def event(case_id: str, number: int, trace: str) -> Event:
    return Event(
        id=f"{case_id}:{number}", type=EventType.OPINION, tenant="t", case_id=case_id, at="2026-01-31T12:00:00Z", trace=trace
    )


async def test_a_call_is_a_span_of_its_request_and_says_which_product(receiver: Receiver, observing: Observing) -> None:
    own = observing.arrived("r", TRACE, "/api/v1/intents")
    graph: Any = observing.watched("graph", "bolt://name:secret@host", Graph())
    assert await graph.similar("t", b"v", 3, exclude="x") == ["t", b"v", 3, "x"]
    assert await graph.ping() == "pong"
    await observing.close()
    (span,) = receiver.spans
    assert (span.name, span.kind, span.parent_span_id.hex()) == ("graph similar", CLIENT, own[36:52])
    assert attributes(span) == {"db.system.name": "neo4j", "db.operation.name": "similar"}


async def test_a_call_that_fails_or_is_given_up_says_so_and_raises_as_before(receiver: Receiver, observing: Observing) -> None:
    observing.arrived("r", TRACE, "/api/v1/intents")
    broken = Graph()
    broken.error = StorageError("of Joaquina")
    graph: Any = observing.watched("graph", "sqlite:///x.db", broken)
    with pytest.raises(StorageError, match="Joaquina"):
        await graph.similar("t", b"v", 3)
    with suppress(TimeoutError):
        async with asyncio.timeout(0.001):
            await graph.systems(["a"])
    await observing.close()
    told = {span.name: (attributes(span)["error.type"], span.status.code) for span in receiver.spans}
    assert told == {"graph similar": ("StorageError", 2), "graph systems": ("CancelledError", 2)}
    assert "Joaquina" not in str(receiver.spans)


async def test_a_call_that_no_request_waits_for_is_in_the_trace_of_its_case(
    receiver: Receiver, observing: Observing, make_case: Callable[..., Any]
) -> None:
    ARRIVAL.set(NOWHERE)
    graph: Any = observing.watched("graph", "sqlite:///x.db", Graph())
    for trace in (TRACE, UNRECORDED, ""):
        await graph.link_case(make_case(trace=trace), [], b"")
    await graph.similar("t", b"v", 3)
    await observing.close()
    (span,) = receiver.spans
    assert (span.name, span.trace_id.hex()) == ("graph link_case", TRACE[3:35])


async def test_what_is_in_memory_and_what_is_not_watched_is_as_it_was(observing: Observing) -> None:
    graph = Graph()
    assert observing.watched("cache", "memory://", graph) is graph
    assert observe().watched("graph", "sqlite:///x.db", graph) is graph
    await observing.close()


async def test_events_are_published_and_delivered_in_the_traces_of_their_cases(receiver: Receiver, observing: Observing) -> None:
    other = TRACE.replace("0af7", "1af7")
    inner = Bus()
    bus: Any = observing.watched("bus", "kafka://host:9092", inner)
    await bus.publish(
        [event("a", 1, TRACE), event("a", 2, TRACE), event("b", 1, other), event("c", 1, UNRECORDED), event("d", 1, "")]
    )
    deliveries = bus.subscribe("workers")
    assert inner.groups == ["workers"]  # before anything is asked for: a group starts with what follows
    async with aclosing(deliveries):
        async for delivery in deliveries:
            await (delivery.failed("of Joaquina") if delivery.event.case_id == "b" else delivery.done())
    await observing.close()
    assert [each.settled for each in inner.deliveries] == ["done", "done", "of Joaquina", "done", "done"]
    told = [(s.name, s.kind, s.trace_id.hex()[:4], attributes(s)) for s in receiver.spans]
    assert [(name, kind, trace) for name, kind, trace, _ in told] == [
        ("publish", PRODUCER, "0af7"),
        ("publish", PRODUCER, "1af7"),
        ("deliver", CONSUMER, "0af7"),
        ("deliver", CONSUMER, "0af7"),
        ("deliver", CONSUMER, "1af7"),
    ]
    assert told[0][3] == {"messaging.system": "kafka", "hive.case_id": "a", "messaging.batch.message_count": 2}
    assert told[4][3]["error.type"] == "failed"
    assert "Joaquina" not in str(receiver.spans)
