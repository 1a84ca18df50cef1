"""The table of metrics, and that exactly these are emitted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from neural_hive.contracts import Event, EventType, Transcript
from neural_hive.observability.arrivals import Answered
from neural_hive.observability.instruments import MAX_CHILDREN, Families
from neural_hive.observability.metric_table import PROCESS, SCORES, TABLE, Kind, Label, Row
from neural_hive.observability.metrics import Metrics
from neural_hive.observability.observing import Observing
from neural_hive.observability.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def answered(status: int = 201, problem: str = "", route: str = "/api/v1/intents") -> Answered:
    return Answered("POST", route, status, 0.004, "r", "", problem)


def heard() -> Transcript:
    return Transcript(
        text="a",
        has_speech=True,
        language="pt",
        language_probability=1,
        duration_s=4,
        compute_s=0.1,
        confidence=1,
        avg_logprob=-0.1,
    )


@pytest.fixture
def emitted(make_case: Callable[..., Any], make_opinion: Callable[..., Any], make_understanding: Callable[..., Any]) -> str:
    """What a process emits that has seen everything once."""
    observing, case = Observing(), make_case(guardrails=("destroys-production",))
    listeners, metrics = observing.listeners, observing.metrics
    listeners.on_accepted(case, 0.002)
    listeners.on_resumed(case)
    listeners.on_understood(case.id, make_understanding(language="fi", reasons=("too_vague",)), 0.001)
    listeners.on_opinion(case.id, make_opinion(), 0.0002)
    listeners.on_silence(case.id, "business", "timeout", 1.5)
    listeners.on_decided(case, 0.004)
    listeners.on_reviewed(case)
    listeners.on_failed(case.id, "outbox", OSError())
    listeners.on_published([Event(id="e", type=EventType.DECIDED, tenant="t", case_id="c", at=case.decided_at)], 0.001)
    listeners.on_heard(heard())
    listeners.on_answered(answered())
    listeners.on_answered(answered(429, "rate-limited"))
    listeners.on_answered(answered(0))
    metrics.judged("technical", 0.0001)
    metrics.set_depths(understanding=1, background=2, outbox=3, filing=4)
    metrics.set_unfiled(0)
    metrics.set_breakers({"technical": "closed", "business": "open"})
    metrics.set_models({"technical": "abc"})
    return observing.metrics_text().decode()


def test_exactly_the_metrics_of_the_table_are_emitted(emitted: str) -> None:
    families = {family.name for family in text_string_to_metric_families(emitted) if family.samples}
    table = {f"hive_{row.name}".removesuffix("_total") for row in TABLE}
    process = {name.removesuffix("_total") for name, _, _ in PROCESS} if sys.platform == "linux" else set()
    assert families == table | process


def test_kinds_labels_and_listed_values_are_those_of_the_table(emitted: str) -> None:
    rows = {f"hive_{row.name}".removesuffix("_total"): row for row in TABLE}
    for family in text_string_to_metric_families(emitted):
        row = rows.get(family.name)
        if row is None:
            continue
        assert family.type == row.kind
        assert family.documentation == row.meaning
        known = {label.name: label.values for label in row.labels}
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(known)
            assert all(not known[n] or v in {*known[n], "other"} for n, v in sample.labels.items() if n != "le")


@pytest.mark.parametrize(
    "line",
    [
        'hive_understanding_status_total{language="other",status="understood"} 1.0',
        'hive_http_requests_total{method="POST",route="/api/v1/intents",status="2xx"} 1.0',
        'hive_http_requests_total{method="POST",route="/api/v1/intents",status="gone"} 1.0',
        'hive_refusals_total{code="rate-limited"} 1.0',
        'hive_reviews_total{outcome="needs_review",verdict="rejected"} 1.0',
        'hive_breaker_state{specialist="business",state="open"} 1.0',
        'hive_breaker_state{specialist="business",state="closed"} 0.0',
        'hive_transcription_real_time_factor_bucket{le="0.05"} 1.0',
        'hive_transcription_real_time_factor_bucket{le="0.02"} 0.0',
        'hive_decisions_total{degraded="true",outcome="rejected"} 0.0',
        'hive_queue_depth{queue="outbox"} 3.0',
    ],
)
def test_what_was_seen_is_what_is_told(emitted: str, line: str) -> None:
    assert line in emitted.splitlines()


def test_histograms_are_written_as_prometheus_client_writes_its_own() -> None:
    registry, theirs = CollectorRegistry(), CollectorRegistry()
    families = Families([Row("scores", Kind.HISTOGRAM, "Scores.", (Label("who"),), SCORES)])
    registry.register(families)
    histogram = Histogram("hive_scores", "Scores.", ["who"], buckets=SCORES, registry=theirs)
    for value in (0.0, 0.05, 0.1, 0.10001, 0.5, 1.0, 1.5):
        families["scores"].of("a").observe(value)
        histogram.labels("a").observe(value)
    ours = generate_latest(registry).decode().splitlines()
    assert ours == [line for line in generate_latest(theirs).decode().splitlines() if "_created" not in line]


def test_series_from_outside_cannot_grow_without_end() -> None:
    metrics = Metrics()
    for number in range(3 * MAX_CHILDREN):
        metrics.on_answered(answered(route=f"/{number}"))
        metrics.on_silence("c", f"specialist-{number}", f"reason-{number}", 0.1)
    assert metrics.text().decode().count("hive_http_requests_total{") <= MAX_CHILDREN + 1
    assert metrics.text().decode().count("hive_specialist_failures_total{") <= MAX_CHILDREN + 1


def test_a_routes_failures_are_there_at_zero_before_the_first_one() -> None:
    metrics = Metrics()
    metrics.on_answered(answered())
    assert 'hive_http_requests_total{method="POST",route="/api/v1/intents",status="5xx"} 0.0' in metrics.text().decode()


def test_a_depth_that_is_not_known_now_is_not_shown() -> None:
    metrics = Metrics()
    metrics.set_depths(understanding=1, outbox=2)
    metrics.set_depths(understanding=1)
    assert 'queue="outbox"' not in metrics.text().decode()


def test_the_reference_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "run: python -m neural_hive.observability.reference > docs/reference/metrics.md"
    )


def test_names_and_labels_are_prometheus_style() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    for row in TABLE:
        assert row.name.endswith("_total") == (row.kind is Kind.COUNTER), row.name
        assert bool(row.buckets) == (row.kind is Kind.HISTOGRAM), row.name
        assert all(label.values or label.bounded_by for label in row.labels), row.name
        assert list(row.buckets) == sorted(row.buckets)
