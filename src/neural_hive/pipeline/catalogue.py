"""The catalogue's systems, for whoever understands texts: read at start, and again while the hive runs, after an import."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from neural_hive.errors import HiveError
from neural_hive.pipeline.context import ContextReader
from neural_hive.pipeline.listening import Listener
from neural_hive.pipeline.minds import Mind

#: Longest that one look may take, in seconds.
LOOK_S = 10.0


class Catalogue:
    """Keeps the names that a mind knows as new as the graph's. A graph that is down leaves the names that were read last."""

    def __init__(self, context: ContextReader, mind: Mind, listener: Listener, interval_s: float) -> None:
        """interval_s: time between two looks, in seconds."""
        self._context, self._mind, self._listener, self._interval_s = context, mind, listener, interval_s
        self._names: Mapping[str, str] | None = None
        self._is_down = False

    async def learn(self) -> int:
        """Read the names and teach those that changed; returns how many there are.

        Raises:
            StorageError: the graph cannot be used.
        """
        names = await self._context.names()
        if names != self._names:
            await self._mind.learn_names(names)
            self._names = names
        return len(names)

    async def run(self) -> None:
        """Look for ever; a graph that cannot be read is told to the listener once, until it can."""
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self.learn()
            except (HiveError, TimeoutError) as error:
                if not self._is_down:
                    self._listener.on_failed("", "catalogue", error)
                self._is_down = True
            else:
                self._is_down = False
