"""Files decided cases in the knowledge graph, behind the answer: an answer never waits for it."""

from __future__ import annotations

import asyncio

from neural_hive.contracts import Case
from neural_hive.errors import HiveError, StorageError
from neural_hive.pipeline.judging import Judgement
from neural_hive.pipeline.listening import Listener
from neural_hive.ports import KnowledgeGraph

#: Cases that may wait to be filed; beyond that the oldest are dropped, and counted.
MAX_WAITING = 10_000
#: How long a decided case waits for others to be filed with, in seconds, and how many are filed at
#: once: a store that commits in groups syncs once for all of them.
LINGER_S, MAX_TOGETHER = 0.1, 64
#: Pause before a graph that does not answer is asked again, in seconds.
AGAIN_S = 1.0


class Filing:
    """A queue in memory before the graph. Losing it loses links, never cases."""

    def __init__(self, graph: KnowledgeGraph, listener: Listener) -> None:
        self._graph, self._listener = graph, listener
        self._queue: asyncio.Queue[tuple[Case, Judgement]] = asyncio.Queue(MAX_WAITING)
        self.n_dropped = 0

    @property
    def depth(self) -> int:
        """How many wait."""
        return self._queue.qsize()

    def put(self, case: Case, judgement: Judgement) -> None:
        """File a decided case later."""
        if self._queue.full():
            self._queue.get_nowait()
            self._queue.task_done()
            self.n_dropped += 1
        self._queue.put_nowait((case, judgement))

    async def run(self) -> None:
        """File for ever. A graph that is down is asked again; a case that it refuses is told to the listener and left out."""
        while True:
            together = [await self._queue.get()]
            if self._queue.qsize() < MAX_TOGETHER:
                await asyncio.sleep(LINGER_S)
            while len(together) < MAX_TOGETHER and not self._queue.empty():
                together.append(self._queue.get_nowait())
            await asyncio.gather(*(self._file(case, judgement) for case, judgement in together))
            for _ in together:
                self._queue.task_done()

    async def settled(self) -> None:
        """Return when everything that was put here has been filed or left out."""
        await self._queue.join()

    async def _file(self, case: Case, judgement: Judgement) -> None:
        systems = [e.value for e in judgement.understanding.entities if e.type == "system"]
        while True:
            try:
                await self._graph.link_case(case, systems, judgement.vector)
            except HiveError as error:
                self._listener.on_failed(case.id, "filing", error)
                if isinstance(error, StorageError):
                    await asyncio.sleep(AGAIN_S)
                    continue
            return
