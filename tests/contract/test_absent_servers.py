"""A product that is not there, or a URL that is not one, is one clear line that names the setting and no password."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from neural_hive.errors import ConfigurationError, StorageError
from neural_hive.storage.open import open_storage

ABSENT = [
    ("ledger", "mongodb://ana:hunter2@127.0.0.1:{port}/hive", "HIVE_LEDGER_URL"),
    ("graph", "bolt://ana:hunter2@127.0.0.1:{port}", "HIVE_GRAPH_URL"),
    ("graph", "neo4j://ana:hunter2@127.0.0.1:{port}", "HIVE_GRAPH_URL"),
    ("cache", "redis://ana:hunter2@127.0.0.1:{port}/0", "HIVE_CACHE_URL"),
    ("cache", "rediss://ana:hunter2@127.0.0.1:{port}/0", "HIVE_CACHE_URL"),
    ("bus", "kafka://ana:hunter2@127.0.0.1:{port}", "HIVE_BUS_URL"),
    ("models", "mlflow+http://ana:hunter2@127.0.0.1:{port}", "HIVE_MODELS_URL"),
]
WRONG = [
    ("ledger", "mongodb://ana:hunter2@", "HIVE_LEDGER_URL"),
    ("ledger", "mongodb://ana:hunter2@host/hive?nonsense=%zz&w=x&tls=maybe", "HIVE_LEDGER_URL"),
    ("graph", "neo4j://ana:hunter2@", "HIVE_GRAPH_URL"),
    ("graph", "bolt://ana:hunter2@host:port", "HIVE_GRAPH_URL"),
    ("cache", "redis://ana:hunter2@host:port/0", "HIVE_CACHE_URL"),
    ("cache", "redis://ana:hunter2@host/0?nonsense=1", "HIVE_CACHE_URL"),
    ("bus", "kafka://ana:hunter2@host", "HIVE_BUS_URL"),
    ("bus", "kafka://ana:hunter2@host:9092?security=ssl", "HIVE_BUS_URL"),
    ("bus", "kafka://host:9092?security=ssl&ca_file=/nowhere", "HIVE_BUS_URL"),
    ("models", "mlflow+http://ana:hunter2@", "HIVE_MODELS_URL"),
    ("models", "mlflow+http://ana:hunter2@host:port", "HIVE_MODELS_URL"),
]


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def chain(error: BaseException | None) -> list[str]:
    """What is printed of an error and of what caused it."""
    return [] if error is None else [str(error), *chain(error.__cause__)]


@pytest.mark.parametrize(("role", "url", "setting"), ABSENT, ids=[url.split(":")[0] for _, url, _ in ABSENT])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_absent_server_is_told_in_time_and_without_the_password(
    closed_port: int, role: str, url: str, setting: str
) -> None:
    async with open_storage() as storage:
        opened: Any = await getattr(storage, role)(url.format(port=closed_port))
        with pytest.raises(StorageError, match=setting) as raised:
            async with asyncio.timeout(10):
                await opened.ping()
    assert not any("hunter2" in line for line in chain(raised.value))
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(("role", "url", "setting"), WRONG)
async def test_a_wrong_url_is_refused_before_anything_is_done(role: str, url: str, setting: str) -> None:
    async with open_storage() as storage:
        with pytest.raises(ConfigurationError, match=setting) as raised:
            await getattr(storage, role)(url)
    assert not any("hunter2" in line for line in chain(raised.value))
    assert len(str(raised.value).splitlines()) == 1
