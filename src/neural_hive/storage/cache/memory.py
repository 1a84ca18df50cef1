"""The cache in this process's memory: least recently used out first, each value with a time to live."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from neural_hive.storage.resources import Resources

#: Values kept at most; the least recently used goes first.
MAX_VALUES = 50_000


class MemoryCache:
    """Implements `Cache` for one process and one event loop. A counter is a value too: its decimal digits."""

    def __init__(self, max_values: int = MAX_VALUES, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds that never go backwards."""
        self._max_values = max_values
        self._clock = clock
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """See `Cache.get`."""
        found = self._live(key)
        return None if found is None else found[0]

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        """See `Cache.set`."""
        self._put(key, value, self._clock() + ttl_s)

    async def delete(self, key: str) -> None:
        """See `Cache.delete`."""
        self._values.pop(key, None)

    async def increment(self, key: str, ttl_s: float) -> int:
        """See `Cache.increment`."""
        found = self._live(key)
        count, expires_at = (int(found[0]) + 1, found[1]) if found else (1, self._clock() + ttl_s)
        self._put(key, b"%d" % count, expires_at)
        return count

    async def ping(self) -> None:
        """See `Cache.ping`; memory is always there."""

    def _live(self, key: str) -> tuple[bytes, float] | None:
        found = self._values.get(key)
        if found is None:
            return None
        if found[1] <= self._clock():
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return found

    def _put(self, key: str, value: bytes, expires_at: float) -> None:
        self._values[key] = (value, expires_at)
        self._values.move_to_end(key)
        if len(self._values) > self._max_values:
            self._values.popitem(last=False)


@asynccontextmanager
async def open_memory_cache(_url: str, _resources: Resources | None = None) -> AsyncIterator[MemoryCache]:
    """An empty cache; `memory://` has nothing to choose."""
    yield MemoryCache()
