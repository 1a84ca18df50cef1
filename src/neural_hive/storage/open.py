"""Which product a storage URL chooses: one table, and the products loaded only when they are chosen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from neural_hive.errors import ConfigurationError
from neural_hive.ports import Cache, EventBus, KnowledgeGraph, Ledger, ModelRegistry, Outbox
from neural_hive.storage.resources import Resources
from neural_hive.storage.urls import mask, scheme


class LedgerWithOutbox(Ledger, Outbox, Protocol):
    """What every ledger product is: the record, and its events that wait to be published."""


@dataclass(frozen=True, slots=True)
class Product:
    """How a scheme is opened. target: "module:attribute" below `neural_hive.storage`. extra: what to install for it."""

    target: str
    extra: str = ""


#: Role → scheme → product. The attribute is called with the URL and the shared resources and gives a context manager.
PRODUCTS: dict[str, dict[str, Product]] = {
    "ledger": {
        "sqlite": Product("ledger.sqlite:open_sqlite_ledger"),
        "mongodb": Product("ledger.mongodb:open_mongodb_ledger", "mongodb"),
        "mongodb+srv": Product("ledger.mongodb:open_mongodb_ledger", "mongodb"),
    },
    "graph": {
        "sqlite": Product("graph.sqlite:open_sqlite_graph"),
        "neo4j": Product("graph.neo4j:open_neo4j_graph", "neo4j"),
        "neo4j+s": Product("graph.neo4j:open_neo4j_graph", "neo4j"),
        "bolt": Product("graph.neo4j:open_neo4j_graph", "neo4j"),
    },
    "cache": {
        "memory": Product("cache.memory:open_memory_cache"),
        "redis": Product("cache.redis:open_redis_cache", "redis"),
        "rediss": Product("cache.redis:open_redis_cache", "redis"),
    },
    "bus": {
        "sqlite": Product("bus.sqlite:open_sqlite_bus"),
        "kafka": Product("bus.kafka:open_kafka_bus", "kafka"),
    },
    "models": {
        "bundled": Product("models.bundled:open_bundled_models"),
        "mlflow+http": Product("models.mlflow:open_mlflow_models", "mlflow"),
        "mlflow+https": Product("models.mlflow:open_mlflow_models", "mlflow"),
    },
}


class Storage:
    """Opens products by URL; what it opened is closed by `open_storage`."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def ledger(self, url: str, setting: str = "HIVE_LEDGER_URL") -> LedgerWithOutbox:
        """The ledger and its outbox. Raises ConfigurationError for a wrong URL, StorageError if it cannot be opened."""
        opened: LedgerWithOutbox = await self._open("ledger", url, setting)
        return opened

    async def graph(self, url: str, setting: str = "HIVE_GRAPH_URL") -> KnowledgeGraph:
        """The knowledge graph; raises as `ledger`."""
        opened: KnowledgeGraph = await self._open("graph", url, setting)
        return opened

    async def cache(self, url: str, setting: str = "HIVE_CACHE_URL") -> Cache:
        """The cache; raises as `ledger`."""
        opened: Cache = await self._open("cache", url, setting)
        return opened

    async def bus(self, url: str, setting: str = "HIVE_BUS_URL") -> EventBus:
        """The event bus; raises as `ledger`."""
        opened: EventBus = await self._open("bus", url, setting)
        return opened

    async def models(self, url: str, setting: str = "HIVE_MODELS_URL") -> ModelRegistry:
        """The model registry; raises as `ledger`."""
        opened: ModelRegistry = await self._open("models", url, setting)
        return opened

    async def _open(self, role: str, url: str, setting: str) -> Any:
        opener = find_opener(role, url, setting)
        return await self._resources.once(f"{role}:{url}", lambda: opener(url, self._resources))


@asynccontextmanager
async def open_storage() -> AsyncIterator[Storage]:
    """Open products inside the block; all are closed at its end, in reverse order."""
    async with Resources() as resources:
        yield Storage(resources)


def find_opener(role: str, url: str, setting: str) -> Callable[[str, Resources], AbstractAsyncContextManager[Any]]:
    """The function that opens `url` for `role`.

    Raises:
        ConfigurationError: no product has this scheme, or its extra is not installed. The message names the setting.
    """
    products = PRODUCTS[role]
    product = products.get(scheme(url, setting))
    if product is None:
        known = ", ".join(f"{name}://" for name in products)
        raise ConfigurationError(f"{setting}: {mask(url)!r} is of no known product; use one of {known}.")
    module, attribute = product.target.split(":")
    try:
        opener: Callable[[str, Resources], AbstractAsyncContextManager[Any]] = getattr(
            import_module(f"neural_hive.storage.{module}"), attribute
        )
    except ModuleNotFoundError as error:
        advice = f"pip install 'neural-hive-mind[{product.extra}]'" if product.extra else "reinstall the package"
        raise ConfigurationError(f"{setting}: {error.name} is missing; to use {mask(url)!r}: {advice}.") from error
    return opener
