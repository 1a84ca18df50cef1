"""What the SQLite bus stores: the log of events, its consumer groups, and the work that each group has still to do.

A group's work is a row per event that it has read from the log and not settled; the log forgets what no group needs.
Every function runs inside the writer's transaction, except those that only read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from neural_hive.canonical import canonical_json
from neural_hive.contracts import Event
from neural_hive.storage.sqlite.migrations import Migration

ROLE = "bus"
#: Attempts before an event goes to the dead letters.
MAX_FAILURES = 5
#: A group that nobody has read for for this long is forgotten, in seconds: its events would be kept for ever.
GROUP_LIFE_S = 86_400.0

MIGRATIONS = (
    Migration(
        1,
        "The log of events, the groups that read it, the work of each, and what each gave up.",
        """
        CREATE TABLE bus_log (
            position INTEGER PRIMARY KEY AUTOINCREMENT, case_id TEXT NOT NULL, event TEXT NOT NULL
        ) STRICT;
        CREATE TABLE bus_groups (
            name TEXT PRIMARY KEY, read_to INTEGER NOT NULL, seen_at REAL NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE bus_work (
            group_name TEXT NOT NULL, position INTEGER NOT NULL, case_id TEXT NOT NULL,
            lease_until REAL NOT NULL DEFAULT 0, n_failures INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (group_name, position)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX bus_work_of_a_case ON bus_work (group_name, case_id, position);
        CREATE TABLE bus_dead_letters (
            group_name TEXT NOT NULL, position INTEGER NOT NULL, event TEXT NOT NULL, reason TEXT NOT NULL,
            at REAL NOT NULL, PRIMARY KEY (group_name, position)
        ) STRICT, WITHOUT ROWID;
        """,
    ),
)

#: The first unsettled event of each case, unless a member has it or it waits for its next attempt.
_DELIVERABLE = """
SELECT w.position, w.n_failures, l.event FROM bus_work w JOIN bus_log l ON l.position = w.position
WHERE w.group_name = ?1 AND w.lease_until <= ?2 AND NOT EXISTS (
    SELECT 1 FROM bus_work v WHERE v.group_name = w.group_name AND v.case_id = w.case_id AND v.position < w.position)
ORDER BY w.position LIMIT ?3
"""
#: Forget events that every group has read and settled.
_TRIM = """
DELETE FROM bus_log WHERE position < (SELECT min(needed) FROM (
    SELECT min(read_to) + 1 AS needed FROM bus_groups UNION ALL SELECT min(position) FROM bus_work))
"""


@dataclass(frozen=True, slots=True)
class Work:
    """One event leased to a member of a group, until a POSIX time."""

    group: str
    position: int
    n_failures: int
    lease_until: float
    event: Event


@dataclass(frozen=True, slots=True)
class Claim:
    """How much a member wants, when, and until when it will have it (POSIX seconds)."""

    limit: int
    now: float
    lease_until: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a delivery failed, when (POSIX seconds), and how long to wait after a first failure."""

    reason: str
    at: float
    retry_s: float


def has_groups(connection: apsw.Connection) -> bool:
    """Whether any group reads the log."""
    return connection.execute("SELECT 1 FROM bus_groups LIMIT 1").get is not None


def append(connection: apsw.Connection, events: Sequence[Event]) -> None:
    """Put events at the end of the log, if any group will read them."""
    if not has_groups(connection):
        return
    rows = [(event.case_id, canonical_json(event.model_dump(mode="json")).decode()) for event in events]
    connection.executemany("INSERT INTO bus_log (case_id, event) VALUES (?, ?)", rows)


def join(connection: apsw.Connection, group: str, now: float) -> None:
    """Make the group known; a new one starts after the last event of the log."""
    connection.execute("DELETE FROM bus_groups WHERE seen_at < ? AND name != ?", (now - GROUP_LIFE_S, group))
    connection.execute("DELETE FROM bus_work WHERE group_name NOT IN (SELECT name FROM bus_groups)")
    end = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'bus_log'").get
    connection.execute(
        "INSERT INTO bus_groups VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at",
        (group, end, now),
    )


def has_work(connection: apsw.Connection, group: str, now: float) -> bool:
    """Whether it is worth taking: something new in the log, something due, or time to say that the group lives."""
    row = connection.execute("SELECT read_to, seen_at FROM bus_groups WHERE name = ?", (group,)).fetchone()
    if row is None or row[1] < now - GROUP_LIFE_S / 4:
        return True
    if connection.execute("SELECT 1 FROM bus_log WHERE position > ? LIMIT 1", (row[0],)).get is not None:
        return True
    return connection.execute(_DELIVERABLE, (group, now, 1)).fetchone() is not None


def take(connection: apsw.Connection, group: str, claim: Claim) -> list[Work]:
    """Lease what can be delivered now, oldest first, reading on in the log when there is room."""
    join(connection, group, claim.now)
    rows = _deliverable(connection, group, claim)
    if len(rows) < claim.limit and _read_on(connection, group, claim.limit):
        rows = _deliverable(connection, group, claim)
    works = [Work(group, row[0], row[1], claim.lease_until, Event.model_validate_json(row[2])) for row in rows]
    _lease(connection, works, claim.lease_until)
    connection.execute(_TRIM)
    return works


def finish(connection: apsw.Connection, work: Work) -> None:
    """The group has settled this event, whoever holds it now."""
    connection.execute("DELETE FROM bus_work WHERE group_name = ? AND position = ?", (work.group, work.position))


def fail(connection: apsw.Connection, work: Work, failure: Failure) -> None:
    """Deliver again later, each time after twice the wait; at the fifth failure, put it with the dead letters."""
    n_failures = work.n_failures + 1
    if n_failures >= MAX_FAILURES:
        event = canonical_json(work.event.model_dump(mode="json")).decode()
        letter = (work.group, work.position, event, failure.reason, failure.at)
        connection.execute("INSERT OR IGNORE INTO bus_dead_letters VALUES (?, ?, ?, ?, ?)", letter)
        finish(connection, work)
        return
    again_at = failure.at + failure.retry_s * 2.0**work.n_failures
    connection.execute(
        "UPDATE bus_work SET lease_until = ?, n_failures = ? WHERE group_name = ? AND position = ? AND lease_until = ?",
        (again_at, n_failures, work.group, work.position, work.lease_until),
    )


def release(connection: apsw.Connection, works: Iterable[Work]) -> None:
    """Give back leases that are still this member's."""
    rows = [(work.group, work.position, work.lease_until) for work in works]
    connection.executemany("UPDATE bus_work SET lease_until = 0 WHERE group_name = ? AND position = ? AND lease_until = ?", rows)


def dead_letters(connection: apsw.Connection, group: str) -> list[tuple[Event, str]]:
    """What a group gave up, oldest first, with the reason."""
    rows: Iterable[Any] = connection.execute(
        "SELECT event, reason FROM bus_dead_letters WHERE group_name = ? ORDER BY position", (group,)
    )
    return [(Event.model_validate_json(event), reason) for event, reason in rows]


def _deliverable(connection: apsw.Connection, group: str, claim: Claim) -> list[Any]:
    return connection.execute(_DELIVERABLE, (group, claim.now, claim.limit)).fetchall()


def _read_on(connection: apsw.Connection, group: str, limit: int) -> bool:
    """Make the next events of the log this group's work; False at the end of the log."""
    last = connection.execute(
        "SELECT max(position) FROM (SELECT position FROM bus_log"
        " WHERE position > (SELECT read_to FROM bus_groups WHERE name = ?) ORDER BY position LIMIT ?)",
        (group, limit),
    ).get
    if last is None:
        return False
    connection.execute(
        "INSERT INTO bus_work (group_name, position, case_id) SELECT ?1, position, case_id FROM bus_log"
        " WHERE position > (SELECT read_to FROM bus_groups WHERE name = ?1) AND position <= ?2",
        (group, last),
    )
    connection.execute("UPDATE bus_groups SET read_to = ? WHERE name = ?", (last, group))
    return True


def _lease(connection: apsw.Connection, works: Sequence[Work], until: float) -> None:
    rows = [(until, work.group, work.position) for work in works]
    connection.executemany("UPDATE bus_work SET lease_until = ? WHERE group_name = ? AND position = ?", rows)
