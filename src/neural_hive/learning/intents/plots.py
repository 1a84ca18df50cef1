"""Small plots as inline SVG: nothing to install, nothing to load, readable without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_SIZE, _LEFT, _TOP, _RIGHT, _BOTTOM = 300, 52, 12, 16, 46


def _x(value: float) -> float:
    return round(_LEFT + value * _SIZE, 1)


def _y(value: float) -> float:
    return round(_TOP + (1 - value) * _SIZE, 1)


def _frame(body: str, across: str, up: str, title: str) -> str:
    """A square from 0 to 100 % both ways, with its axes named."""
    ticks = "".join(
        f'<line x1="{_x(v)}" y1="{_y(0)}" x2="{_x(v)}" y2="{_y(1)}" class="grid"/>'
        f'<line x1="{_x(0)}" y1="{_y(v)}" x2="{_x(1)}" y2="{_y(v)}" class="grid"/>'
        f'<text x="{_x(v)}" y="{_y(0) + 16}" text-anchor="middle">{round(100 * v)}</text>'
        f'<text x="{_x(0) - 6}" y="{_y(v) + 4}" text-anchor="end">{round(100 * v)}</text>'
        for v in (0, 0.2, 0.4, 0.6, 0.8, 1)
    )
    width, height = _LEFT + _SIZE + _RIGHT, _TOP + _SIZE + _BOTTOM
    middle = _y(0.5)
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escape(title)}">{ticks}{body}'
        f'<text x="{_x(0.5)}" y="{height - 8}" text-anchor="middle">{escape(across)}, %</text>'
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{escape(up)}, %</text></svg>'
    )


def _line(points: Sequence[tuple[float, float]], kind: str) -> str:
    path = " ".join(f"{_x(x)},{_y(y)}" for x, y in points)
    return f'<polyline points="{path}" class="{kind}"/>'


def reliability_plot(after: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> str:
    """Confidence against accuracy; the area of a dot is the share of the rows."""
    n = max(1, sum(b["n"] for b in after))
    dots = "".join(
        f'<circle cx="{_x(b["confidence"])}" cy="{_y(b["accuracy"])}" r="{2 + 14 * (b["n"] / n) ** 0.5:.1f}" class="after">'
        f"<title>{b['n']} rows: confidence {b['confidence']:.2f}, right {b['accuracy']:.2f}</title></circle>"
        for b in after
    )
    lines = _line([(0, 0), (1, 1)], "ideal") + _line([(b["confidence"], b["accuracy"]) for b in before], "before")
    return _frame(lines + dots, "confidence", "right", "Reliability diagram")


def scope_plot(curve: Sequence[Mapping[str, float]], here: tuple[float, float]) -> str:
    """Out-of-scope recall against right and accepted, for every line the model could draw; `here` is where it does."""
    points = [(point["recall"], point["right_and_accepted"]) for point in curve]
    dot = f'<circle cx="{_x(here[0])}" cy="{_y(here[1])}" r="6" class="after"><title>the model</title></circle>'
    title = "Out-of-scope recall against accuracy in scope"
    return _frame(_line(points, "curve") + dot, "out of scope and refused", "in scope, right and accepted", title)


def bar(share: float) -> str:
    """A bar from 0 to 1 beside a number in a table."""
    width = round(120 * max(0.0, min(1.0, share)), 1)
    return f'<svg width="124" height="12" aria-hidden="true"><rect x="0" y="2" width="{width}" height="8" class="bar"/></svg>'


def confusion_plot(confusions: Sequence[Mapping[str, Any]], n_most: int = 24) -> str:
    """A grid of the labels that are mixed up most: row is the truth, column is what was said, darker is more often."""
    labels = _mixed_labels(confusions, n_most)
    place = {label: at for at, label in enumerate(labels)}
    shown = [c for c in confusions if c["label"] in place and c["taken_for"] in place]
    if not shown:
        return ""
    most, cell, side = max(c["n"] for c in shown), 20, 8 * max(map(len, labels)) + 12
    squares = "".join(
        f'<rect x="{side + cell * place[c["taken_for"]]}" y="{cell * place[c["label"]]}" width="{cell}" height="{cell}" '
        f'class="cell" fill-opacity="{0.1 + 0.5 * c["n"] / most:.2f}"><title>{escape(c["label"])} taken for '
        f"{escape(c['taken_for'])}: {c['n']}</title></rect>"
        f'<text x="{side + cell * (place[c["taken_for"]] + 0.5)}" y="{cell * place[c["label"]] + 14}" '
        f'text-anchor="middle">{c["n"]}</text>'
        for c in shown
    )
    bottom = cell * len(labels)
    names = "".join(
        f'<text x="{side - 6}" y="{cell * at + 14}" text-anchor="end">{escape(label)}</text>'
        f'<text transform="translate({side + cell * at + 14} {bottom + 6}) rotate(-90)" text-anchor="end">{escape(label)}</text>'
        for at, label in enumerate(labels)
    )
    width, height = side + cell * len(labels) + 4, bottom + side
    grid = f'<rect x="{side}" y="0" width="{cell * len(labels)}" height="{bottom}" class="empty"/>'
    label = 'role="img" aria-label="Confusions"'
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" {label}>{grid}{squares}{names}</svg>'


def _mixed_labels(confusions: Sequence[Mapping[str, Any]], n_most: int) -> list[str]:
    labels: dict[str, None] = {}
    for confusion in confusions:
        both = [confusion["label"], confusion["taken_for"]]
        if len(labels.keys() | set(both)) > n_most:
            break
        labels.update(dict.fromkeys(both))
    return sorted(labels)
