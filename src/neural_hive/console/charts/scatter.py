"""Risk × confidence: where each specialist stands."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from neural_hive.console.charts.dial import BANDS
from neural_hive.console.charts.svg import element, label, picture
from neural_hive.console.wording import Wording
from neural_hive.contracts import Opinion

_WIDTH, _HEIGHT = 340.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 322.0, 8.0, 256.0
#: Least distance between two names, in units of the drawing.
_LINE = 15.0


def risk_and_confidence(opinions: Sequence[Opinion], t: Wording) -> Markup:
    """One point per opinion: confidence to the right, risk upwards, with the bands of risk behind."""
    order = sorted(opinions, key=lambda o: -o.risk)
    heights = spread([_y(o.risk) + 4 for o in order], _LINE, _TOP + 8, _BOTTOM - 2)
    points = [_point(o, y, t) for o, y in zip(order, heights, strict=True)]
    return picture(_WIDTH, _HEIGHT, t("chart.title"), *_bands(t), *_axes(t), *points, class_="scatter")


def spread(wanted: Sequence[float], distance: float, first: float, last: float) -> list[float]:
    """Places near the wanted ones (ascending), at least `distance` apart, within [first, last] as far as they fit."""
    placed: list[float] = []
    for y in wanted:
        placed.append(max(y, placed[-1] + distance if placed else first))
    end = last
    for n in range(len(placed) - 1, -1, -1):
        placed[n] = min(placed[n], end)
        end = placed[n] - distance
    return placed


def _x(confidence: float) -> float:
    return _LEFT + confidence * (_RIGHT - _LEFT)


def _y(risk: float) -> float:
    return _BOTTOM - risk * (_BOTTOM - _TOP)


def _bands(t: Wording) -> list[Markup]:
    shapes: list[Markup] = []
    start = 0.0
    for name, end in BANDS:
        height = _y(start) - _y(end)
        shapes.append(element("rect", x=_LEFT, y=_y(end), width=_RIGHT - _LEFT, height=height, class_=f"area {name}"))
        shapes.append(label(_LEFT + 6, _y(end) + 13, t.name("band", name), "band-name", "start"))
        start = end
    return shapes


def _axes(t: Wording) -> list[Markup]:
    marks = [label(_LEFT - 6, _y(v) + 4, t.score(v), "tick", "end") for v in (0.0, 0.4, 0.7, 0.9)]
    marks += [label(_x(v), _BOTTOM + 17, t.score(v), "tick") for v in (0.0, 0.5, 1.0)]
    marks.append(label((_LEFT + _RIGHT) / 2, _BOTTOM + 36, t("chart.confidence"), "axis"))
    middle = (_TOP + _BOTTOM) / 2
    turn = f"rotate(-90 12 {middle:g})"
    turned = element("text", t("chart.risk"), x=12, y=middle, class_="axis", text_anchor="middle", transform=turn)
    return [*marks, turned, element("line", x1=_LEFT, y1=_BOTTOM, x2=_RIGHT, y2=_BOTTOM, class_="rule")]


def _point(opinion: Opinion, text_y: float, t: Wording) -> Markup:
    x, y = _x(opinion.confidence), _y(opinion.risk)
    is_left = opinion.confidence < 0.6
    text_x, anchor = (x + 16, "start") if is_left else (x - 16, "end")
    return element(
        "g",
        element("line", x1=x, y1=y, x2=text_x + (-3 if is_left else 3), y2=text_y - 4, class_="lead"),
        element("circle", cx=x, cy=y, r=6, class_="point"),
        label(text_x, text_y, t.name("specialist", opinion.specialist), "point-name", anchor),
        class_=str(opinion.recommendation.value),
    )
