"""Debian's Chromium by playwright, the accessibility checker by npm, and what to do where they are not there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:  # the tests are collected all the same, so that each says why it does not run
    expect = sync_playwright = None

__all__ = ["CACHE", "axe_violations", "chromium", "expect"]

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "browser"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def unavailable(reason: str) -> NoReturn:
    """Skip, or fail where HIVE_TEST_REQUIRE names the browser."""
    if "browser" in os.environ.get("HIVE_TEST_REQUIRE", "").split(","):
        pytest.fail(f"HIVE_TEST_REQUIRE names browser, but {reason}", pytrace=False)
    pytest.skip(reason)


@contextmanager
def chromium() -> Iterator[Any]:
    """A running Chromium."""
    if sync_playwright is None:
        unavailable("playwright is not installed")
    path = os.environ.get("HIVE_TEST_CHROMIUM") or shutil.which("chromium")
    if path is None:
        unavailable("there is no chromium; install Debian's package or set HIVE_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@lru_cache(maxsize=1)
def axe_source() -> str:
    """The accessibility checker, installed once from the lock file into the cache."""
    script = CACHE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, CACHE / name)
        npm = shutil.which("npm")
        command = [npm or "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        if npm is None or subprocess.run(command, cwd=CACHE, capture_output=True).returncode:
            unavailable("axe-core could not be installed by npm")
    return script.read_text(encoding="utf-8")


def axe_violations(page: Any) -> list[str]:
    """Serious and critical violations of WCAG 2.0 to 2.2, A and AA, each with the elements."""
    page.evaluate(f"() => {{ {axe_source()} }}")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run({ runOnly: { type: 'tag', values: tags } })", tags)
    return [
        f"{v['id']}: {json.dumps([(n['target'], n['failureSummary'][:300]) for n in v['nodes'][:3]])}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
