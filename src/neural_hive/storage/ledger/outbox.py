"""The SQLite outbox: which events of which entries wait to be published. Their content stays in the entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apsw
import orjson

from neural_hive.canonical import canonical_json
from neural_hive.contracts import Event
from neural_hive.storage.ledger.reads import entry_from
from neural_hive.storage.ledger.records import events


def pending(connection: apsw.Connection, limit: int) -> list[Event]:
    """The oldest `limit` events that wait, in order of recording."""
    rows = connection.execute(
        "SELECT o.event_ids, e.seq, e.kind, e.case_id, e.tenant, e.at, e.body, e.previous_hash, e.hash"
        " FROM outbox o JOIN entries e ON e.seq = o.seq ORDER BY o.seq LIMIT ?",
        (limit,),
    )
    found: list[Event] = []
    for row in rows:
        waiting = frozenset(orjson.loads(row[0]))
        found.extend(event for event in events(entry_from(row[1:])) if event.id in waiting)
        if len(found) >= limit:
            break
    return found[: max(0, limit)]


def forget(connection: apsw.Connection, event_ids: Sequence[str]) -> None:
    """Remove published events; ids that do not wait are ignored."""
    published = frozenset(event_ids)
    for case_id in {case_id for event_id in published for case_id in _possible_cases(event_id)}:
        rows: Iterable[Any] = connection.execute("SELECT seq, event_ids FROM outbox WHERE case_id = ?", (case_id,))
        for seq, ids in list(rows):
            _keep(connection, seq, [event_id for event_id in orjson.loads(ids) if event_id not in published])


def _possible_cases(event_id: str) -> Iterator[str]:
    """The case ids that an event id may start with: `case:type` or `case:type:detail`."""
    parts = event_id.split(":")
    return (":".join(parts[:n]) for n in range(1, len(parts)))


def depth(connection: apsw.Connection) -> int:
    """How many events wait."""
    return int(connection.execute("SELECT coalesce(sum(n_events), 0) FROM outbox").get)


def _keep(connection: apsw.Connection, seq: int, event_ids: list[str]) -> None:
    if event_ids:
        values = (canonical_json(event_ids).decode(), len(event_ids), seq)
        connection.execute("UPDATE outbox SET event_ids = ?, n_events = ? WHERE seq = ?", values)
    else:
        connection.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
