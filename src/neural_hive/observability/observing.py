"""Everything that observes one process, put together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from neural_hive.contracts import Case
from neural_hive.errors import ConfigurationError
from neural_hive.observability.arrivals import ARRIVAL, Answered, Arrival, loggable_id
from neural_hive.observability.logs import log_listener
from neural_hive.observability.metrics import Metrics
from neural_hive.observability.observer import Listeners, Observer

if TYPE_CHECKING:
    from neural_hive.observability.traces import Traces

T = TypeVar("T")

#: Asked every few seconds by machines; tracing them would only bury the rest.
_UNTRACED = frozenset({"/health", "/ready", "/metrics"})
#: Ends of paths of streams, which last for minutes and look again and again.
_STREAMS = ("/events", "/live")


class Observing:
    """Logs, metrics and traces of one process."""

    def __init__(self, traces: Traces | None = None) -> None:
        self.metrics = Metrics()
        self._traces = traces
        chosen: list[Observer | None] = [Following(traces), self.metrics, log_listener(), traces]
        self.listeners = Listeners(*(observer for observer in chosen if observer is not None))

    def arrived(self, request_id: str, trace: str, path: str) -> str:
        """A request came: what is done in this task, and in tasks that it starts, is done for it.

        Args:
            request_id: as the answer will carry it.
            trace: the caller's valid traceparent, or empty.
            path: as it was asked for.

        Returns:
            The traceparent that the request's work belongs to: the caller's, or that of our own span below it.
        """
        own_id = loggable_id(request_id)
        is_traced = self._traces is not None and path not in _UNTRACED and not path.endswith(_STREAMS)
        arrival = self._traces.arrived(own_id, trace) if self._traces and is_traced else Arrival(own_id, trace)
        ARRIVAL.set(arrival)
        return arrival.trace

    def answered(self, answered: Answered) -> None:
        """The request of this task was answered."""
        self.listeners.on_answered(answered)

    def calling(self) -> str:
        """The traceparent for a call to another process, made for the present task's work; or empty."""
        return self._traces.calling() if self._traces is not None else ARRIVAL.get().trace

    def watched(self, role: str, url: str, part: T) -> T:
        """`part`, a store or the bus that `url` chose, with a span for each call if traces are on; else as it is."""
        if self._traces is None:
            return part
        from neural_hive.observability.calls import traced

        return traced(role, url, part, self._traces)

    def metrics_text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        self.metrics.set_failures(self.listeners.n_failures.items())
        return self.metrics.text()

    async def close(self) -> None:
        """Send what waits to be sent."""
        if self._traces is not None:
            await self._traces.close()


class Following(Observer):
    """Puts a case that is taken up again into the trace of the request that brought it. Hears of it before all others."""

    def __init__(self, traces: Traces | None) -> None:
        self._traces = traces

    def on_resumed(self, case: Case) -> None:
        """Whatever this task does next, it does for the case's own request."""
        trace = case.intent.trace
        parent = self._traces.below(trace) if self._traces is not None else None
        ARRIVAL.set(replace(ARRIVAL.get(), trace=trace, parent=parent))


def observe(otlp_endpoint: str = "", trace_sample_ratio: float = 0.0, service: str = "hive") -> Observing:
    """What observes this process. Logs are as `configure_logs` left them.

    Args:
        otlp_endpoint: a collector's OTLP/HTTP address; empty: no traces.
        trace_sample_ratio: share of requests that are traced, in [0, 1], where the caller has not decided it.
        service: name of this process for the collector.

    Raises:
        ConfigurationError: traces are wanted and cannot be sent: the endpoint is no http(s) URL, or the extra is missing.
    """
    if not otlp_endpoint:
        return Observing()
    if not otlp_endpoint.startswith(("http://", "https://")):
        raise ConfigurationError("HIVE_OTLP_ENDPOINT: write it as http://host:4318")
    try:
        from neural_hive.observability.traces import open_traces
    except ModuleNotFoundError as error:
        raise ConfigurationError("HIVE_OTLP_ENDPOINT: needs `pip install neural-hive-mind[tracing]`") from error
    return Observing(open_traces(otlp_endpoint, trace_sample_ratio, service))
