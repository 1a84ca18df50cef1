"""Blast radius: which systems the text mentions, what directly depends on them, how many more behind."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from neural_hive.console.charts.svg import element, label, picture
from neural_hive.console.wording import Wording
from neural_hive.contracts import SystemContext

_WIDTH, _BOX, _BOX_HEIGHT, _ROW, _TOP = 640.0, 188.0, 40.0, 52.0, 30.0
#: Least height that has room for how many more stand behind, with its words.
_LEAST_HEIGHT = 150.0
_LEFT_X, _MIDDLE_X, _RIGHT_X = 4.0, 232.0, 470.0
#: Dependents drawn by name; the others are counted.
MAX_DEPENDENTS = 12
_MAX_CHARS = 24


def blast_radius(systems: Sequence[SystemContext], t: Wording) -> Markup:
    """Three layers from left to right: mentioned, directly dependent, and how many depend on those."""
    dependents = list(dict.fromkeys(name for system in systems for name in system.dependents))
    shown, hidden = dependents[:MAX_DEPENDENTS], len(dependents) - MAX_DEPENDENTS
    rows = shown + ([t("blast.more", n=t.number(hidden))] if hidden > 0 else [])
    behind = max((system.blast_radius for system in systems), default=0) - len(dependents)
    height = max(_TOP + max(len(systems), len(rows), 1) * _ROW, _LEAST_HEIGHT if behind > 0 else 0)
    left = _centred(len(systems), height)
    middle = dict(zip(rows, _centred(len(rows), height), strict=True))
    parts = _heads(t, bool(rows))
    for system, y in zip(systems, left, strict=True):
        parts += [_edge(y, middle[name]) for name in system.dependents if name in middle]
    parts += [_system(s, y, t) for s, y in zip(systems, left, strict=True)]
    parts += [_box(_MIDDLE_X, y, name, "", "dependent") for name, y in middle.items()]
    if behind > 0:
        parts += _farther(behind, height, list(middle.values()), t)
    return picture(_WIDTH, height, t("blast.title"), *parts, class_="blast")


def _centred(n: int, height: float) -> list[float]:
    start = _TOP + (height - _TOP - n * _ROW) / 2
    return [start + k * _ROW + _ROW / 2 for k in range(n)]


def _heads(t: Wording, has_dependents: bool) -> list[Markup]:
    heads = [label(_LEFT_X, 14, t("blast.mentioned"), "layer", "start")]
    if has_dependents:
        heads.append(label(_MIDDLE_X, 14, t("blast.direct"), "layer", "start"))
    return heads


def _edge(y1: float, y2: float, x1: float = _LEFT_X + _BOX, x2: float = _MIDDLE_X) -> Markup:
    bend = (x1 + x2) / 2
    curve = f"M{x1:.0f} {y1:.1f}C{bend:.0f} {y1:.1f} {bend:.0f} {y2:.1f} {x2:.0f} {y2:.1f}"
    return element("path", d=curve, class_="edge")


def _system(system: SystemContext, y: float, t: Wording) -> Markup:
    lifecycle = t.name("lifecycle", system.lifecycle) if system.lifecycle else ""
    facts = " · ".join(fact for fact in (system.owner, lifecycle) if fact)
    return _box(_LEFT_X, y, system.name, facts, "mentioned")


def _box(x: float, y: float, name: str, facts: str, class_: str) -> Markup:
    lines = [label(x + 12, y + (-2 if facts else 5), _short(name), "box-name", "start")]
    if facts:
        lines.append(label(x + 12, y + 13, _short(facts, 30), "box-facts", "start"))
    shape = element("rect", x=x, y=y - _BOX_HEIGHT / 2, width=_BOX, height=_BOX_HEIGHT, rx=8)
    return element("g", element("title", name), shape, *lines, class_=class_)


def _farther(behind: int, height: float, from_y: Sequence[float], t: Wording) -> list[Markup]:
    y = _TOP + (height - _TOP) / 2
    shape = element("circle", cx=_RIGHT_X + 60, cy=y, r=34, class_="farther")
    words = [
        label(_RIGHT_X + 60, y + 1, f"+{t.number(behind)}", "farther-n"),
        label(_RIGHT_X + 60, y + 54, t("blast.indirect"), "layer"),
    ]
    edges = [_edge(start, y, _MIDDLE_X + _BOX, _RIGHT_X + 26) for start in from_y]
    return [*edges, shape, *words]


def _short(text: str, limit: int = _MAX_CHARS) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
