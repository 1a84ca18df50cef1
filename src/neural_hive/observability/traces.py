"""Traces: one per case, from the request to the published events, sent by OTLP/HTTP. Needs the extra `tracing`.

Spans are made when their work is done, from the durations that observers are told: the work itself does not know of them.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neural_hive import __version__
from neural_hive.contracts import Case, Event, EventType, Opinion, Understanding
from neural_hive.errors import ConfigurationError
from neural_hive.observability.arrivals import ARRIVAL, NOWHERE, Answered, Arrival, is_sampled
from neural_hive.observability.observer import Observer

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

#: Longest that one export may take, and the pause between two, in seconds.
EXPORT_TIMEOUT_S, EXPORT_INTERVAL_S = 2.0, 1.0
#: Decided cases whose trace is remembered until their events are published.
_MAX_REMEMBERED = 4_096
_DICE = random.SystemRandom()


def open_traces(endpoint: str, sample_ratio: float, service: str) -> Traces:
    """Spans to `endpoint`, in the background.

    Args:
        endpoint: a collector's OTLP/HTTP address, such as http://collector:4318; /v1/traces is added to it.
        sample_ratio: share of requests that are traced, in [0, 1], where the caller has not decided it.
        service: name of this process for the collector.

    Raises:
        ConfigurationError: the extra `tracing` is not installed, or the endpoint is no http(s) URL.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise ConfigurationError("HIVE_OTLP_ENDPOINT: write it as http://host:4318")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON
    except ModuleNotFoundError as error:
        raise ConfigurationError("HIVE_OTLP_ENDPOINT: needs `pip install neural-hive-mind[tracing]`") from error
    address = endpoint if endpoint.rstrip("/").endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"
    provider = TracerProvider(
        sampler=ALWAYS_ON,  # `arrived` decides: unsampled requests must not cost a span
        resource=Resource({"service.name": service, "service.namespace": "neural-hive", "service.version": __version__}),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=address, timeout=EXPORT_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_INTERVAL_S * 1e3))
    return Traces(provider, sample_ratio)


class Traces(Observer):
    """Makes spans of what it hears, below the request that the work is done for. Attributes are ids and scores."""

    def __init__(self, provider: TracerProvider, sample_ratio: float) -> None:
        self._provider, self._sample_ratio = provider, sample_ratio
        self._tracer = provider.get_tracer("neural_hive", __version__)
        self._remembered: OrderedDict[str, str] = OrderedDict()

    def arrived(self, request_id: str, trace: str) -> Arrival:
        """Begin a request's span, if it is sampled: as the caller decided, else by the ratio.

        Args:
            request_id: for the logs.
            trace: the caller's traceparent, or empty.
        """
        is_recorded = is_sampled(trace) if trace else _DICE.random() < self._sample_ratio
        if not is_recorded:
            return Arrival(request_id, trace or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00")
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind, set_span_in_context

        span = self._tracer.start_span("HTTP", _context_of(trace) if trace else Context(), SpanKind.SERVER)
        known = span.get_span_context()
        own = f"00-{known.trace_id:032x}-{known.span_id:016x}-{int(known.trace_flags):02x}"
        return Arrival(request_id, own, set_span_in_context(span, Context()), span)

    def on_answered(self, answered: Answered) -> None:
        """End the request's span."""
        span = ARRIVAL.get().span
        if span is None:
            return
        from opentelemetry.trace import Status, StatusCode

        span.update_name(f"{answered.method} {answered.route or 'unmatched'}")
        span.set_attributes({"http.request.method": answered.method, "http.route": answered.route})
        if answered.status:
            span.set_attribute("http.response.status_code", answered.status)
        if answered.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("error.type", answered.problem or str(answered.status))
        span.end()

    def on_accepted(self, case: Case, duration_s: float) -> None:
        """An intent is recorded."""
        self._span("accept", case.id, duration_s, {"hive.channel": case.intent.channel.value})

    def on_resumed(self, case: Case) -> None:
        """A case of another process, or of an earlier one, goes on in the trace of the request that brought it."""
        trace = case.intent.trace
        ARRIVAL.set(Arrival("", trace, _context_of(trace)) if is_sampled(trace) else NOWHERE)
        self._span("resume", case.id, 0.0, {})

    def on_understood(self, case_id: str, understanding: Understanding, duration_s: float) -> None:
        """A text is understood."""
        said = {"hive.status": understanding.status.value, "hive.language": understanding.language}
        self._span("understand", case_id, duration_s, said | {"hive.domain": understanding.domain.value})

    def on_opinion(self, case_id: str, opinion: Opinion, duration_s: float) -> None:
        """A specialist answered."""
        said = {"hive.recommendation": opinion.recommendation.value, "hive.risk": opinion.risk}
        self._span(f"specialist {opinion.specialist}", case_id, duration_s, said)

    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None:
        """A specialist gave no usable answer."""
        self._span(f"specialist {specialist}", case_id, duration_s, {"error.type": reason}, is_error=True)

    def on_decided(self, case: Case, duration_s: float) -> None:
        """A decision is recorded."""
        if ARRIVAL.get().parent is None or case.decision is None:
            return
        decision = case.decision
        said = {"hive.outcome": decision.outcome.value, "hive.risk": decision.risk, "hive.degraded": decision.degraded}
        self._span("decide", case.id, duration_s, said)
        self._remember(case.id, ARRIVAL.get().trace)

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """A stage failed."""
        self._span(f"failed {stage}", case_id, 0.0, {"error.type": type(error).__name__}, is_error=True)

    def on_published(self, events: Sequence[Event], duration_s: float) -> None:
        """The bus has events: a span in the trace of each case among them."""
        traced = {e.case_id: e.trace or self._remembered.get(e.case_id, "") for e in events}
        for case_id, trace in traced.items():
            if is_sampled(trace):
                n_events = sum(e.case_id == case_id for e in events)
                self._span("publish", case_id, duration_s, {"hive.n_events": n_events}, parent=_context_of(trace))
        for event in events:
            if event.type is EventType.DECIDED:
                self._remembered.pop(event.case_id, None)

    async def close(self) -> None:
        """Send what is left; waits for the collector, at most for a few seconds."""
        await asyncio.to_thread(self._provider.shutdown)

    def _span(
        self, name: str, case_id: str, duration_s: float, said: dict[str, Any], *, is_error: bool = False, parent: Any = None
    ) -> None:
        parent = parent or ARRIVAL.get().parent
        if parent is None:
            return
        from opentelemetry.trace import Status, StatusCode

        end_ns = time.time_ns()
        span = self._tracer.start_span(name, parent, start_time=end_ns - int(duration_s * 1e9))
        span.set_attributes(said | {"hive.case_id": case_id})
        if is_error:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_ns)

    def _remember(self, case_id: str, trace: str) -> None:
        self._remembered[case_id] = trace
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.popitem(last=False)


def _context_of(trace: str) -> Context:
    """The tracer's context for a traceparent. Source: W3C Trace Context, section 3.2.2."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    _, trace_id, span_id, flags = trace.split("-")
    known = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(known), Context())
