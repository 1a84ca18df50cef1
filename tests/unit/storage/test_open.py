"""The table of products: every target exists, and what is missing is named."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from neural_hive.errors import ConfigurationError
from neural_hive.storage.open import PRODUCTS, find_opener, open_storage


@pytest.mark.parametrize(("role", "scheme"), [(role, scheme) for role, table in PRODUCTS.items() for scheme in table])
def test_every_product_has_its_module(role: str, scheme: str) -> None:
    module = PRODUCTS[role][scheme].target.split(":")[0]
    assert find_spec(f"neural_hive.storage.{module}") is not None


@pytest.mark.parametrize("role", PRODUCTS)
def test_every_role_works_without_an_extra(role: str) -> None:
    assert any(not product.extra for product in PRODUCTS[role].values())


def test_an_unknown_product_is_refused_with_the_known_ones_and_without_secrets() -> None:
    with pytest.raises(ConfigurationError) as failure:
        find_opener("ledger", "oracle://scott:tiger@host", "HIVE_LEDGER_URL")
    message = str(failure.value)
    assert "HIVE_LEDGER_URL" in message
    assert "sqlite://" in message
    assert "tiger" not in message


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    monkeypatch.delitem(sys.modules, "neural_hive.storage.cache.redis", raising=False)
    with pytest.raises(ConfigurationError, match=r"HIVE_CACHE_URL.*neural-hive-mind\[redis\]"):
        find_opener("cache", "redis://host", "HIVE_CACHE_URL")


async def test_a_role_is_opened_once_per_url_and_roles_share_a_file() -> None:
    async with open_storage() as storage:
        url = "sqlite:///:memory:"
        ledger, graph = await storage.ledger(url), await storage.graph(url)
        assert await storage.ledger(url) is ledger
        assert ledger._database is graph._database  # type: ignore[attr-defined]
