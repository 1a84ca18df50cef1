"""The knowledge graph on a SQLite file: the catalogue, the decided cases, and which cases are alike."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from threading import Lock
from typing import Any

import apsw

from neural_hive.contracts import Case, SimilarCase, SystemContext
from neural_hive.errors import ConflictError, UsageError
from neural_hive.ports import CatalogueEntity, Related
from neural_hive.storage.graph import catalogue
from neural_hive.storage.graph.schema import MIGRATIONS, ROLE
from neural_hive.storage.graph.vectors import MAX_VECTORS, VectorIndex
from neural_hive.storage.resources import Resources
from neural_hive.storage.sqlite.database import Database, shared_database
from neural_hive.storage.urls import sqlite_path

#: Cases below this cosine are not alike. Specified by `KnowledgeGraph.similar`.
MIN_SIMILARITY = 0.6
#: Tenants whose vectors are in memory at a time; the least recently asked goes first.
MAX_TENANTS = 32

_LINK = """
INSERT INTO graph_cases (id, tenant, outcome, verdict, vector) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, verdict = excluded.verdict RETURNING row
"""


class SqliteGraph:
    """Implements `KnowledgeGraph`."""

    def __init__(self, database: Database) -> None:
        """`database` has the graph's tables; whoever opened it closes it."""
        self._database = database
        self._lock = Lock()
        self._indexes: OrderedDict[tuple[str, int], VectorIndex] = OrderedDict()
        self._names: tuple[int, dict[str, str]] = (-1, {})

    async def put_entities(self, entities: Sequence[CatalogueEntity]) -> int:
        """See `KnowledgeGraph.put_entities`."""
        return await self._database.write(partial(catalogue.put, entities=entities)) if entities else 0

    async def names(self) -> dict[str, str]:
        """See `KnowledgeGraph.names`. Read again only after the catalogue changed."""
        return dict(await self._database.read(self._known_names))

    async def systems(self, names: Sequence[str]) -> Sequence[SystemContext]:
        """See `KnowledgeGraph.systems`."""
        return await self._database.read(partial(catalogue.systems, wanted=names)) if names else ()

    async def link_case(self, case: Case, systems: Sequence[str], vector: bytes) -> None:
        """See `KnowledgeGraph.link_case`."""
        if case.decision is None:
            raise ConflictError(f"The case {case.id} is not decided yet; link it when it is.")
        if not vector or len(vector) % 2:
            raise UsageError("A sentence vector is float16: two bytes per dimension.")
        verdict = case.reviews[-1].verdict.value if case.reviews else None
        row = (case.id, case.intent.tenant, case.decision.outcome.value, verdict, vector)
        await self._database.write(partial(_link, row=row, systems=systems))

    async def similar(self, tenant: str, vector: bytes, limit: int, *, exclude: str = "") -> Sequence[SimilarCase]:
        """See `KnowledgeGraph.similar`."""
        search = partial(self._similar, tenant=tenant, vector=vector, limit=limit, exclude=exclude)
        return await self._database.read(search)

    async def related(self, tenant: str, case_id: str, limit: int = 5) -> Related:
        """See `KnowledgeGraph.related`."""
        return await self._database.read(partial(self._related, tenant=tenant, case_id=case_id, limit=limit))

    async def ping(self) -> None:
        """See `KnowledgeGraph.ping`."""
        await self._database.read(catalogue.changes)

    def _known_names(self, connection: apsw.Connection) -> dict[str, str]:
        version = catalogue.changes(connection)
        if self._names[0] != version:
            self._names = (version, catalogue.names(connection))
        return self._names[1]

    def _similar(self, connection: apsw.Connection, tenant: str, vector: bytes, limit: int, exclude: str) -> list[SimilarCase]:
        with self._lock:
            index = self._index(connection, tenant, len(vector))
            rows = index.nearest(vector, limit + 1, MIN_SIMILARITY)
        found = (_similar_case(connection, row, cosine) for row, cosine in rows)
        return [case for case in found if case is not None and case.id != exclude][: max(0, limit)]

    def _index(self, connection: apsw.Connection, tenant: str, n_bytes: int) -> VectorIndex:
        """The tenant's vectors, with what was linked since; other processes link as well."""
        index = self._indexes.setdefault((tenant, n_bytes), VectorIndex(n_bytes // 2))
        self._indexes.move_to_end((tenant, n_bytes))
        if len(self._indexes) > MAX_TENANTS:
            self._indexes.popitem(last=False)
        rows = _newer_vectors(connection, tenant, n_bytes, index.last_row)
        index.extend([row for row, _ in rows], [vector for _, vector in rows])
        return index

    def _related(self, connection: apsw.Connection, tenant: str, case_id: str, limit: int) -> Related:
        row: Any = connection.execute(
            "SELECT row, vector FROM graph_cases WHERE id = ? AND tenant = ?", (case_id, tenant)
        ).fetchone()
        if row is None:
            return Related(similar=(), systems=())
        mentioned: Iterable[Any] = connection.execute(
            "SELECT system FROM graph_mentions WHERE case_row = ? ORDER BY place", (row[0],)
        )
        systems = catalogue.systems(connection, [system for (system,) in mentioned])
        similar = self._similar(connection, tenant, row[1], limit, exclude=case_id)
        return Related(similar=tuple(similar), systems=tuple(systems))


def _link(connection: apsw.Connection, row: tuple[Any, ...], systems: Sequence[str]) -> None:
    case_row = connection.execute(_LINK, row).get
    mentions = [(case_row, system, place) for place, system in enumerate(dict.fromkeys(systems))]
    connection.execute("DELETE FROM graph_mentions WHERE case_row = ?", (case_row,))
    connection.executemany("INSERT INTO graph_mentions VALUES (?, ?, ?)", mentions)


def _newer_vectors(connection: apsw.Connection, tenant: str, n_bytes: int, after: int) -> list[Any]:
    """Rows and vectors of a tenant after a row, in order; the newest ones when there are too many."""
    rows: list[Any] = connection.execute(
        "SELECT row, vector FROM graph_cases WHERE tenant = ? AND row > ? AND length(vector) = ? ORDER BY row DESC LIMIT ?",
        (tenant, after, n_bytes, MAX_VECTORS),
    ).fetchall()
    return rows[::-1]


def _similar_case(connection: apsw.Connection, row: int, cosine: float) -> SimilarCase | None:
    found: Any = connection.execute("SELECT id, outcome, verdict FROM graph_cases WHERE row = ?", (row,)).fetchone()
    return found and SimilarCase(id=found[0], similarity=cosine, outcome=found[1], verdict=found[2])


@asynccontextmanager
async def open_sqlite_graph(url: str, resources: Resources | None = None) -> AsyncIterator[SqliteGraph]:
    """Open the graph at a SQLite URL, creating the file when it is absent; shared with the other roles of `resources`.

    Raises:
        ConfigurationError: the URL is not a SQLite file's.
        StorageError: the file cannot be opened, or a newer release wrote it.
    """
    async with shared_database(sqlite_path(url, "HIVE_GRAPH_URL"), resources) as database:
        await database.migrate(ROLE, MIGRATIONS)
        yield SqliteGraph(database)
