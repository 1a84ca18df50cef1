"""The memory cache forgets what is old and what is least used, by a clock that tests can move."""

from __future__ import annotations

from neural_hive.storage.cache.memory import MemoryCache


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_value_lives_until_its_time_is_over() -> None:
    clock = Clock()
    cache = MemoryCache(clock=clock)
    await cache.set("a", b"1", 10.0)
    clock.now = 9.9
    assert await cache.get("a") == b"1"
    clock.now = 10.0
    assert await cache.get("a") is None


async def test_the_least_recently_used_value_goes_first() -> None:
    cache = MemoryCache(max_values=2)
    await cache.set("a", b"1", 10.0)
    await cache.set("b", b"2", 10.0)
    await cache.get("a")
    await cache.set("c", b"3", 10.0)
    assert [await cache.get(key) for key in "abc"] == [b"1", None, b"3"]


async def test_counting_does_not_lengthen_a_life() -> None:
    clock = Clock()
    cache = MemoryCache(clock=clock)
    await cache.increment("hits", 10.0)
    clock.now = 9.0
    assert await cache.increment("hits", 10.0) == 2
    clock.now = 10.0
    assert await cache.increment("hits", 10.0) == 1
