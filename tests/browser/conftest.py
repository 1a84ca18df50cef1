"""A browser per module, a fresh context per test that watches for anything a page must not do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests are imported without packages

from chromium import chromium
from serving import Served, served

#: Complaints that tests bring about: being offline, being refused.
_WANTED = ("net::ERR_INTERNET_DISCONNECTED", "429", "422")
NewPage = Callable[..., Any]
_WATCH_POLICY = "document.addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective));"


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def console() -> Iterator[Served]:
    """A console with sample cases, without authentication."""
    with served() as running:
        running.hive.fill()
        yield running


@pytest.fixture
def new_page(engine: Any) -> Iterator[NewPage]:
    """Makes pages; at the end of the test none of them has complained, and no request has left the host."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def complain(message: Any) -> None:
        is_wanted = any(word in message.text for word in _WANTED)
        if message.type in ("error", "warning") and not is_wanted:
            complaints.append(message.text)

    def check_host(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            complaints.append(f"request to {request.url}")

    def make(width: int = 1440, height: int = 900, **chosen: Any) -> Any:
        context = engine.new_context(viewport={"width": width, "height": height}, **{"locale": "en", **chosen})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(_WATCH_POLICY)
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", check_host)
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []
