"""The console on the gateway's own application, around a hive in memory; talked to without a network."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "browser"))  # the fake hive lives with the browser tests

from fake_hive import FakeHive, console_app

from neural_hive.console.wording import Wording, wording
from neural_hive.settings import Settings

OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@pytest.fixture
def t() -> Wording:
    return wording("en")


@pytest.fixture
def hive() -> FakeHive:
    hive = FakeHive(Settings())
    hive.fill()
    return hive


@pytest.fixture
def visit() -> Callable[[FakeHive], httpx2.AsyncClient]:
    def visit(hive: FakeHive) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=console_app(hive))
        return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=OWN_PAGE)

    return visit


@pytest.fixture
async def browser(hive: FakeHive, visit: Callable[[FakeHive], httpx2.AsyncClient]) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody at the console of a hive without authentication."""
    async with visit(hive) as client:
        yield client
