"""Counters, gauges and histograms without locks, shown to prometheus_client as a collector.

prometheus_client's own take a lock and a label lookup for every number: about five times as long. These are written by
the event loop's thread only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, product

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from neural_hive.observability.metric_table import OTHER, Kind, Label, Row

#: Most label combinations of one metric; what comes later is counted under `other`.
MAX_CHILDREN = 500


class Child:
    """One time series, or those of one histogram."""

    __slots__ = ("bounds", "counts", "value")

    def __init__(self, bounds: tuple[float, ...] = ()) -> None:
        """bounds: upper limits of a histogram's buckets, ascending."""
        self.value = 0.0
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)

    def add(self, amount: float = 1.0) -> None:
        """Count."""
        self.value += amount

    def set(self, value: float) -> None:
        """Set a gauge."""
        self.value = value

    def observe(self, value: float) -> None:
        """Put a value into its bucket."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.value += value


class Family:
    """All time series of one row of the table."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self._known = [frozenset(label.values) for label in row.labels]
        self._children: dict[tuple[str, ...], Child] = {}
        if row.kind is not Kind.GAUGE and all(label.values for label in row.labels):
            for values in product(*(label.values for label in row.labels)):
                self._children[values] = Child(row.buckets)

    def of(self, *values: str) -> Child:
        """The series with these label values; a value that its label does not list counts as `other`."""
        return self._children.get(values) or self._new(values)

    def replace(self, series: Iterable[tuple[tuple[str, ...], float]]) -> None:
        """Set a gauge's series and forget those it had."""
        self._children.clear()
        for values, value in series:
            self.of(*values).set(value)

    def _new(self, values: tuple[str, ...]) -> Child:
        listed = tuple(v if not known or v in known else OTHER for v, known in zip(values, self._known, strict=True))
        if len(self._children) >= MAX_CHILDREN:
            listed = tuple(OTHER for _ in listed)
        return self._children.setdefault(listed, Child(self.row.buckets))

    def shown(self) -> Metric:
        """The family as prometheus_client writes it."""
        labels = [label.name for label in self.row.labels]
        name = f"hive_{self.row.name}"
        if self.row.kind is Kind.HISTOGRAM:
            histogram = HistogramMetricFamily(name, self.row.meaning, labels=labels)
            for values, child in self._children.items():
                histogram.add_metric(values, buckets=_cumulative(child), sum_value=child.value)
            return histogram
        kind = CounterMetricFamily if self.row.kind is Kind.COUNTER else GaugeMetricFamily
        family: CounterMetricFamily | GaugeMetricFamily = kind(name, self.row.meaning, labels=labels)
        for values, child in self._children.items():
            family.add_metric(values, child.value)
        return family


def _cumulative(child: Child) -> Sequence[tuple[str, float]]:
    names = [*(f"{bound:g}" if bound != int(bound) else f"{bound:.1f}" for bound in child.bounds), "+Inf"]
    return list(zip(names, accumulate(child.counts), strict=True))


class Families(Collector):
    """Every row's family by name; a prometheus_client collector."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._of = {row.name: Family(row) for row in rows}

    def __getitem__(self, name: str) -> Family:
        return self._of[name]

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks for them."""
        return (family.shown() for family in self._of.values())


__all__ = ["Child", "Families", "Family", "Label"]
