"""No page is wider than its screen, in any language and theme; .cache/browser/screenshots keeps what it looks like."""

from __future__ import annotations

import re
from typing import Any

import pytest
from chromium import CACHE
from serving import Served

from conftest import NewPage

PAGES = ("/", "/cases", "/reviews", "/trends", "/ledger", "/hive", "/sign-in", "/cases?q=none", "case")
SMALL = "() => [...document.querySelectorAll('button, summary, select, nav a, .conditions input')]"
SMALL += ".filter(e => e.offsetParent).map(e => [e.outerHTML.slice(0, 60), e.getBoundingClientRect()])"
SMALL += ".filter(([_, box]) => box.width < 24 || box.height < 24).map(([html]) => html)"


def shoot(page: Any, console: Served, path: str, name: str) -> None:
    page.goto(console.address + (f"/cases/{max(console.hive.known)}" if path == "case" else path))
    file = re.sub(r"\W+", "-", path).strip("-") or "ask"
    page.screenshot(path=CACHE / "screenshots" / f"{file}-{name}.png", full_page=True)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["pt", "en", "es"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_pages_fit_the_screen(console: Served, new_page: NewPage, width: int, language: str, scheme: str) -> None:
    page = new_page(width, 900, color_scheme=scheme, locale=language, reduced_motion="reduce")
    for path in PAGES:
        shoot(page, console, path, f"{width}-{scheme}-{language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(SMALL) == [], path
