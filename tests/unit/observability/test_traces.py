"""Spans, as a real OTLP/HTTP receiver gets them."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from neural_hive.contracts import Event, EventType
from neural_hive.errors import ConfigurationError
from neural_hive.observability.arrivals import ARRIVAL, Answered, is_sampled
from neural_hive.observability.observing import Observing, observe
from neural_hive.observability.traces import open_traces

pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

CALLERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = CALLERS.removesuffix("01") + "00"


class Receiver:
    """Takes spans as a collector does."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self.paths: set[str] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.paths.add(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def take(self, body: bytes) -> None:
        """Keep the spans of one export."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {a.value.string_value for a in resource.resource.attributes if a.key == "service.name"}
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]

    def close(self) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def named(self, name: str) -> Any:
        """The one span with a name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A collector."""
    opened = Receiver()
    yield opened
    opened.close()


def event(kind: EventType, case: Any, trace: str = "") -> Event:
    return Event(id=f"{case.id}:{kind}", type=kind, tenant="t", case_id=case.id, at=case.decided_at, trace=trace)


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
        listeners.on_published([event(EventType.ACCEPTED, case, own), event(EventType.DECIDED, case)], 0.001)
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
    assert below == {"accept", "understand", "decide", "publish", *(f"specialist {name}" for name in names)}


async def test_spans_last_as_long_as_the_work_and_say_how_it_went(receiver: Receiver, live_one_case: Callable[..., str]) -> None:
    observing = observe(receiver.url, 0.0)
    live_one_case(observing, CALLERS)
    await observing.close()
    silent, decide = receiver.named("specialist business"), receiver.named("decide")
    assert silent.end_time_unix_nano - silent.start_time_unix_nano == 1_500_000_000
    assert silent.status.code == 2
    said = {a.key: a.value for a in decide.attributes}
    assert said["hive.outcome"].string_value == "needs_review"
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


async def test_probes_are_not_traced(receiver: Receiver) -> None:
    observing = observe(receiver.url, 1.0)
    assert observing.arrived("r", "", "/metrics") == ""
    observing.answered(Answered("GET", "/metrics", 200, 0.01, "r", ""))
    await observing.close()
    assert receiver.spans == []


def test_off_it_passes_the_callers_trace_on_and_makes_nothing() -> None:
    observing = observe()
    assert observing.arrived("r", CALLERS, "/x") == CALLERS
    assert ARRIVAL.get().parent is None
    assert ARRIVAL.get().trace_id == CALLERS[3:35]


def test_an_endpoint_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="HIVE_OTLP_ENDPOINT"):
        open_traces("collector:4318", 1.0, "hive")
