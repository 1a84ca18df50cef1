"""A hive's metrics, read back from Prometheus' text format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import inf
from typing import TypedDict


class Times(TypedDict):
    """What a histogram of seconds tells. n: measurements; times in milliseconds, None without measurements."""

    n: float
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None


class Readings:
    """Samples by name. Names are without the prefix `hive_`."""

    def __init__(self, text: str) -> None:
        """text: Prometheus' text format."""
        from prometheus_client.parser import text_string_to_metric_families

        self._samples: defaultdict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples[sample.name.removeprefix("hive_")].append((sample.labels, sample.value))

    def sum(self, name: str, **labels: str) -> float:
        """Sum of all series with these labels; 0 without any."""
        return sum((value for known, value in self._samples[name] if labels.items() <= known.items()), 0.0)

    def by(self, name: str, label: str) -> dict[str, float]:
        """Sums by the values of one label."""
        found: defaultdict[str, float] = defaultdict(float)
        for known, value in self._samples[name]:
            found[known.get(label, "")] += value
        return dict(found)

    def times(self, histogram: str, **labels: str) -> Times:
        """Count, mean and quantiles of a histogram of seconds."""
        n, total_s = self.sum(f"{histogram}_count", **labels), self.sum(f"{histogram}_sum", **labels)
        buckets: defaultdict[float, float] = defaultdict(float)
        for known, value in self._samples[f"{histogram}_bucket"]:
            if labels.items() <= known.items():
                buckets[float(known["le"])] += value
        ordered = sorted(buckets.items())
        p50, p95 = (None if (s := quantile(ordered, q)) is None else round(1e3 * s, 3) for q in (0.5, 0.95))
        return Times(n=n, mean_ms=round(1e3 * total_s / n, 3) if n else None, p50_ms=p50, p95_ms=p95)


def quantile(buckets: Sequence[tuple[float, float]], q: float) -> float | None:
    """The `q`-quantile of a histogram, linear within a bucket; the last finite limit if it lies above; None if empty.

    Args:
        buckets: (upper limit, cumulative count), ascending, the last limit infinite.
        q: in [0, 1].

    Source: `histogram_quantile` of Prometheus.
    """
    if not buckets or buckets[-1][1] == 0:
        return None
    rank = q * buckets[-1][1]
    lower, below = 0.0, 0.0
    for upper, count in buckets:
        if count >= rank:
            return lower if upper == inf else lower + (upper - lower) * (rank - below) / max(count - below, 1e-9)
        lower, below = upper, count
    return lower
