"""The Redis cache beside a server that has stopped to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from neural_hive.errors import StorageError
from neural_hive.storage.open import open_storage


class Mute:
    """Accepts connections and reads, and says nothing."""

    def __init__(self) -> None:
        self.n_commands, self.port = 0, 0
        self._connections: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.append(writer)
        while await reader.read(65_536):
            self.n_commands += 1

    def hang_up(self) -> None:
        for connection in self._connections:
            connection.close()


@pytest.fixture
async def mute(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mute]:
    monkeypatch.setattr("neural_hive.storage.cache.redis.TIMEOUT_S", 0.05)
    found = Mute()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    found.hang_up()
    server.close()
    await server.wait_closed()


async def test_after_one_command_without_an_answer_the_next_does_not_wait(mute: Mute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neural_hive.storage.cache.redis.REST_S", 3600.0)
    async with open_storage() as storage:
        cache = await storage.cache(f"redis://127.0.0.1:{mute.port}/0")
        with pytest.raises(StorageError, match="HIVE_CACHE_URL"):
            await cache.get("key")
        n_asked = mute.n_commands
        assert n_asked > 0
        for _ in range(3):
            with pytest.raises(StorageError, match="does not answer in time"):
                await cache.increment("key", 60.0)
        assert mute.n_commands == n_asked


async def test_after_its_rest_the_server_is_asked_again(mute: Mute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neural_hive.storage.cache.redis.REST_S", 0.0)
    async with open_storage() as storage:
        cache = await storage.cache(f"redis://127.0.0.1:{mute.port}/0")
        with pytest.raises(StorageError):
            await cache.get("key")
        n_asked = mute.n_commands
        with pytest.raises(StorageError):
            await cache.get("key")
        assert mute.n_commands > n_asked
