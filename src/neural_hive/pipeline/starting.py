"""What a hive reads from its stores when it starts: at once where they answer, later in the background where they do not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from neural_hive.errors import HiveError, UnavailableError
from neural_hive.pipeline.listening import Listener

#: Longest that a start waits for one store, and the pause before one that did not answer is asked again. Seconds.
FIRST_S, AGAIN_S = 2.0, 1.0


class FirstReads:
    """Reads each thing once. A store that is down delays nothing but what it would have told."""

    def __init__(self, reads: Mapping[str, Callable[[], Awaitable[object]]], listener: Listener) -> None:
        """reads: name of a stage → what reads it; reading twice must be as good as once when the first attempt failed."""
        self._left, self._listener = dict(reads), listener

    async def attempt(self) -> None:
        """Try what has not been read yet, each for at most FIRST_S seconds; what fails is told and stays."""
        for stage, read in list(self._left.items()):
            try:
                async with asyncio.timeout(FIRST_S):
                    await read()
            except TimeoutError:
                self._listener.on_failed("", stage, UnavailableError(f"No answer within {FIRST_S:g} s; it is asked again."))
            except HiveError as error:
                self._listener.on_failed("", stage, error)
            else:
                del self._left[stage]

    async def run(self) -> None:
        """Try until everything has been read."""
        while self._left:
            await asyncio.sleep(AGAIN_S)
            await self.attempt()
