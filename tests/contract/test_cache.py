"""Every promise of `Cache`, on every product."""

from __future__ import annotations

import asyncio

from neural_hive.ports import Cache


async def test_an_absent_value_is_none(cache: Cache) -> None:
    assert await cache.get("nothing") is None


async def test_a_value_reads_back_byte_for_byte(cache: Cache) -> None:
    value = bytes(range(256))
    await cache.set("chave:ção", value, 60.0)
    assert await cache.get("chave:ção") == value


async def test_a_value_set_again_is_replaced(cache: Cache) -> None:
    await cache.set("key", b"old", 60.0)
    await cache.set("key", b"", 60.0)
    assert await cache.get("key") == b""


async def test_a_deleted_value_is_gone_and_deleting_nothing_is_fine(cache: Cache) -> None:
    await cache.set("key", b"value", 60.0)
    await cache.delete("key")
    await cache.delete("key")
    assert await cache.get("key") is None


async def test_a_value_whose_time_is_over_is_gone(cache: Cache) -> None:
    await cache.set("key", b"value", 0.001)
    async with asyncio.timeout(5):
        while await cache.get("key") is not None:
            await cache.ping()


async def test_a_counter_counts_from_one(cache: Cache) -> None:
    assert [await cache.increment("hits", 60.0) for _ in range(3)] == [1, 2, 3]


async def test_many_increments_at_once_are_all_counted(cache: Cache) -> None:
    counts = await asyncio.gather(*(cache.increment("hits", 60.0) for _ in range(16)))
    assert sorted(counts) == list(range(1, 17))


async def test_only_the_first_increment_starts_the_time_to_live(cache: Cache) -> None:
    assert await cache.increment("hits", 0.05) == 1
    async with asyncio.timeout(5):
        while await cache.increment("hits", 60.0) != 1:
            await cache.ping()


async def test_a_deleted_counter_starts_again(cache: Cache) -> None:
    await cache.increment("hits", 60.0)
    await cache.delete("hits")
    assert await cache.increment("hits", 60.0) == 1


async def test_a_cache_that_works_answers_a_ping(cache: Cache) -> None:
    await cache.ping()
