"""The catalogue in the SQLite graph: entities, their names, what depends on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apsw
import orjson

from neural_hive.canonical import canonical_json
from neural_hive.contracts import SystemContext
from neural_hive.ports import CatalogueEntity

#: How many entities depend on one, directly or not. UNION keeps each once, so that cycles end.
_BLAST_RADIUS = """
WITH RECURSIVE dependents (name) AS (
    SELECT source FROM graph_edges WHERE target = ?1
    UNION SELECT e.source FROM graph_edges e JOIN dependents d ON e.target = d.name
) SELECT count(*) FROM dependents WHERE name != ?1
"""


def put(connection: apsw.Connection, entities: Sequence[CatalogueEntity]) -> int:
    """Insert or replace entities by name, with their dependencies."""
    for entity in entities:
        aliases = canonical_json(list(entity.aliases)).decode()
        row = (entity.name, entity.kind, entity.title, entity.owner, entity.lifecycle, aliases)
        connection.execute("INSERT OR REPLACE INTO graph_entities VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.execute("DELETE FROM graph_edges WHERE source = ?", (entity.name,))
        edges = [(entity.name, target) for target in dict.fromkeys(entity.depends_on)]
        connection.executemany("INSERT INTO graph_edges (source, target) VALUES (?, ?)", edges)
    connection.execute("UPDATE graph_changes SET n = n + 1")
    return len(entities)


def changes(connection: apsw.Connection) -> int:
    """How often the catalogue was changed: the same number means the same names."""
    return int(connection.execute("SELECT n FROM graph_changes").get)


def names(connection: apsw.Connection) -> dict[str, str]:
    """Every name, title and alias in lower case → entity name. A name wins over a title, a title over an alias."""
    rows: list[Any] = connection.execute("SELECT name, title, aliases FROM graph_entities ORDER BY name").fetchall()
    known: dict[str, str] = {}
    for spelling, name in (*_aliases(rows), *_titles(rows), *((row[0], row[0]) for row in reversed(rows))):
        if spelling.strip():
            known[spelling.strip().lower()] = name
    return known


def systems(connection: apsw.Connection, wanted: Iterable[str]) -> list[SystemContext]:
    """Context of the named entities in the order given; unknown names are left out."""
    found = (_system(connection, name) for name in wanted)
    return [system for system in found if system is not None]


def _system(connection: apsw.Connection, name: str) -> SystemContext | None:
    row: Any = connection.execute("SELECT owner, lifecycle FROM graph_entities WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    direct: Iterable[Any] = connection.execute(
        "SELECT source FROM graph_edges WHERE target = ? AND source != target ORDER BY source", (name,)
    )
    return SystemContext(
        name=name,
        owner=row[0],
        lifecycle=row[1],
        dependents=tuple(source for (source,) in direct),
        blast_radius=int(connection.execute(_BLAST_RADIUS, (name,)).get),
    )


def _titles(rows: Sequence[Any]) -> Iterator[tuple[str, str]]:
    return ((title, name) for name, title, _ in reversed(rows))


def _aliases(rows: Sequence[Any]) -> Iterator[tuple[str, str]]:
    return ((alias, name) for name, _, aliases in reversed(rows) for alias in orjson.loads(aliases))
