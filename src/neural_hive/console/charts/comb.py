"""The comb: what was understood and five opinions around one decision, a hexagon each."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from neural_hive.console.charts.svg import element, icon, label, picture
from neural_hive.console.wording import Wording
from neural_hive.contracts import Case, SpecialistName, Status

#: Circumradius of a cell and the distance between the centres of two neighbours, in units of the drawing.
_RADIUS, _DISTANCE = 50.0, 92.0
_WIDTH, _HEIGHT = 272.0, 288.0
#: Characters that fit into a cell in the usual size; longer ones are written smaller.
_MAX_CHARS = 12
#: Where each cell lies around the decision, in degrees, anticlockwise from the right.
_PLACES = {
    "understanding": 90,
    SpecialistName.BUSINESS: 30,
    SpecialistName.TECHNICAL: -30,
    SpecialistName.BEHAVIOR: -90,
    SpecialistName.EVOLUTION: -150,
    SpecialistName.ARCHITECTURE: 150,
}
_STATES = {Status.UNDERSTOOD: "known", Status.AMBIGUOUS: "unsure"}


@dataclass(frozen=True, slots=True)
class _Cell:
    """name: which part of the page it leads to. state: class for its colour. value: what stands in it."""

    name: str
    title: str
    state: str
    value: str
    symbol: str


def comb(case: Case, t: Wording, sprite: str) -> Markup:
    """The comb of a case as far as it is known. sprite: address of the symbols."""
    x, y = _WIDTH / 2, _HEIGHT / 2
    cells = [_drawn(_understanding(case, t), *_around(x, y, _PLACES["understanding"]), sprite)]
    cells += [_drawn(_opinion(case, name, t), *_around(x, y, _PLACES[name]), sprite) for name in SpecialistName]
    cells.append(_drawn(_decision(case, t), x, y, sprite))
    return picture(_WIDTH, _HEIGHT, t("comb.title"), *cells, class_="comb", interactive=True)


def _around(x: float, y: float, degrees: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return x + _DISTANCE * math.cos(angle), y - _DISTANCE * math.sin(angle)


def _understanding(case: Case, t: Wording) -> _Cell:
    known = case.understanding
    if known is None:
        return _Cell("understanding", t("comb.understanding"), "pending", "…", "understanding")
    state = _STATES.get(known.status, "unknown")
    return _Cell("understanding", t("comb.understanding"), state, t.name("domain", known.domain), "understanding")


def _opinion(case: Case, name: SpecialistName, t: Wording) -> _Cell:
    title = t.name("specialist", name)
    for opinion in case.opinions:
        if opinion.specialist == name:
            return _Cell(f"opinion-{name}", title, opinion.recommendation, t.score(opinion.risk), name)
    if case.decision is not None:
        return _Cell(f"opinion-{name}", title, "missing", "–", name)
    return _Cell(f"opinion-{name}", title, "pending", "…", name)


def _decision(case: Case, t: Wording) -> _Cell:
    if case.decision is None:
        return _Cell("verdict", t("comb.decision"), "pending", "…", "hive")
    outcome = case.decision.outcome
    return _Cell("verdict", t.name("outcome_short", outcome), outcome, t.score(case.decision.risk), outcome)


def _drawn(cell: _Cell, x: float, y: float, sprite: str) -> Markup:
    angles = [math.radians(degrees) for degrees in range(0, 360, 60)]
    corners = " ".join(f"{x + _RADIUS * math.cos(a):.1f},{y + _RADIUS * math.sin(a):.1f}" for a in angles)
    name = f"{cell.title} {cell.value}"
    parts = (
        element("polygon", points=corners),
        icon(sprite, cell.symbol, x - 9, y - 31, 18),
        label(x, y + 7, cell.title, _fitted("cell-title", cell.title)),
        " ",  # keeps the two apart where the text is read and not drawn
        label(x, y + 24, cell.value, _fitted("cell-value", cell.value)),
    )
    kind = "cell centre" if cell.name == "verdict" else "cell"
    return element("a", *parts, id=f"cell-{cell.name}", href=f"#{cell.name}", class_=f"{kind} {cell.state}", aria_label=name)


def _fitted(class_: str, text: str) -> str:
    return f"{class_} long" if len(text) > _MAX_CHARS else class_
