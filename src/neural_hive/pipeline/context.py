"""What the graph adds to an intent: the systems it mentions, and similar past cases."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from neural_hive.contracts import Intent, SimilarCase, SystemContext
from neural_hive.errors import HiveError
from neural_hive.ports import KnowledgeGraph
from neural_hive.understanding.understand import Understood

#: Longest that the graph may take; a decision does not wait for it. Seconds.
GRAPH_TIMEOUT_S = 0.25
#: Most systems that are looked up for one intent.
MAX_SYSTEMS = 8


@dataclass(frozen=True, slots=True)
class Context:
    """Systems mentioned and similar cases. is_degraded: the graph did not answer."""

    systems: tuple[SystemContext, ...] = ()
    similar: tuple[SimilarCase, ...] = ()
    is_degraded: bool = False


class ContextReader:
    """Reads context for an intent from the graph."""

    def __init__(self, graph: KnowledgeGraph | None, n_similar: int) -> None:
        self._graph, self._n_similar = graph, n_similar
        self._has_catalogue = False
        self.is_degraded = False

    async def names(self) -> dict[str, str]:
        """Names and aliases of the catalogue's systems, in lower case → the system's name."""
        if self._graph is None:
            return {}
        names = await self._graph.names()
        self._has_catalogue = bool(names)
        return names

    async def of(self, intent: Intent, understood: Understood) -> Context:
        """Context of one intent; empty when the graph is slow or down, which readiness then shows."""
        if self._graph is None:
            return Context()
        try:
            async with asyncio.timeout(GRAPH_TIMEOUT_S):
                systems = await self._systems(understood)
                similar = await self._similar(intent, understood)
        except (HiveError, TimeoutError):
            self.is_degraded = True
            return Context(is_degraded=True)
        self.is_degraded = False
        return Context(systems, similar)

    async def _systems(self, understood: Understood) -> tuple[SystemContext, ...]:
        if self._graph is None or not self._has_catalogue:
            return ()
        named = [e.value for e in understood.understanding.entities if e.type == "system"]
        return tuple(await self._graph.systems(list(dict.fromkeys(named))[:MAX_SYSTEMS])) if named else ()

    async def _similar(self, intent: Intent, understood: Understood) -> tuple[SimilarCase, ...]:
        if self._graph is None or not self._n_similar:
            return ()
        return tuple(await self._graph.similar(intent.tenant, understood.vector, self._n_similar, exclude=intent.id))
