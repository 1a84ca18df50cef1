"""How much one caller, one body and all callers together may ask for; all of it enforced."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import structlog
from starlette.types import Message, Receive

from neural_hive.errors import OverloadedError, StorageError
from neural_hive.gateway.refusals import BodyTooLargeError, RateLimitedError
from neural_hive.ports import Cache
from neural_hive.storage.cache.memory import MemoryCache

logger = structlog.get_logger(__name__)

_WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller has left. limit: requests per window. reset_s: seconds until the window ends."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Source: draft-ietf-httpapi-ratelimit-headers-10."""
        return [
            (b"ratelimit-policy", b'"default";q=%d;w=%d' % (self.limit, _WINDOW_S)),
            (b"ratelimit", b'"default";r=%d;t=%d' % (self.remaining, self.reset_s)),
        ]


class RateLimiter:
    """A sliding window over the cache's counters: this minute's requests and the fading rest of the last minute's.

    Source: "How we built rate limiting capable of scaling to millions of domains", Cloudflare 2017. When the cache
    cannot be used, this process counts for itself and says so in the log.
    """

    def __init__(self, cache: Cache, per_minute: int, clock: Callable[[], float] = time.time) -> None:
        """per_minute: 0 is no limit. clock: Unix seconds, the same on every replica."""
        self._shared, self._own = _Counts(cache, per_minute), _Counts(MemoryCache(), per_minute)
        self._limit = per_minute
        self._clock = clock
        self._warned_window = -1

    @property
    def is_on(self) -> bool:
        """Whether anything is limited."""
        return self._limit > 0

    async def take(self, caller: str) -> Allowance:
        """Count one request.

        Raises:
            RateLimitedError: the caller is over its limit.
        """
        now = self._clock()
        window, elapsed_s = int(now // _WINDOW_S), now % _WINDOW_S
        try:
            used = await self._shared.count(caller, window, elapsed_s)
        except StorageError as error:
            self._warn(window, error)
            used = await self._own.count(caller, window, elapsed_s)
        reset_s = _WINDOW_S - int(elapsed_s)
        if used > self._limit:
            raise RateLimitedError(
                f"This caller may send {self._limit} requests a minute; wait as long as Retry-After says.",
                retry_after_s=reset_s,
            )
        return Allowance(self._limit, self._limit - int(used), reset_s)

    def _warn(self, window: int, error: StorageError) -> None:
        if self._warned_window != window:
            self._warned_window = window
            logger.warning("rate_limit_counts_locally", reason=str(error))


class _Counts:
    """Requests per caller and window in one cache. What a window that is over has counted is read once."""

    def __init__(self, cache: Cache, limit: int) -> None:
        self._cache, self._limit = cache, limit
        self._window, self._before = -1, dict[str, int]()

    async def count(self, caller: str, window: int, elapsed_s: float) -> float:
        """Count one request; how much of the limit the caller has used."""
        current = await self._cache.increment(f"rate:{caller}:{window}", 2 * _WINDOW_S)
        if window != self._window:
            self._window, self._before = window, {}
        before = self._before
        if caller not in before:
            counted = await self._cache.get(f"rate:{caller}:{window - 1}")
            before[caller] = min(int(counted), self._limit) if counted else 0
        return current + before[caller] * (1 - elapsed_s / _WINDOW_S)


class InFlight:
    """A place for each intent that is being judged; the next one is told to come back."""

    def __init__(self, limit: int, what: str = "intents are being judged") -> None:
        """what: the places, in words, for the refusal."""
        self._limit, self._what = limit, what
        self.n_taken = 0

    def __enter__(self) -> None:
        if self.n_taken >= self._limit:
            raise OverloadedError(f"{self._limit} {self._what} already; wait as long as Retry-After says.", retry_after_s=1.0)
        self.n_taken += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.n_taken -= 1


def check_length(content_length: bytes, limit_bytes: int) -> None:
    """Raises BodyTooLargeError for a declared length over the limit. The parser holds the body to what it declares."""
    if not content_length.isdigit() or int(content_length) > limit_bytes:
        raise too_large(limit_bytes)


def limited(receive: Receive, limit_bytes: int) -> Receive:
    """`receive` that raises BodyTooLargeError once a body without a declared length passes the limit."""
    n_bytes = 0

    async def counted() -> Message:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > limit_bytes:
            raise too_large(limit_bytes)
        return message

    return counted


def too_large(limit_bytes: int) -> BodyTooLargeError:
    """The refusal, with the limit in it."""
    return BodyTooLargeError(f"The body is larger than {limit_bytes} bytes; send less at once.")
