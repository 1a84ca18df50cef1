"""The metrics' reference page, written from the table: `python -m neural_hive.observability.reference`."""

from __future__ import annotations

import sys

from neural_hive.observability.metric_table import PROCESS, TABLE, Label, Row

_HEAD = """# Metrics

<!-- Written by `python -m neural_hive.observability.reference`; a test fails when it is not current. -->

`GET /metrics` on every service, in Prometheus' text format. Every metric is here, and a test fails on one that is not
emitted. A histogram `x` is three series: `x_bucket{le}`, `x_sum` and `x_count`. A label says `other` for a value that it
does not list, so that nobody outside can make new series.
"""


def reference() -> str:
    """The page, Markdown."""
    parts = [_HEAD, "| metric | kind | meaning | labels |", "|---|---|---|---|"]
    parts += [_line(row) for row in TABLE]
    parts += ["", "## Buckets", "", "| histogram | upper limits |", "|---|---|"]
    parts += [f"| `hive_{row.name}` | {', '.join(f'{b:g}' for b in row.buckets)} |" for row in TABLE if row.buckets]
    parts += ["", "## The process", "", "On Linux only.", "", "| metric | kind | meaning |", "|---|---|---|"]
    parts += [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in PROCESS]
    return "\n".join(parts) + "\n"


def _line(row: Row) -> str:
    return f"| `hive_{row.name}` | {row.kind} | {row.meaning} | {'; '.join(map(_label, row.labels))} |"


def _label(label: Label) -> str:
    said = ", ".join(f"`{value}`" for value in label.values) if label.values else label.bounded_by
    return f"`{label.name}`: {said}"


if __name__ == "__main__":
    sys.stdout.write(reference())
