"""Spans of calls to stores and the bus: a thin layer around each, put there only when traces are on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar, cast

from opentelemetry.trace import SpanKind

from neural_hive.contracts import Event
from neural_hive.observability.arrivals import ARRIVAL, is_sampled
from neural_hive.observability.traces import Traces

T = TypeVar("T")

#: Role → calls that are made for one case or one request. Loops that ask all the time (claims, outbox) have no trace.
TRACED = {
    "ledger": ("accept", "record_decision", "add_review", "get", "find", "verify"),
    "graph": ("systems", "similar", "related", "link_case"),
    "cache": ("get", "set", "delete", "increment"),
}
#: Schemes that are not called like their product. Source: OpenTelemetry semantic conventions, db.system.name.
_PRODUCTS = {"bolt": "neo4j", "rediss": "redis"}


def traced(role: str, url: str, part: T, traces: Traces) -> T:
    """`part` with a span for each call of TRACED; for the bus, one for each case that is published or delivered.

    Args:
        role: ledger, graph, cache or bus.
        url: that chose the product; only its scheme is told. What is in memory is not traced.
        part: implements the port.
        traces: makes the spans.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    system = _PRODUCTS.get(scheme, scheme)
    if system == "memory":
        return part
    wrapper = _Bus(part, system, traces) if role == "bus" else _Store(part, role, system, traces)
    return cast("T", wrapper)


class _Store:
    """A store whose calls are traced; everything else is the store's own."""

    def __init__(self, part: Any, role: str, system: str, traces: Traces) -> None:
        self._part = part
        for name in TRACED[role]:
            said = {"db.system.name": system, "db.operation.name": name}
            setattr(self, name, _timed(getattr(part, name), f"{role} {name}", said, traces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)


def _timed(call: Callable[..., Awaitable[Any]], name: str, said: dict[str, Any], traces: Traces) -> Callable[..., Awaitable[Any]]:
    async def timed(*given: Any, **named: Any) -> Any:
        trace = _trace_of(given)
        if not trace and ARRIVAL.get().parent is None:
            return await call(*given, **named)
        started_s = time.perf_counter()
        failed: dict[str, Any] = {}
        try:
            return await call(*given, **named)
        except BaseException as error:
            failed = {"error.type": type(error).__name__}
            raise
        finally:
            traces.span(name, time.perf_counter() - started_s, said | failed, kind=SpanKind.CLIENT, trace=trace)

    return timed


def _trace_of(given: Sequence[Any]) -> str:
    """The trace of the case that a call is about, where no request waits for it; else empty."""
    intent = getattr(given[0], "intent", None) if given and ARRIVAL.get().parent is None else None
    trace: str = getattr(intent, "trace", "")
    return trace if is_sampled(trace) else ""


class _Bus:
    """A bus whose messages are traced, each in the trace of its case."""

    def __init__(self, part: Any, system: str, traces: Traces) -> None:
        self._part, self._traces = part, traces
        self._said = {"messaging.system": system}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    async def publish(self, events: Sequence[Event]) -> None:
        """See `EventBus.publish`."""
        started_s = time.perf_counter()
        failed: dict[str, Any] = {}
        try:
            await self._part.publish(events)
        except BaseException as error:
            failed = {"error.type": type(error).__name__}
            raise
        finally:
            self._published(events, time.perf_counter() - started_s, failed)

    def _published(self, events: Sequence[Event], duration_s: float, failed: dict[str, Any]) -> None:
        n_events: dict[tuple[str, str], int] = {}
        for event in events:
            if is_sampled(event.trace):
                key = event.trace, event.case_id
                n_events[key] = n_events.get(key, 0) + 1
        for (trace, case_id), n in n_events.items():
            said = self._said | {"hive.case_id": case_id, "messaging.batch.message_count": n} | failed
            self._traces.span("publish", duration_s, said, kind=SpanKind.PRODUCER, trace=trace)

    def subscribe(self, group: str) -> AsyncIterator[Any]:
        """See `EventBus.subscribe`."""
        return self._deliveries(self._part.subscribe(group), self._said | {"messaging.consumer.group.name": group})

    async def _deliveries(self, deliveries: Any, said: dict[str, Any]) -> AsyncIterator[Any]:
        async with aclosing(deliveries):
            async for delivery in deliveries:
                yield _Delivery(delivery, said, self._traces) if is_sampled(delivery.event.trace) else delivery


class _Delivery:
    """A delivery whose handling is traced, from being handed over to being settled."""

    def __init__(self, part: Any, said: dict[str, Any], traces: Traces) -> None:
        self.event: Event = part.event
        self._part, self._said, self._traces = part, said, traces
        self._started_s = time.perf_counter()

    async def done(self) -> None:
        """See `Delivery.done`."""
        await self._part.done()
        self._span({})

    async def failed(self, reason: str) -> None:
        """See `Delivery.failed`. The reason is not told: it may repeat what somebody wrote."""
        await self._part.failed(reason)
        self._span({"error.type": "failed"})

    def _span(self, more: dict[str, Any]) -> None:
        said = self._said | {"hive.case_id": self.event.case_id, "hive.event": self.event.type.value} | more
        duration_s = time.perf_counter() - self._started_s
        self._traces.span("deliver", duration_s, said, kind=SpanKind.CONSUMER, trace=self.event.trace)
