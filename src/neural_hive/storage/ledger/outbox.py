"""The SQLite outbox: which events of which entries wait to be published. Their content stays in the entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import apsw
import orjson

from neural_hive.canonical import canonical_json
from neural_hive.contracts import Event
from neural_hive.storage.ledger.reads import entry_from
from neural_hive.storage.ledger.records import events

#: What waits, each with the trace of its case's intent.
_PENDING = """
SELECT o.waiting, a.body ->> '$.trace', e.seq, e.kind, e.case_id, e.tenant, e.at, e.body, e.previous_hash, e.hash
FROM outbox o JOIN entries e ON e.seq = o.seq
LEFT JOIN cases c ON c.id = e.case_id LEFT JOIN entries a ON a.seq = c.accepted_seq
ORDER BY o.seq LIMIT ?
"""
#: The entries of a case; each by its own key, because the case may be another one's prefix.
_ENTRIES_OF_CASE = """
SELECT o.seq, o.waiting FROM outbox o WHERE o.seq IN (
    SELECT accepted_seq FROM cases WHERE id = ?1 UNION ALL SELECT decided_seq FROM cases WHERE id = ?1
    UNION ALL SELECT seq FROM reviews WHERE case_id = ?1)
"""


def pending(connection: apsw.Connection, limit: int) -> list[Event]:
    """The oldest `limit` events that wait, in order of recording."""
    rows = connection.execute(_PENDING, (limit,))
    found: list[Event] = []
    for row in rows:
        entry = entry_from(row[2:])
        waiting = {f"{entry.draft.case_id}:{part}" for part in orjson.loads(row[0])}
        found.extend(event for event in events(entry, row[1] or "") if event.id in waiting)
        if len(found) >= limit:
            break
    return found[: max(0, limit)]


def forget(connection: apsw.Connection, event_ids: Iterable[str]) -> None:
    """Remove published events; ids that do not wait are ignored."""
    published: dict[str, set[str]] = defaultdict(set)
    for event_id in event_ids:
        for case_id, part in _readings(event_id):
            published[case_id].add(part)
    for case_id, parts in published.items():
        for seq, waiting in list(_waiting(connection, case_id)):
            _keep(connection, seq, [part for part in orjson.loads(waiting) if part not in parts])


def discard(connection: apsw.Connection) -> None:
    """Remove every event that waits."""
    connection.execute("DELETE FROM outbox")


def depth(connection: apsw.Connection) -> int:
    """How many events wait."""
    return int(connection.execute("SELECT coalesce(sum(n_waiting), 0) FROM outbox").get)


def _readings(event_id: str) -> Iterator[tuple[str, str]]:
    """Every way to split an event id into a case id and the rest: nothing says that a case id has no colon."""
    parts = event_id.split(":")
    return ((":".join(parts[:n]), ":".join(parts[n:])) for n in range(1, len(parts)))


def _waiting(connection: apsw.Connection, case_id: str) -> Iterable[Any]:
    return connection.execute(_ENTRIES_OF_CASE, (case_id,))


def _keep(connection: apsw.Connection, seq: int, parts: list[str]) -> None:
    if parts:
        values = (canonical_json(parts).decode(), len(parts), seq)
        connection.execute("UPDATE outbox SET waiting = ?, n_waiting = ? WHERE seq = ?", values)
    else:
        connection.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
