"""Traces: one per case, from the request to the published events, sent by OTLP/HTTP. Needs the extra `tracing`.

Spans are made when their work is done, from the durations that observers are told: the work itself does not know of them.
Nothing imports this module unless traces are wanted.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from neural_hive import __version__
from neural_hive.contracts import Case, Opinion, Understanding
from neural_hive.observability.arrivals import ARRIVAL, Answered, Arrival, is_sampled
from neural_hive.observability.observer import Observer

#: Longest that one export may take, and the pause between two, in seconds.
EXPORT_TIMEOUT_S, EXPORT_INTERVAL_S = 2.0, 1.0
#: For ids and samples, which must be rare twice and need not be secret: a tenth of the time of the system's own.
_DICE = random.Random()  # noqa: S311
#: Id of the span that the present task's call to another process was told to be below; 16 hex digits.
_CALLING: ContextVar[str] = ContextVar("hive_calling", default="")


class _Ids(RandomIdGenerator):
    """Random ids; the next span's id may be chosen, when another process was told it before the span is made."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen = 0

    def generate_span_id(self) -> int:
        """The chosen id, once; else a random one."""
        chosen, self.chosen = self.chosen, 0
        return chosen or super().generate_span_id()


def open_traces(endpoint: str, sample_ratio: float, service: str) -> Traces:
    """Spans to `endpoint`, in the background.

    Args:
        endpoint: a collector's OTLP/HTTP address, such as http://collector:4318; /v1/traces is added to it.
        sample_ratio: share of requests that are traced, in [0, 1], where the caller has not decided it.
        service: name of this process for the collector.
    """
    address = endpoint if endpoint.rstrip("/").endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"
    ids = _Ids()
    provider = TracerProvider(
        sampler=ALWAYS_ON,  # `arrived` decides: unsampled requests must not cost a span
        resource=Resource({"service.name": service, "service.namespace": "neural-hive", "service.version": __version__}),
        id_generator=ids,
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=address, timeout=EXPORT_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_INTERVAL_S * 1e3))
    return Traces(provider, ids, sample_ratio)


class Traces(Observer):
    """Makes spans of what it hears, below the request that the work is done for. Attributes are ids and scores."""

    def __init__(self, provider: TracerProvider, ids: _Ids, sample_ratio: float) -> None:
        self._provider, self._ids, self._sample_ratio = provider, ids, sample_ratio
        self._tracer = provider.get_tracer("neural_hive", __version__)

    def arrived(self, request_id: str, trace: str) -> Arrival:
        """Begin a request's span, if it is sampled: as the caller decided, else by the ratio.

        Args:
            request_id: for the logs.
            trace: the caller's traceparent, or empty.
        """
        is_recorded = is_sampled(trace) if trace else _DICE.random() < self._sample_ratio
        if not is_recorded:
            return Arrival(request_id, trace or f"00-{_DICE.getrandbits(128) or 1:032x}-{_DICE.getrandbits(64) or 1:016x}-00")
        span = self._tracer.start_span("HTTP", context_of(trace) if trace else Context(), SpanKind.SERVER)
        known = span.get_span_context()
        own = f"00-{known.trace_id:032x}-{known.span_id:016x}-{int(known.trace_flags):02x}"
        return Arrival(request_id, own, set_span_in_context(span, Context()), span)

    def calling(self) -> str:
        """The traceparent for a call to another process, which `on_opinion` or `on_silence` then makes the span of."""
        arrival = ARRIVAL.get()
        if arrival.parent is None:
            return arrival.trace
        span_id = f"{_DICE.getrandbits(64) or 1:016x}"
        _CALLING.set(span_id)
        return f"{arrival.trace[:36]}{span_id}{arrival.trace[52:]}"

    def below(self, trace: str) -> Context | None:
        """The context for spans below a traceparent; None if its trace is not recorded."""
        return context_of(trace) if is_sampled(trace) else None

    def on_answered(self, answered: Answered) -> None:
        """End the request's span."""
        span = ARRIVAL.get().span
        if span is None:
            return
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
        if ARRIVAL.get().parent is None:
            return
        self.span("accept", duration_s, {"hive.case_id": case.id, "hive.channel": case.intent.channel.value})

    def on_resumed(self, case: Case) -> None:
        """A case of another process, or of an earlier one, goes on: `Observing` has put its trace into the arrival."""
        self.span("resume", 0.0, {"hive.case_id": case.id})

    def on_understood(self, case_id: str, understanding: Understanding, duration_s: float) -> None:
        """A text is understood."""
        if ARRIVAL.get().parent is None:
            return
        said = {
            "hive.case_id": case_id,
            "hive.status": understanding.status.value,
            "hive.language": understanding.language,
            "hive.domain": understanding.domain.value,
        }
        self.span("understand", duration_s, said)

    def on_opinion(self, case_id: str, opinion: Opinion, duration_s: float) -> None:
        """A specialist answered."""
        if ARRIVAL.get().parent is None:
            return
        said = {
            "hive.case_id": case_id,
            "hive.recommendation": opinion.recommendation.value,
            "hive.risk": opinion.risk,
        }
        self._asked(opinion.specialist, duration_s, said)

    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None:
        """A specialist gave no usable answer."""
        self._asked(specialist, duration_s, {"hive.case_id": case_id, "error.type": reason})

    def on_decided(self, case: Case, duration_s: float) -> None:
        """A decision is recorded."""
        if ARRIVAL.get().parent is None or case.decision is None:
            return
        decision = case.decision
        said = {
            "hive.case_id": case.id,
            "hive.outcome": decision.outcome.value,
            "hive.risk": decision.risk,
            "hive.degraded": decision.degraded,
        }
        self.span("decide", duration_s, said)

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """A stage failed."""
        if case_id:
            self.span(f"failed {stage}", 0.0, {"hive.case_id": case_id, "error.type": type(error).__name__})

    def span(
        self,
        name: str,
        duration_s: float,
        said: Mapping[str, Any],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        trace: str = "",
    ) -> None:
        """A span of something that has just ended; nothing where the work is not recorded.

        Args:
            name: of few values.
            duration_s: how long it took, in seconds.
            said: attributes; with error.type, it failed.
            kind: INTERNAL, or how another process takes part.
            trace: traceparent to be below; else the present task's work.
        """
        parent = self.below(trace) if trace else ARRIVAL.get().parent
        if parent is None:
            return
        end_ns = time.time_ns()
        span = self._tracer.start_span(name, parent, kind, said, start_time=end_ns - int(duration_s * 1e9))
        if "error.type" in said:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_ns)

    def _asked(self, specialist: str, duration_s: float, said: Mapping[str, Any]) -> None:
        """The span of asking a specialist. One in another process was told the span's id, and is below it."""
        called = _CALLING.get()
        if called:
            _CALLING.set("")
            self._ids.chosen = int(called, 16)
        self.span(f"specialist {specialist}", duration_s, said, kind=SpanKind.CLIENT if called else SpanKind.INTERNAL)
        self._ids.chosen = 0

    async def close(self) -> None:
        """Send what is left; waits for the collector, at most for a few seconds."""
        await asyncio.to_thread(self._provider.shutdown)


def context_of(trace: str) -> Context:
    """The tracer's context for a traceparent. Source: W3C Trace Context, section 3.2.2."""
    _, trace_id, span_id, flags = trace.split("-")
    known = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(known), Context())
