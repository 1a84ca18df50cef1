"""Spans, as a real OTLP/HTTP receiver gets them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from neural_hive.errors import ConfigurationError
from neural_hive.observability.arrivals import ARRIVAL, Answered, is_sampled
from neural_hive.observability.observing import Observing, observe

pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")
from tests.observability.receiver import Receiver, attributes

CALLERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: Kinds of spans. Source: opentelemetry/proto/trace/v1/trace.proto.
INTERNAL, CLIENT = 1, 3
UNSAMPLED = CALLERS.removesuffix("01") + "00"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A collector."""
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def live_one_case(
    make_case: Callable[..., Any], make_opinion: Callable[..., Any], make_understanding: Callable[..., Any]
) -> Callable[..., str]:
    """Lets one case happen; returns the traceparent that its work went on with."""

    def live(observing: Observing, callers: str) -> str:
        own = observing.arrived("r-1", callers, "/api/v1/intents")
        case, listeners = make_case(trace=own), observing.listeners
        listeners.on_accepted(case, 0.002)
        listeners.on_understood(case.id, make_understanding(), 0.001)
        for name in ("architecture", "behavior", "evolution", "technical"):
            listeners.on_opinion(case.id, make_opinion(name), 0.0002)
        listeners.on_silence(case.id, "business", "timeout", 1.5)
        listeners.on_decided(case, 0.004)
        observing.answered(Answered("POST", "/api/v1/intents", 201, 0.01, "r-1", own))
        return own

    return live


async def test_a_case_is_one_trace_from_the_callers_request_to_its_events(
    receiver: Receiver, live_one_case: Callable[..., str]
) -> None:
    observing = observe(receiver.url, 0.0, "hive")
    own = live_one_case(observing, CALLERS)
    await observing.close()
    request = receiver.named("POST /api/v1/intents")
    assert receiver.paths == {"/v1/traces"}
    assert receiver.services == {"hive"}
    assert {span.trace_id.hex() for span in receiver.spans} == {CALLERS[3:35]}
    assert request.parent_span_id.hex() == CALLERS[36:52]
    assert own == f"00-{CALLERS[3:35]}-{request.span_id.hex()}-01"
    below = {span.name for span in receiver.spans if span.parent_span_id == request.span_id}
    names = ("architecture", "behavior", "business", "evolution", "technical")
    assert below == {"accept", "understand", "decide", *(f"specialist {name}" for name in names)}


async def test_spans_last_as_long_as_the_work_and_say_how_it_went(receiver: Receiver, live_one_case: Callable[..., str]) -> None:
    observing = observe(receiver.url, 0.0)
    live_one_case(observing, CALLERS)
    await observing.close()
    silent, decide = receiver.named("specialist business"), receiver.named("decide")
    assert silent.end_time_unix_nano - silent.start_time_unix_nano == 1_500_000_000
    assert silent.status.code == 2
    assert attributes(decide)["hive.outcome"] == "needs_review"
    assert attributes(silent)["error.type"] == "timeout"
    assert "Joaquina" not in str(receiver.spans)


@pytest.mark.parametrize(("ratio", "callers", "is_traced"), [(1.0, "", True), (0.0, "", False), (1.0, UNSAMPLED, False)])
async def test_the_ratio_decides_where_the_caller_did_not(
    receiver: Receiver, live_one_case: Callable[..., str], ratio: float, callers: str, is_traced: bool
) -> None:
    observing = observe(receiver.url, ratio)
    own = live_one_case(observing, callers)
    await observing.close()
    assert bool(receiver.spans) is is_traced
    assert is_sampled(own) is is_traced


async def test_a_case_taken_up_by_another_process_stays_in_its_trace(receiver: Receiver, make_case: Callable[..., Any]) -> None:
    observing, case = observe(receiver.url, 0.0), make_case(trace=CALLERS)
    observing.listeners.on_resumed(case)
    observing.listeners.on_decided(case, 0.004)
    observing.listeners.on_resumed(make_case(trace=""))
    observing.listeners.on_decided(make_case(), 0.004)
    await observing.close()
    assert sorted(span.name for span in receiver.spans) == ["decide", "resume"]
    assert {(s.trace_id.hex(), s.parent_span_id.hex()) for s in receiver.spans} == {(CALLERS[3:35], CALLERS[36:52])}


async def test_a_case_taken_up_again_by_another_request_leaves_that_request_its_own_span(
    receiver: Receiver, make_case: Callable[..., Any]
) -> None:
    observing = observe(receiver.url, 1.0)
    retry = observing.arrived("r-2", "", "/api/v1/intents")
    observing.listeners.on_resumed(make_case(trace=CALLERS))
    observing.listeners.on_decided(make_case(), 0.004)
    observing.answered(Answered("POST", "/api/v1/intents", 201, 0.01, "r-2", retry))
    await observing.close()
    assert receiver.named("decide").trace_id.hex() == CALLERS[3:35]
    assert receiver.named("POST /api/v1/intents").trace_id.hex() == retry[3:35]
    assert ARRIVAL.get().request_id == "r-2"


async def test_a_specialist_elsewhere_is_below_the_span_that_asks_it(
    receiver: Receiver, make_opinion: Callable[..., Any]
) -> None:
    observing = observe(receiver.url, 1.0)
    own = observing.arrived("r", "", "/api/v1/intents")

    async def ask(name: str) -> str:
        told = observing.calling()
        await asyncio.sleep(0)
        observing.listeners.on_opinion("c", make_opinion(name), 0.001)
        return told

    names = ("business", "technical")
    told = dict(zip(names, await asyncio.gather(*map(ask, names)), strict=True))
    observing.listeners.on_opinion("c", make_opinion("behavior"), 0.001)
    await observing.close()
    for name in names:
        span = receiver.named(f"specialist {name}")
        assert told[name] == f"00-{own[3:35]}-{span.span_id.hex()}-{own[-2:]}"
        assert (span.parent_span_id.hex(), span.kind) == (own[36:52], CLIENT)
    assert receiver.named("specialist behavior").kind == INTERNAL


@pytest.mark.parametrize("path", ["/metrics", "/health", "/ready", "/api/v1/intents/x/events", "/cases/x/live"])
async def test_probes_and_streams_are_not_traced(receiver: Receiver, path: str) -> None:
    observing = observe(receiver.url, 1.0)
    assert observing.arrived("r", "", path) == ""
    observing.answered(Answered("GET", path, 200, 0.01, "r", ""))
    await observing.close()
    assert receiver.spans == []


def test_off_it_passes_the_callers_trace_on_and_makes_nothing() -> None:
    observing = observe()
    assert observing.arrived("r", CALLERS, "/x") == CALLERS
    assert ARRIVAL.get().parent is None
    assert ARRIVAL.get().trace_id == CALLERS[3:35]


def test_an_endpoint_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="HIVE_OTLP_ENDPOINT"):
        observe("collector:4318", 1.0, "hive")
