"""Limits that are really enforced: requests per caller, intents at once."""

import asyncio
from typing import Any

import pytest

from neural_hive.errors import StorageError
from neural_hive.gateway.limits import RateLimiter
from neural_hive.gateway.refusals import RateLimitedError
from neural_hive.storage.cache.memory import MemoryCache

TEXT = {"text": "Apagar as contas"}


class Clock:
    """Seconds that a test turns."""

    def __init__(self) -> None:
        self.now_s = 600.0

    def __call__(self) -> float:
        return self.now_s


class BrokenCache(MemoryCache):
    """A cache that is away."""

    async def increment(self, key: str, ttl_s: float) -> int:
        raise StorageError


async def take(limiter: RateLimiter, n: int, caller: str = "ana") -> int:
    """How many of `n` requests get through."""
    n_taken = 0
    for _ in range(n):
        try:
            await limiter.take(caller)
        except RateLimitedError:
            continue
        n_taken += 1
    return n_taken


async def test_a_caller_gets_what_the_limit_says_and_not_more() -> None:
    limiter = RateLimiter(MemoryCache(), 5, Clock())
    assert await take(limiter, 9) == 5


async def test_callers_do_not_use_up_each_others_requests() -> None:
    limiter = RateLimiter(MemoryCache(), 5, Clock())
    assert (await take(limiter, 9, "ana"), await take(limiter, 9, "bo")) == (5, 5)


async def test_the_last_minute_fades_instead_of_ending() -> None:
    clock = Clock()
    limiter = RateLimiter(MemoryCache(clock=clock), 10, clock)
    await take(limiter, 20)
    clock.now_s += 60 + 30
    assert await take(limiter, 20) == 5
    clock.now_s += 60 * 2
    assert await take(limiter, 20) == 10


async def test_without_a_cache_the_process_counts_for_itself() -> None:
    limiter = RateLimiter(BrokenCache(), 5, Clock())
    assert await take(limiter, 9) == 5


async def test_the_one_too_many_is_told_when_to_come_back(gateway: Any) -> None:
    hive, client = gateway(rate_limit_per_minute=2)
    first = await client.post("/api/v1/intents", json=TEXT)
    await client.post("/api/v1/intents", json=TEXT)
    refused = await client.post("/api/v1/intents", json=TEXT)
    assert first.headers["ratelimit-policy"] == '"default";q=2;w=60'
    assert first.headers["ratelimit"].startswith('"default";r=1;t=')
    assert (refused.status_code, refused.json()["type"]) == (429, "urn:neural-hive:problem:rate-limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert len(hive.asks) == 2


async def test_probes_are_never_limited(gateway: Any) -> None:
    _, client = gateway(rate_limit_per_minute=1)
    answers = [await client.get("/health") for _ in range(5)]
    assert {a.status_code for a in answers} == {200}


async def test_guessing_tokens_is_limited_too(gateway: Any) -> None:
    _, client = gateway(rate_limit_per_minute=3, auth_tokens="alpha=acme")
    answers = [await client.get("/api/v1/intents", headers={"Authorization": f"Bearer {n}"}) for n in range(5)]
    assert [a.status_code for a in answers] == [401, 401, 401, 429, 429]


async def test_zero_is_no_limit(gateway: Any) -> None:
    _, client = gateway(rate_limit_per_minute=0)
    assert "ratelimit" not in (await client.get("/api/v1/intents")).headers


async def test_more_intents_at_once_than_allowed_are_shed_and_the_rest_goes_on(gateway: Any) -> None:
    hive, client = gateway(max_in_flight=2)
    hive.hold = asyncio.Event()
    waiting = [asyncio.create_task(client.post("/api/v1/intents", json=TEXT)) for _ in range(2)]
    await hive.has_asked(2)
    shed = await client.post("/api/v1/intents", json=TEXT)
    alive = await client.get("/health")
    hive.hold.set()
    answers = await asyncio.gather(*waiting)
    assert (shed.status_code, shed.headers["retry-after"], alive.status_code) == (429, "1", 200)
    assert [a.status_code for a in answers] == [201, 201]


@pytest.mark.parametrize("error", [StorageError(), RuntimeError()])
async def test_a_failed_intent_gives_its_place_back(gateway: Any, error: Exception) -> None:
    hive, client = gateway(max_in_flight=1)
    hive.error = error
    assert (await client.post("/api/v1/intents", json=TEXT)).status_code >= 500
    hive.error = None
    assert (await client.post("/api/v1/intents", json=TEXT)).status_code == 201
