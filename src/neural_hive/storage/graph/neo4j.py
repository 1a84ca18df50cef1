"""The knowledge graph on Neo4j. Entities, cases and what connects them are in the database; cosines are computed here.

The vectors of a tenant are read once, then only newer ones, into the same in-memory index that the SQLite graph uses:
both give the same similar cases with the same figures, so a decision does not depend on the product. Neo4j's own
vector index is approximate and cannot be limited to a tenant before it searches.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from neo4j import AsyncManagedTransaction, Record, RoutingControl

from neural_hive.contracts import Case, SimilarCase, SystemContext
from neural_hive.errors import ConflictError, UsageError
from neural_hive.ports import CatalogueEntity, Related
from neural_hive.storage.graph import neo4j_queries as queries
from neural_hive.storage.graph.neo4j_connection import Connection, connect
from neural_hive.storage.graph.vectors import MAX_VECTORS, VectorIndex
from neural_hive.storage.resources import Resources

#: Cases below this cosine are not alike. Specified by `KnowledgeGraph.similar`.
MIN_SIMILARITY = 0.6
#: Tenants whose vectors are in memory at a time; the least recently asked goes first.
MAX_TENANTS = 32
#: Transactions at a time; more would wait for the same locks.
MAX_TRANSACTIONS = 16
#: Longest `ping` may take, and longest a read of vectors may: all of a large tenant's are 8 MB. Seconds.
PING_S, VECTORS_S = 1.8, 30.0

Statement = tuple[str, dict[str, Any]]


class _Known:
    """The vectors of one tenant in memory. One read at a time, shared by whoever waits, and it goes on when they give up waiting:
    otherwise many vectors, or many callers, would never be read within a caller's patience."""

    def __init__(self, read_newer: Callable[[int], Awaitable[Sequence[Record]]], n_dimensions: int) -> None:
        """read_newer: the vectors after a row, newest first."""
        self.index = VectorIndex(n_dimensions)
        self._read_newer = read_newer
        self._begun: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Return when everything that was linked before the call is in the index."""
        if self._next is None:
            self._next = asyncio.create_task(self._read(self._begun))
            self._next.add_done_callback(_heed)
        await asyncio.shield(self._next)

    async def close(self) -> None:
        """End what is being read."""
        reads = [read for read in (self._begun, self._next) if read is not None]
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)

    async def _read(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._begun, self._next = self._next, None  # whoever comes from now on may miss something in this one
        async with asyncio.timeout(VECTORS_S):
            newer = (await self._read_newer(self.index.last_row))[::-1]
        self.index.extend([record["row"] for record in newer], [record["vector"] for record in newer])


def _heed(read: asyncio.Task[None]) -> None:
    """Nobody may be left who waits for a read that failed."""
    if not read.cancelled():
        read.exception()


class Neo4jGraph:
    """Implements `KnowledgeGraph`. Connects when it is first used; many processes may use one database."""

    def __init__(self, connection: Connection) -> None:
        """Whoever opened the connection's driver closes it."""
        self._connection = connection
        self._faults = connection.faults
        self._transactions = asyncio.Semaphore(MAX_TRANSACTIONS)
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        self._names: tuple[int, dict[str, str]] = (0, {})
        self._prepare_lock = asyncio.Lock()
        self._is_ready = False

    async def put_entities(self, entities: Sequence[CatalogueEntity]) -> int:
        """See `KnowledgeGraph.put_entities`."""
        last = {entity.name: entity for entity in entities}.values()
        edges = [{"source": one.name, "target": target} for one in last for target in dict.fromkeys(one.depends_on)]
        if last:
            await self._write(
                [
                    (queries.LOCK, {"counter": "catalogue"}),
                    (queries.PUT_ENTITIES, {"entities": [_properties(entity) for entity in last]}),
                    (queries.REMOVE_DEPENDENCIES, {"names": [entity.name for entity in last]}),
                    (queries.PUT_DEPENDENCIES, {"edges": edges}),
                    (queries.ADD_ONE, {"counter": "catalogue"}),
                ]
            )
        return len(entities)

    async def names(self) -> dict[str, str]:
        """See `KnowledgeGraph.names`. Read again only after the catalogue changed."""
        counted = await self._read(queries.COUNT, counter="catalogue")
        version = int(counted[0]["n"]) if counted else 0
        if self._names[0] != version:
            self._names = (version, _names(await self._read(queries.NAMES)))
        return dict(self._names[1])

    async def systems(self, names: Sequence[str]) -> Sequence[SystemContext]:
        """See `KnowledgeGraph.systems`."""
        if not names:
            return ()
        found = {record["name"]: _system(record) for record in await self._read(queries.SYSTEMS, names=list(names))}
        return [found[name] for name in names if name in found]

    async def link_case(self, case: Case, systems: Sequence[str], vector: bytes) -> None:
        """See `KnowledgeGraph.link_case`."""
        if case.decision is None:
            raise ConflictError(f"The case {case.id} is not decided yet; link it when it is.")
        if not vector or len(vector) % 2:
            raise UsageError("A sentence vector is float16: two bytes per dimension.")
        verdict = case.reviews[-1].verdict.value if case.reviews else None
        known = {"tenant": case.intent.tenant, "outcome": case.decision.outcome.value, "verdict": verdict}
        mentions = [{"name": name, "place": place} for place, name in enumerate(dict.fromkeys(systems))]
        await self._write(
            [
                (queries.LOCK, {"counter": "cases"}),
                (queries.PUT_CASE, {"id": case.id, "vector": vector, "n_bytes": len(vector), **known}),
                (queries.NUMBER_CASE, {"id": case.id, "counter": "cases"}),
                (queries.REMOVE_MENTIONS, {"id": case.id}),
                (queries.PUT_MENTIONS, {"id": case.id, "mentions": mentions}),
            ]
        )

    async def similar(self, tenant: str, vector: bytes, limit: int, *, exclude: str = "") -> Sequence[SimilarCase]:
        """See `KnowledgeGraph.similar`."""
        index = await self._index(tenant, len(vector))
        nearest = dict(index.nearest(vector, limit + 1, MIN_SIMILARITY))
        records = await self._read(queries.CASES, tenant=tenant, rows=list(nearest)) if nearest else ()
        found = {record["row"]: _similar_case(record, nearest[record["row"]]) for record in records}
        ordered = [found[row] for row in nearest if row in found and found[row].id != exclude]
        return ordered[: max(0, limit)]

    async def related(self, tenant: str, case_id: str, limit: int = 5) -> Related:
        """See `KnowledgeGraph.related`."""
        records = await self._read(queries.CASE, id=case_id, tenant=tenant)
        if not records:
            return Related(similar=(), systems=())
        similar = await self.similar(tenant, records[0]["vector"], limit, exclude=case_id)
        return Related(similar=tuple(similar), systems=tuple(await self.systems(records[0]["systems"])))

    async def ping(self) -> None:
        """See `KnowledgeGraph.ping`."""
        with self._faults.translated():
            async with asyncio.timeout(PING_S), self._connection.driver.session(database=self._connection.database) as one:
                await (await one.run(queries.PING)).consume()

    async def close(self) -> None:
        """End what is being read. The driver is left to whoever opened it."""
        for known in self._known.values():
            await known.close()

    async def _index(self, tenant: str, n_bytes: int) -> VectorIndex:
        """The tenant's vectors, with what was linked since; other processes link as well."""
        known = self._known.get((tenant, n_bytes))
        if known is None:
            known = self._known[tenant, n_bytes] = _Known(partial(self._newer_vectors, tenant, n_bytes), n_bytes // 2)
        self._known.move_to_end((tenant, n_bytes))
        if len(self._known) > MAX_TENANTS:
            self._known.popitem(last=False)
        with self._faults.translated():
            await known.refresh()
        return known.index

    async def _newer_vectors(self, tenant: str, n_bytes: int, after: int) -> Sequence[Record]:
        return await self._read(queries.NEWER_VECTORS, tenant=tenant, after=after, n_bytes=n_bytes, limit=MAX_VECTORS)

    async def _read(self, query: str, **parameters: Any) -> Sequence[Record]:
        with self._faults.translated():
            await self._prepare()
            async with self._transactions:
                answer = await self._connection.driver.execute_query(
                    query, parameters, routing_=RoutingControl.READ, database_=self._connection.database
                )
        return answer.records

    async def _write(self, statements: Sequence[Statement]) -> None:
        """Run statements in one transaction, which the driver runs again if the server asks for it."""
        with self._faults.translated():
            await self._prepare()
            async with self._transactions, self._connection.driver.session(database=self._connection.database) as one:
                await one.execute_write(_run, statements)

    async def _prepare(self) -> None:
        """Make the constraints, once."""
        async with self._prepare_lock:
            if not self._is_ready:
                for constraint in queries.CONSTRAINTS:
                    await self._connection.driver.execute_query(constraint, database_=self._connection.database)
                self._is_ready = True


async def _run(transaction: AsyncManagedTransaction, statements: Sequence[Statement]) -> None:
    for query, parameters in statements:
        answer = await transaction.run(query, parameters)
        await answer.consume()


def _properties(entity: CatalogueEntity) -> dict[str, Any]:
    return {
        "name": entity.name,
        "kind": entity.kind,
        "title": entity.title,
        "owner": entity.owner,
        "lifecycle": entity.lifecycle,
        "aliases": list(entity.aliases),
    }


def _names(records: Sequence[Record]) -> dict[str, str]:
    """Spelling → entity name: a name wins over a title, a title over an alias, then the first in the alphabet."""
    rows = sorted(((record["name"], record["title"], record["aliases"]) for record in records), reverse=True)
    spellings = [(alias, name) for name, _, aliases in rows for alias in aliases]
    spellings += [(title, name) for name, title, _ in rows] + [(name, name) for name, _, _ in rows]
    return {spelling.strip().lower(): name for spelling, name in spellings if spelling.strip()}


def _system(record: Record) -> SystemContext:
    return SystemContext(
        name=record["name"],
        owner=record["owner"],
        lifecycle=record["lifecycle"],
        dependents=tuple(sorted(record["dependents"])),
        blast_radius=record["blast_radius"],
    )


def _similar_case(record: Record, cosine: float) -> SimilarCase:
    return SimilarCase(id=record["id"], similarity=cosine, outcome=record["outcome"], verdict=record["verdict"])


@asynccontextmanager
async def open_neo4j_graph(url: str, _resources: Resources | None = None) -> AsyncIterator[Neo4jGraph]:
    """A graph on the Neo4j of a `neo4j://` URL; connects when it is first used.

    Raises:
        ConfigurationError: the URL is not valid.
    """
    connection = connect(url)
    async with connection.driver:
        graph = Neo4jGraph(connection)
        try:
            yield graph
        finally:
            await graph.close()
