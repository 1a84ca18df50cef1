"""The cache on Redis: shared by all processes of a hive. What it loses costs time, never correctness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from neural_hive.errors import ConfigurationError
from neural_hive.storage.faults import Faults
from neural_hive.storage.resources import Resources
from neural_hive.storage.urls import mask

SETTING = "HIVE_CACHE_URL"
#: Longest that one command may take, connecting included, in seconds: whoever waits for a cache has a deadline.
TIMEOUT_S = 0.5
#: After a command that got no answer in time, others fail at once for so long, in seconds: they would only wait as well.
REST_S = 1.0
#: Connections at most; further commands wait for one, no longer than the timeout.
MAX_CONNECTIONS = 32
#: Every key starts with this and a colon, unless the URL names another prefix, so that hives can share a Redis.
PREFIX = "hive"

#: One step on the server, so that no counter is ever without an end.
_INCREMENT = """
local count = redis.call('INCR', KEYS[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
"""
_TOO_SLOW = "it does not answer in time; check that it runs, is not overloaded, and redis:// or rediss://"
_UNREACHABLE = "it cannot be reached; check that it runs, the host, the port, and redis:// or rediss://"
_FAULTS = (
    (exceptions.AuthenticationError, "the user name or password is not accepted; correct the URL"),
    (exceptions.AuthorizationError, "this user may not connect; correct the URL or the server's access list"),
    (exceptions.NoPermissionError, "this user may not use the commands that the hive needs; correct the access list"),
    (exceptions.ReadOnlyError, "it is a read-only replica; name the primary"),
    (exceptions.OutOfMemoryError, "it is out of memory; raise maxmemory or set an eviction policy"),
    (exceptions.BusyLoadingError, "it is still loading its data; try again shortly"),
    (exceptions.TimeoutError, _TOO_SLOW),
    (TimeoutError, _TOO_SLOW),
    (exceptions.ConnectionError, _UNREACHABLE),
    (exceptions.ResponseError, "it refused a command; check that it is Redis 6 or later and what it needs to log in"),
    (exceptions.RedisError, ""),
)


class RedisCache:
    """Implements `Cache` for any number of processes."""

    def __init__(self, client: Redis, prefix: str = PREFIX, faults: Faults | None = None) -> None:
        """`client` answers with bytes; whoever opened it closes it."""
        self._client = client
        self._prefix = f"{prefix}:"
        self._faults = faults or Faults(SETTING, "redis://", _FAULTS)
        self._rests_until_s = 0.0

    @asynccontextmanager
    async def _used(self) -> AsyncIterator[None]:
        """One command in time, errors in the hive's words; none while the server is left alone after one that it did not answer."""
        now_s = asyncio.get_running_loop().time
        if now_s() < self._rests_until_s:
            raise self._faults.error(TimeoutError())
        with self._faults.translated():
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    yield
            except (exceptions.TimeoutError, TimeoutError):
                self._rests_until_s = now_s() + REST_S
                raise

    async def get(self, key: str) -> bytes | None:
        """See `Cache.get`."""
        async with self._used():
            return cast(bytes | None, await self._client.get(self._prefix + key))

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        """See `Cache.set`."""
        ttl_ms = _milliseconds(ttl_s)
        async with self._used():
            if ttl_ms > 0:
                await self._client.set(self._prefix + key, value, px=ttl_ms)
            else:
                await self._client.delete(self._prefix + key)

    async def delete(self, key: str) -> None:
        """See `Cache.delete`."""
        async with self._used():
            await self._client.delete(self._prefix + key)

    async def increment(self, key: str, ttl_s: float) -> int:
        """See `Cache.increment`. A retry after an error may count twice."""
        arguments = (self._prefix + key, str(max(1, _milliseconds(ttl_s))))
        async with self._used():
            return int(await cast(Awaitable[int], self._client.eval(_INCREMENT, 1, *arguments)))

    async def ping(self) -> None:
        """See `Cache.ping`; writes, because a replica or a full server answers pings too."""
        async with self._used():
            await self._client.set(f"{self._prefix}ping", b"1", px=1000)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


@asynccontextmanager
async def open_redis_cache(url: str, _resources: Resources | None = None) -> AsyncIterator[RedisCache]:
    """A cache on the Redis of a `redis://` or `rediss://` URL; connects when it is first used.

    Options of the URL: `prefix`, and those of the driver, such as `ssl_ca_certs`.

    Raises:
        ConfigurationError: the URL or one of its options is not valid.
    """
    parts = urlsplit(url.strip())
    options = dict(parse_qsl(parts.query))
    prefix = options.pop("prefix", PREFIX)
    client = _client(urlunsplit(parts._replace(query=urlencode(options))))
    try:
        yield RedisCache(client, prefix, Faults(SETTING, url, _FAULTS))
    finally:
        await client.aclose()


def _client(url: str) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # a connection that the server closed while it was idle is no error; an answer that does not come is not asked for twice
            retry=Retry(NoBackoff(), 1, supported_errors=(exceptions.ConnectionError,)),
            decode_responses=False,
        )
        pool.connection_class(**pool.connection_kwargs)  # connects to nothing, but refuses options that it does not know
        return Redis.from_pool(pool)
    except (ValueError, TypeError) as error:
        form = "redis[s]://[user:password@]host[:port][/database][?prefix=…]"
        raise ConfigurationError(f"{SETTING}: {mask(url)!r} is not {form}.") from error
