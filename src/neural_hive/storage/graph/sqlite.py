"""The knowledge graph on a SQLite file: the catalogue, the decided cases, and which cases are alike."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from time import monotonic
from typing import Any

import apsw

from neural_hive.contracts import Case, Outcome, SimilarCase, SystemContext
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
#: Longest time after which what other processes linked is seen, in seconds.
REFRESH_S = 0.5
#: Cases that are described in memory, a few more than the index may hold, and reviewed cases whose verdict is looked up again.
MAX_ROWS, MAX_VERDICTS = MAX_VECTORS + MAX_VECTORS // 4, 1_000
#: Tenants whose vectors are in memory at a time; the least recently asked goes first.
MAX_TENANTS = 32

_LINK = """
INSERT INTO graph_cases (id, tenant, outcome, verdict, vector) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, verdict = excluded.verdict RETURNING row, vector
"""


class _Known:
    """What is in memory of one tenant's cases. rows: row → id, outcome, verdict, oldest first."""

    def __init__(self, n_dimensions: int) -> None:
        self.index = VectorIndex(n_dimensions)
        self.rows: dict[int, tuple[str, str, str | None]] = {}
        self._read_to = 0
        self._read_at = -inf
        self._own: set[int] = set()
        self.looking = asyncio.Lock()

    @property
    def is_stale(self) -> bool:
        return monotonic() - self._read_at > REFRESH_S

    def add(self, row: int, vector: bytes, described: tuple[str, str, str | None]) -> None:
        """A case that this process linked; again, if its verdict changed."""
        if row > self._read_to and row not in self._own:
            self._own.add(row)
            self.index.extend([row], [vector])
        self.rows[row] = described

    def look(self, connection: apsw.Connection, tenant: str, n_bytes: int) -> tuple[list[Any], list[Any]]:
        """Cases that were linked since the last look, and verdicts. Runs on a reader's thread; `take` brings them in."""
        return _newer_cases(connection, tenant, n_bytes, self._read_to), _verdicts(connection, tenant)

    def take(self, found: Sequence[Any], verdicts: Sequence[Any]) -> None:
        """Bring in what `look` found."""
        new = [case for case in found if case[0] > self._read_to and case[0] not in self._own]
        self.index.extend([row for row, *_ in new], [vector for _, vector, *_ in new])
        self.rows.update((row, (id_, outcome, verdict)) for row, _, id_, outcome, verdict in new)
        for row, verdict in verdicts:
            if row in self.rows:
                self.rows[row] = (*self.rows[row][:2], verdict)
        self._read_to = max(self._read_to, found[-1][0] if found else 0)
        self._own = {row for row in self._own if row > self._read_to}
        for row in list(self.rows)[: max(0, len(self.rows) - MAX_ROWS)]:
            del self.rows[row]
        self._read_at = monotonic()


class SqliteGraph:
    """Implements `KnowledgeGraph`. Used from one event loop."""

    def __init__(self, database: Database) -> None:
        """`database` has the graph's tables; whoever opened it closes it."""
        self._database = database
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
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
        tenant, outcome = case.intent.tenant, case.decision.outcome.value
        row, kept = await self._database.write(
            partial(_link, values=(case.id, tenant, outcome, verdict, vector), systems=systems)
        )
        known = self._known.get((tenant, len(kept)))
        if known is not None:
            known.add(row, kept, (case.id, outcome, verdict))

    async def similar(self, tenant: str, vector: bytes, limit: int, *, exclude: str = "") -> Sequence[SimilarCase]:
        """See `KnowledgeGraph.similar`. What other processes link is seen within REFRESH_S."""
        known = await self._cases_of(tenant, len(vector))
        hits = known.index.nearest(vector, limit + 1, MIN_SIMILARITY)
        found = [(known.rows[row], cosine) for row, cosine in hits if row in known.rows]
        similar = [
            SimilarCase(id=id_, similarity=cosine, outcome=Outcome(outcome), verdict=verdict and Outcome(verdict))
            for (id_, outcome, verdict), cosine in found
            if id_ != exclude
        ]
        return similar[: max(0, limit)]

    async def related(self, tenant: str, case_id: str, limit: int = 5) -> Related:
        """See `KnowledgeGraph.related`."""
        vector, systems = await self._database.read(partial(_mentioned, tenant=tenant, case_id=case_id))
        if vector is None:
            return Related(similar=(), systems=())
        return Related(similar=tuple(await self.similar(tenant, vector, limit, exclude=case_id)), systems=tuple(systems))

    async def ping(self) -> None:
        """See `KnowledgeGraph.ping`."""
        await self._database.read(catalogue.changes)

    def _known_names(self, connection: apsw.Connection) -> dict[str, str]:
        version = catalogue.changes(connection)
        if self._names[0] != version:
            self._names = (version, catalogue.names(connection))
        return self._names[1]

    async def _cases_of(self, tenant: str, n_bytes: int) -> _Known:
        """The tenant's cases, with what was linked since the last look."""
        known = self._known.get((tenant, n_bytes))
        if known is None:
            known = self._known[tenant, n_bytes] = _Known(n_bytes // 2)
            if len(self._known) > MAX_TENANTS:
                self._known.popitem(last=False)
        self._known.move_to_end((tenant, n_bytes))
        if known.is_stale:
            async with known.looking:
                if known.is_stale:  # nobody else looked meanwhile
                    known.take(*await self._database.read(partial(known.look, tenant=tenant, n_bytes=n_bytes)))
        return known


def _link(connection: apsw.Connection, values: tuple[Any, ...], systems: Sequence[str]) -> tuple[int, bytes]:
    """Write a case and what it mentions; its row and the vector that is kept."""
    row, kept = next(connection.execute(_LINK, values))
    mentions = [(row, system, place) for place, system in enumerate(dict.fromkeys(systems))]
    connection.execute("DELETE FROM graph_mentions WHERE case_row = ?", (row,))
    if mentions:
        connection.executemany("INSERT INTO graph_mentions VALUES (?, ?, ?)", mentions)
    return row, kept


def _newer_cases(connection: apsw.Connection, tenant: str, n_bytes: int, after: int) -> list[Any]:
    """Row, vector, id, outcome and verdict of a tenant's cases after a row, in order; the newest ones when there are too many."""
    rows: list[Any] = connection.execute(
        "SELECT row, vector, id, outcome, verdict FROM graph_cases"
        " WHERE tenant = ? AND row > ? AND length(vector) = ? ORDER BY row DESC LIMIT ?",
        (tenant, after, n_bytes, MAX_VECTORS),
    ).fetchall()
    return rows[::-1]


def _verdicts(connection: apsw.Connection, tenant: str) -> list[Any]:
    """Row and verdict of a tenant's newest reviewed cases."""
    return connection.execute(
        "SELECT row, verdict FROM graph_cases WHERE tenant = ? AND verdict IS NOT NULL ORDER BY row DESC LIMIT ?",
        (tenant, MAX_VERDICTS),
    ).fetchall()


def _mentioned(connection: apsw.Connection, tenant: str, case_id: str) -> tuple[bytes | None, list[SystemContext]]:
    """A linked case's vector, and the systems that it mentions; None for a case that was never linked."""
    found: Any = connection.execute(
        "SELECT row, vector FROM graph_cases WHERE id = ? AND tenant = ?", (case_id, tenant)
    ).fetchone()
    if found is None:
        return None, []
    rows: Iterable[Any] = connection.execute("SELECT system FROM graph_mentions WHERE case_row = ? ORDER BY place", (found[0],))
    return found[1], catalogue.systems(connection, [system for (system,) in rows])


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
