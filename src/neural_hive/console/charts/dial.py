"""One score as a picture: a dial for the risk of a decision, a bar for everything else."""

from __future__ import annotations

import math

from markupsafe import Markup

from neural_hive.console.charts.svg import element, label, picture
from neural_hive.console.wording import Wording

#: Bands of risk: where each ends. Source: the design's section 2.
BANDS = (("low", 0.4), ("medium", 0.7), ("high", 0.9), ("critical", 1.0))
_RADIUS, _X, _Y = 70.0, 90.0, 88.0


def band(risk: float) -> str:
    """low < 0.4 ≤ medium < 0.7 ≤ high < 0.9 ≤ critical."""
    return next((name for name, end in BANDS if risk < end), "critical")


def risk_dial(risk: float, t: Wording) -> Markup:
    """A half circle with the four bands and a hand at `risk`, in [0, 1]."""
    starts = (0.0, *(end for _, end in BANDS))
    arcs = [_arc(start, end, f"band {name}") for start, (name, end) in zip(starts, BANDS, strict=False)]
    tip, left, right = _at(risk, _RADIUS - 12), _at(risk + 0.5, 4), _at(risk - 0.5, 4)
    hand = element("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in (tip, left, right)), class_="hand")
    value = label(_X, _Y + 26, t.score(risk), "dial-value")
    title = t("verdict.dial", risk=t.score(risk), band=t.name("band", band(risk)))
    hub = element("circle", cx=_X, cy=_Y, r=5, class_="hand")
    return picture(180, 120, title, *arcs, hand, hub, value, class_="dial")


def _at(share: float, radius: float) -> tuple[float, float]:
    angle = math.pi * (1 - share)
    return _X + radius * math.cos(angle), _Y - radius * math.sin(angle)


def _arc(start: float, end: float, class_: str) -> Markup:
    gap = 0.006
    (x1, y1), (x2, y2) = _at(start + gap, _RADIUS), _at(end - gap, _RADIUS)
    return element("path", d=f"M{x1:.1f} {y1:.1f}A{_RADIUS:g} {_RADIUS:g} 0 0 1 {x2:.1f} {y2:.1f}", class_=class_)


def meter(value: float, title: str, class_: str = "") -> Markup:
    """A bar filled to `value`, in [0, 1]; `title` is what a screen reader says."""
    track = element("rect", width=100, height=6, rx=3, class_="track")
    fill = element("rect", width=max(0.0, min(1.0, value)) * 100, height=6, rx=3, class_="fill")
    return element(
        "svg",
        track,
        fill,
        class_=f"meter {class_}".strip(),
        viewBox="0 0 100 6",
        preserveAspectRatio="none",
        role="img",
        aria_label=title,
    )
