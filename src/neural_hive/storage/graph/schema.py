"""The graph's tables, as numbered migrations. Never change a migration that was released: add one."""

from __future__ import annotations

from neural_hive.storage.sqlite.migrations import Migration

ROLE = "graph"

MIGRATIONS = (
    Migration(
        1,
        "The catalogue: entities, what each depends on, and how often it was changed.",
        """
        CREATE TABLE graph_entities (
            name TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, owner TEXT NOT NULL,
            lifecycle TEXT NOT NULL, aliases TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE graph_edges (
            source TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (target, source)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX graph_edges_from ON graph_edges (source);
        CREATE TABLE graph_changes (n INTEGER NOT NULL) STRICT;
        INSERT INTO graph_changes VALUES (0);
        """,
    ),
    Migration(
        2,
        "The decided cases: outcome, verdict, sentence vector, and the systems that each mentions.",
        """
        CREATE TABLE graph_cases (
            row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, outcome TEXT NOT NULL,
            verdict TEXT, vector BLOB NOT NULL
        ) STRICT;
        CREATE INDEX graph_cases_of_a_tenant ON graph_cases (tenant, row);
        CREATE TABLE graph_mentions (
            case_row INTEGER NOT NULL, system TEXT NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (case_row, system)
        ) STRICT, WITHOUT ROWID;
        """,
    ),
    Migration(
        3,
        "Reviewed cases are found without reading the others.",
        "CREATE INDEX graph_reviewed_cases ON graph_cases (tenant, row, verdict) WHERE verdict IS NOT NULL;",
    ),
)
