"""Numbered SQL blocks that bring a file from the version that wrote it to this one; each is applied once, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import apsw

from neural_hive.errors import StorageError

_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    role TEXT NOT NULL, number INTEGER NOT NULL, sentence TEXT NOT NULL, applied_at TEXT NOT NULL,
    PRIMARY KEY (role, number)
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number (from 1, without gaps), one sentence that says what it does, and its SQL."""

    number: int
    sentence: str
    sql: str


def applied(connection: apsw.Connection, role: str) -> int:
    """The number of the last migration of `role` in this file; 0 for none.

    Asked in SQL, because `table_exists` answers from what the connection knew before another process migrated.
    """
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'").get is None:
        return 0
    return int(connection.execute("SELECT coalesce(max(number), 0) FROM migrations WHERE role = ?", (role,)).get)


def migrate(connection: apsw.Connection, role: str, migrations: Sequence[Migration]) -> None:
    """Apply what is missing, inside the caller's transaction. Writes nothing when nothing is missing.

    Raises:
        StorageError: a newer release wrote the file.
    """
    found = applied(connection, role)
    if found > len(migrations):
        raise StorageError(f"A newer release wrote this {role}: format {found}, known here {len(migrations)}; upgrade.")
    if found == len(migrations):
        return
    connection.execute(_TABLE)
    for migration in migrations[found:]:
        connection.execute(migration.sql)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = (role, migration.number, migration.sentence, now)
        connection.execute("INSERT INTO migrations VALUES (?, ?, ?, ?)", row)
