"""Everything that observes one process, put together."""

from __future__ import annotations

from neural_hive.observability.arrivals import ARRIVAL, Answered, Arrival, loggable_id
from neural_hive.observability.logs import log_listener
from neural_hive.observability.metrics import Metrics
from neural_hive.observability.observer import Listeners, Observer
from neural_hive.observability.traces import Traces, open_traces

#: Asked every few seconds by machines; tracing them would only bury the rest.
_UNTRACED = frozenset({"/health", "/ready", "/metrics"})


class Observing:
    """Logs, metrics and traces of one process."""

    def __init__(self, traces: Traces | None = None) -> None:
        self.metrics = Metrics()
        self._traces = traces
        chosen: list[Observer | None] = [self.metrics, log_listener(), traces]
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
        is_traced = self._traces is not None and path not in _UNTRACED
        arrival = self._traces.arrived(own_id, trace) if self._traces and is_traced else Arrival(own_id, trace)
        ARRIVAL.set(arrival)
        return arrival.trace

    def answered(self, answered: Answered) -> None:
        """The request of this task was answered."""
        self.listeners.on_answered(answered)

    def metrics_text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        self.metrics.set_failures(self.listeners.n_failures.items())
        return self.metrics.text()

    async def close(self) -> None:
        """Send what waits to be sent."""
        if self._traces is not None:
            await self._traces.close()


def observe(otlp_endpoint: str = "", trace_sample_ratio: float = 0.0, service: str = "hive") -> Observing:
    """What observes this process. Logs are as `configure_logs` left them.

    Raises:
        ConfigurationError: traces are wanted and cannot be sent.
    """
    return Observing(open_traces(otlp_endpoint, trace_sample_ratio, service) if otlp_endpoint else None)
