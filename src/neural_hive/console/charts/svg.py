"""The few SVG elements that the charts are made of. Whatever goes in is escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Attribute = str | float | int


def element(name: str, *children: str, **attributes: Attribute) -> Markup:
    """One element. `class_` is `class`, other underscores are hyphens; numbers keep at most two decimals."""
    pairs = Markup("").join(Markup(' {}="{}"').format(_name(key), _value(value)) for key, value in attributes.items())
    return Markup("<{}{}>{}</{}>").format(Markup(name), pairs, joined(children), Markup(name))  # noqa: S704 - names are ours


def joined(children: Iterable[str]) -> Markup:
    """Children one after another; what is no markup is escaped."""
    return Markup("").join(escape(child) for child in children)


def label(x: float, y: float, text: str, class_: str = "", anchor: str = "middle") -> Markup:
    """A line of text."""
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def picture(width: float, height: float, title: str, *children: str, class_: str, interactive: bool = False) -> Markup:
    """The drawing. It is one image with a name, or a group with a name if it holds links."""
    return element(
        "svg",
        *children,
        class_=class_,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="group" if interactive else "img",
        aria_label=title,
    )


def icon(sprite: str, name: str, x: float, y: float, size: float) -> Markup:
    """A symbol of the sprite file."""
    return element("use", href=f"{sprite}#{name}", x=x, y=y, width=size, height=size)


def _name(key: str) -> str:
    return key.rstrip("_") if key in ("class_", "viewBox") else key.rstrip("_").replace("_", "-")


def _value(value: Attribute) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)
