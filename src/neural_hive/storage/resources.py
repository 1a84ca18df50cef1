"""What the roles of one hive share while they are open, such as one SQLite file: opened once, closed together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class Resources:
    """Things opened at most once by key, and closed in reverse order when the block ends."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._opened: dict[str, Any] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def once(self, key: str, opener: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """The thing that `key` names: opened by the first caller, shared with the next. An opener may open others."""
        async with self._locks[key]:
            if key not in self._opened:
                self._opened[key] = await self._stack.enter_async_context(opener())
        thing: T = self._opened[key]
        return thing

    async def __aenter__(self) -> Resources:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()
