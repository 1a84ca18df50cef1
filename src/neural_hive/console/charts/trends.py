"""Outcomes and mean risk over time."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from neural_hive.console.charts.svg import element, label, picture
from neural_hive.console.tallies import Tally
from neural_hive.console.wording import Wording
from neural_hive.contracts import SEVERITY_ORDER

#: The scale stands on the right, beside the newest, which is what a narrow screen shows first.
_WIDTH, _HEIGHT = 720.0, 232.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 676.0, 12.0, 204.0


def outcomes_over_time(tallies: Sequence[Tally], t: Wording) -> Markup:
    """A bar per period, stacked by outcome, most permissive at the bottom."""
    most = _top(max((tally.n for tally in tallies), default=0))
    bars = [_bar(tally, n, len(tallies), most, t) for n, tally in enumerate(tallies)]
    ticks = [_tick(share, t.number(round(share * most))) for share in _steps(most)]
    return picture(_WIDTH, _HEIGHT, t("trends.outcomes"), *ticks, *bars, *_times(tallies, t), class_="trend")


def risk_over_time(tallies: Sequence[Tally], t: Wording) -> Markup:
    """Mean risk per period as a line; periods without a decision are left out."""
    known = [(n, tally.mean_risk) for n, tally in enumerate(tallies) if tally.mean_risk is not None]
    points = [(_middle(n, len(tallies)), _height(risk)) for n, risk in known]
    line = element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_="line")
    dots = [element("circle", cx=x, cy=y, r=3.5, class_="dot") for x, y in points]
    ticks = [_tick(v, t.score(v)) for v in (0.0, 0.4, 0.7, 0.9)]
    return picture(_WIDTH, _HEIGHT, t("trends.risk"), *ticks, line, *dots, *_times(tallies, t), class_="trend")


def _top(most: int) -> int:
    """Where the scale ends: a number whose half is whole, too, where its half is shown."""
    return max(most, 1) if most < 4 else most + most % 2


def _steps(most: int) -> tuple[float, ...]:
    return (0.0, 1.0) if most < 4 else (0.0, 0.5, 1.0)


def _height(share: float) -> float:
    return _BOTTOM - share * (_BOTTOM - _TOP)


def _middle(n: int, count: int) -> float:
    return _LEFT + (n + 0.5) * (_RIGHT - _LEFT) / count


def _tick(share: float, text: str) -> Markup:
    y = _height(share)
    line = element("line", x1=_LEFT, y1=y, x2=_RIGHT, y2=y, class_="grid")
    return element("g", line, label(_RIGHT + 8, y + 4, text, "tick", "start"))


def _bar(tally: Tally, n: int, count: int, most: int, t: Wording) -> Markup:
    width = min(46.0, (_RIGHT - _LEFT) / count * 0.72)
    parts: list[Markup] = []
    below = 0
    for outcome in SEVERITY_ORDER:
        value = tally.outcomes.get(outcome, 0)
        if value:
            top, bottom = _height((below + value) / most), _height(below / most)
            x, height = _middle(n, count) - width / 2, max(bottom - top - 1, 1.0)
            parts.append(element("rect", x=x, y=top, width=width, height=height, class_=f"bar {outcome}"))
        below += value
    return element("g", element("title", _told(tally, t)), *parts) if parts else element("g")


def _told(tally: Tally, t: Wording) -> str:
    """What a bar says when it is pointed at."""
    seen = [outcome for outcome in SEVERITY_ORDER if tally.outcomes.get(outcome)]
    counts = (f"{t.name('outcome_short', outcome)} {t.number(tally.outcomes[outcome])}" for outcome in seen)
    return f"{tally.label(t)}: {', '.join(counts)}"


def _times(tallies: Sequence[Tally], t: Wording) -> list[Markup]:
    step = max(1, -(-len(tallies) // 7))
    newest = len(tallies) - 1
    shown = [(n, tally) for n, tally in enumerate(tallies) if (newest - n) % step == 0]
    return [label(_middle(n, len(tallies)), _BOTTOM + 20, tally.label(t), "tick") for n, tally in shown]
