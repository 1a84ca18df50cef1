"""All metrics in one table, and the listener that keeps them. `docs/reference/metrics.md` is generated from the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from neural_hive.contracts import Case, Opinion, Understanding

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One row: name without prefix, kind, meaning, labels, buckets."""

    name: str
    kind: type[Counter] | type[Gauge] | type[Histogram]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


TABLE = (
    Metric("intents_accepted_total", Counter, "Intents recorded, by channel.", ("channel",)),
    Metric("decisions_total", Counter, "Decisions recorded, by outcome and whether they are degraded.", ("outcome", "degraded")),
    Metric("decision_seconds", Histogram, "From acceptance to recorded decision, in seconds.", (), _SECONDS),
    Metric("accept_seconds", Histogram, "Cleaning, masking and recording an intent, in seconds.", (), _SECONDS),
    Metric("understanding_seconds", Histogram, "Understanding a text, waiting included, in seconds.", (), _SECONDS),
    Metric("understanding_status_total", Counter, "Understandings by status and language.", ("status", "language")),
    Metric("opinion_seconds", Histogram, "One specialist's answer, in seconds.", ("specialist",), _SECONDS),
    Metric("specialist_failures_total", Counter, "Specialists that gave no usable answer, by reason.", ("specialist", "reason")),
    Metric("decision_risk", Histogram, "Risk of decisions.", (), _SCORES),
    Metric("decision_confidence", Histogram, "Confidence of decisions.", (), _SCORES),
    Metric("stage_failures_total", Counter, "Stages that failed; recovery takes the case up again.", ("stage",)),
    Metric("queue_depth", Gauge, "What waits, by queue.", ("queue",)),
)


class Metrics:
    """Keeps the metrics of one process; a `pipeline.listening.Listener`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._of: dict[str, Any] = {m.name: _make(m, self._registry) for m in TABLE}

    def on_accepted(self, case: Case, duration_s: float) -> None:
        """An intent is recorded."""
        self._of["intents_accepted_total"].labels(case.intent.channel.value).inc()
        self._of["accept_seconds"].observe(duration_s)

    def on_understood(self, case_id: str, understanding: Understanding, duration_s: float) -> None:
        """A text is understood."""
        self._of["understanding_status_total"].labels(understanding.status.value, understanding.language).inc()
        self._of["understanding_seconds"].observe(duration_s)

    def on_opinion(self, case_id: str, opinion: Opinion, duration_s: float) -> None:
        """A specialist answered."""
        self._of["opinion_seconds"].labels(opinion.specialist).observe(duration_s)

    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None:
        """A specialist gave no usable answer."""
        self._of["specialist_failures_total"].labels(specialist, reason).inc()
        self._of["opinion_seconds"].labels(specialist).observe(duration_s)

    def on_decided(self, case: Case, duration_s: float) -> None:
        """A decision is recorded."""
        self._of["decision_seconds"].observe(duration_s)
        if case.decision is not None:
            self._of["decisions_total"].labels(case.decision.outcome.value, str(case.decision.degraded).lower()).inc()
            self._of["decision_risk"].observe(case.decision.risk)
            self._of["decision_confidence"].observe(case.decision.confidence)

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """A stage failed."""
        self._of["stage_failures_total"].labels(stage).inc()

    def set_depths(self, **depths: int) -> None:
        """What waits, by queue."""
        for queue, depth in depths.items():
            self._of["queue_depth"].labels(queue).set(depth)

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)


def _make(metric: Metric, registry: CollectorRegistry) -> Any:
    name = f"hive_{metric.name}"
    if metric.kind is Histogram:
        return Histogram(name, metric.meaning, metric.labels, buckets=metric.buckets, registry=registry)
    return metric.kind(name, metric.meaning, metric.labels, registry=registry)
