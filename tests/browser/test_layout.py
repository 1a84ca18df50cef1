"""No page is wider than its screen, in any language and theme; .cache/browser/screenshots keeps what it looks like."""

from __future__ import annotations

import re
from typing import Any

import pytest
from chromium import CACHE, expect
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


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_a_very_long_text_breaks_no_page_and_does_not_hide_the_decision(console: Served, new_page: NewPage, width: int) -> None:
    page = new_page(width, 900, reduced_motion="reduce")
    page.goto(console.address)
    page.get_by_label("Your request").fill("x" * 300 + " delete it all" * 200)
    page.get_by_role("button", name="Ask the hive").click()
    page.wait_for_url(re.compile(r"/cases/[0-9a-f-]{36}$"))
    expect(page.locator("#record")).to_contain_text("Hash")
    assert page.locator(".case-head").bounding_box()["height"] < 450
    for path in ("", "cases", "reviews", "ledger", page.url.removeprefix(console.address + "/")):
        page.goto(f"{console.address}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_on_paper_nothing_is_folded_away_or_dark(console: Served, new_page: NewPage) -> None:
    page = new_page(794, 1100, color_scheme="dark")
    page.goto(f"{console.address}/cases/{max(console.hive.known)}")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("main details:not([open])").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.locator(".top")).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("main details:not([open])").count() > 0
