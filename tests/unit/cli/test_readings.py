"""A hive's metrics, read back."""

from __future__ import annotations

from math import inf

import pytest

from neural_hive.cli.readings import Readings, quantile
from neural_hive.cli.status import summary
from neural_hive.observability.metrics import Metrics


def test_counts_and_times_come_back_as_they_were_measured() -> None:
    metrics = Metrics()
    for seconds in (0.0015, 0.0015, 0.0015, 0.3):
        metrics.on_silence("c", "business", "timeout", seconds)
    readings = Readings(metrics.text().decode())
    times = readings.times("opinion_seconds", specialist="business")
    assert readings.by("specialist_failures_total", "reason") == {"timeout": 4.0}
    assert (times["n"], times["mean_ms"]) == (4.0, 76.125)
    assert 1 <= (times["p50_ms"] or 0) <= 2
    assert 250 <= (times["p95_ms"] or 0) <= 500


@pytest.mark.parametrize(("q", "expected"), [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.75, 1.5), (0.9, 2.0)])
def test_quantiles_are_linear_within_a_bucket(q: float, expected: float) -> None:
    assert quantile([(1.0, 4.0), (2.0, 7.0), (inf, 8.0)], q) == pytest.approx(expected, abs=0.17)


def test_above_the_last_limit_a_quantile_is_that_limit() -> None:
    assert quantile([(1.0, 0.0), (inf, 8.0)], 0.5) == 1.0


def test_without_measurements_there_is_no_quantile() -> None:
    assert quantile([], 0.5) is None
    assert quantile([(1.0, 0.0), (inf, 0.0)], 0.5) is None


def test_a_hive_that_has_done_nothing_has_a_summary() -> None:
    found = summary("http://x", {"ready": True}, [{"name": "business"}], Readings(Metrics().text().decode()))
    assert found["times"]["decision"] == {"n": 0, "mean_ms": None, "p50_ms": None, "p95_ms": None}
    assert found["specialists"][0]["n"] == 0
