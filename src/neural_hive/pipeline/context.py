"""What the graph adds to an intent: the systems it mentions, and similar past cases."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from neural_hive.contracts import Intent, SimilarCase, SystemContext
from neural_hive.errors import HiveError, UnavailableError
from neural_hive.pipeline.listening import Listener
from neural_hive.ports import KnowledgeGraph
from neural_hive.understanding.understand import VECTOR_BYTES, Understood

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

    def __init__(self, graph: KnowledgeGraph | None, n_similar: int, listener: Listener) -> None:
        self._graph, self._n_similar, self._listener = graph, n_similar, listener
        self._has_catalogue = False
        self.is_degraded = False

    async def names(self) -> dict[str, str]:
        """Names and aliases of the catalogue's systems, in lower case → the system's name."""
        if self._graph is None:
            return {}
        names = await self._graph.names()
        self._has_catalogue = bool(names)
        return names

    async def rehearse(self) -> None:
        """Search once for nothing: a server plans a query when it is first asked, which takes longer than a decision may wait."""
        if self._graph is not None and self._n_similar:
            await self._graph.similar("default", bytes(VECTOR_BYTES), self._n_similar)

    async def of(self, intent: Intent, understood: Understood) -> Context:
        """Context of one intent; empty when the graph is slow or down, which the decision then says, and the first time the log."""
        if self._graph is None:
            return Context()
        try:
            async with asyncio.timeout(GRAPH_TIMEOUT_S):
                systems = await self._systems(understood)
                similar = await self._similar(intent, understood)
        except (HiveError, TimeoutError) as error:
            if not self.is_degraded:
                slow = UnavailableError(
                    f"No answer within {GRAPH_TIMEOUT_S:g} s; decisions are made without similar cases and systems."
                )
                self._listener.on_failed(intent.id, "graph", error if isinstance(error, HiveError) else slow)
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
