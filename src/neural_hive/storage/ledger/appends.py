"""What the SQLite ledger writes. Every function runs inside the writer's transaction, on the writer's thread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import apsw

from neural_hive.canonical import canonical_json
from neural_hive.contracts import EventType
from neural_hive.errors import ConflictError, IdempotencyConflictError, NotFoundError
from neural_hive.ports import IdempotencyKey
from neural_hive.storage.ledger import reads
from neural_hive.storage.ledger.chain import Draft, Entry, EntryKind, Head, seal
from neural_hive.storage.ledger.records import CaseRows, Sealed, event_part, utc_text, waits_for_a_person


@dataclass(frozen=True, slots=True)
class NewCase:
    """An intent ready to be recorded. `words`: its text, NFC. `lease_until`: POSIX seconds."""

    id: str
    tenant: str
    body: bytes
    words: str
    idempotency: IdempotencyKey | None
    lease_until: float


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A judgement ready to be recorded: the body of its entry, and what lists filter by.

    wants_accepted: give back the accepted body as well, which the caller does not have.
    """

    case_id: str
    body: bytes
    event_parts: list[str]
    outcome: str
    domain: str
    wants_accepted: bool = True


@dataclass(frozen=True, slots=True)
class NewReview:
    """A person's verdict ready to be recorded; `body` is the review's."""

    tenant: str
    case_id: str
    id: str
    verdict: str
    body: bytes


def accept(connection: apsw.Connection, new: NewCase) -> CaseRows | None:
    """Record an intent; None when it is new, the case's rows when it was there. See `Ledger.accept`."""
    existing = _by_key(connection, new) or _by_id(connection, new)
    if existing is not None:
        return existing
    draft = _draft(EntryKind.ACCEPTED, new.id, new.tenant, new.body)
    entry = _append(connection, draft, [event_part(EventType.ACCEPTED)])
    connection.execute(
        "INSERT INTO cases (accepted_seq, id, tenant, lease_until) VALUES (?, ?, ?, ?)",
        (entry.seq, new.id, new.tenant, new.lease_until),
    )
    connection.execute("INSERT INTO case_words (rowid, text) VALUES (?, ?)", (entry.seq, new.words))
    _bind_key(connection, new)
    return None


def _by_key(connection: apsw.Connection, new: NewCase) -> CaseRows | None:
    if new.idempotency is None:
        return None
    row = connection.execute(
        "SELECT body_digest, case_id FROM idempotency WHERE tenant = ? AND key = ?", (new.tenant, new.idempotency.key)
    ).fetchone()
    if row is None:
        return None
    if row[0] != new.idempotency.body_digest:
        raise IdempotencyConflictError
    return reads.case_rows(connection, new.tenant, row[1])


def _by_id(connection: apsw.Connection, new: NewCase) -> CaseRows | None:
    row = connection.execute("SELECT accepted_seq FROM cases WHERE id = ?", (new.id,)).fetchone()
    if row is None:
        return None
    if reads.body(connection, row[0]).encode() != new.body:
        raise ConflictError(f"The case {new.id} exists already with another content; use a new id.")
    _bind_key(connection, new)
    return reads.case_rows(connection, new.tenant, new.id)


def _bind_key(connection: apsw.Connection, new: NewCase) -> None:
    if new.idempotency is not None:
        connection.execute(
            "INSERT INTO idempotency VALUES (?, ?, ?, ?)",
            (new.tenant, new.idempotency.key, new.idempotency.body_digest, new.id),
        )


def decide(connection: apsw.Connection, new: NewDecision) -> tuple[CaseRows, bool]:
    """Record a decision once; the case's rows, and whether it was decided before. See `Ledger.record_decision`."""
    row = connection.execute("SELECT tenant, accepted_seq, decided_seq FROM cases WHERE id = ?", (new.case_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"There is no case {new.case_id}.")
    tenant, accepted_seq, decided_seq = row
    if decided_seq is not None:
        return reads.case_rows(connection, tenant, new.case_id), True
    entry = _append(connection, _draft(EntryKind.DECIDED, new.case_id, tenant, new.body), new.event_parts)
    connection.execute(
        "UPDATE cases SET decided_seq = ?, outcome = ?, domain = ?, waiting = ? WHERE id = ?",
        (entry.seq, new.outcome, new.domain, waits_for_a_person(new.outcome, None), new.case_id),
    )
    accepted = reads.body(connection, accepted_seq) if new.wants_accepted else ""
    return CaseRows(accepted, Sealed(new.body, entry.hash, entry.previous_hash, entry.draft.at)), False


def review(connection: apsw.Connection, new: NewReview) -> CaseRows:
    """Record a person's verdict once; the case's rows after it. See `Ledger.add_review`."""
    row = connection.execute(
        "SELECT decided_seq, outcome FROM cases WHERE id = ? AND tenant = ?", (new.case_id, new.tenant)
    ).fetchone()
    if row is None:
        raise NotFoundError(f"There is no case {new.case_id}.")
    if row[0] is None:
        raise ConflictError(f"The case {new.case_id} is not decided yet; review it when it is.")
    known = connection.execute("SELECT 1 FROM reviews WHERE case_id = ? AND id = ?", (new.case_id, new.id)).fetchone()
    if known is None:
        _append_review(connection, new, row[1])
    return reads.case_rows(connection, new.tenant, new.case_id)


def _append_review(connection: apsw.Connection, new: NewReview, outcome: str) -> None:
    draft = _draft(EntryKind.REVIEWED, new.case_id, new.tenant, new.body)
    entry = _append(connection, draft, [event_part(EventType.REVIEWED, new.id)])
    connection.execute("INSERT INTO reviews VALUES (?, ?, ?, ?)", (new.case_id, new.id, entry.seq, new.verdict))
    is_waiting = waits_for_a_person(outcome, new.verdict)
    connection.execute("UPDATE cases SET waiting = ? WHERE id = ?", (is_waiting, new.case_id))


def claim(connection: apsw.Connection, limit: int, now: float, lease_until: float) -> list[CaseRows]:
    """Lease unfinished cases whose lease has run out, oldest first. Times are POSIX seconds."""
    due: Iterable[Any] = connection.execute(
        "SELECT accepted_seq, tenant, id FROM cases WHERE decided_seq IS NULL AND lease_until <= ? ORDER BY accepted_seq LIMIT ?",
        (now, limit),
    )
    rows = list(due)
    for seq, _, _ in rows:
        connection.execute("UPDATE cases SET lease_until = ? WHERE accepted_seq = ?", (lease_until, seq))
    return [reads.case_rows(connection, tenant, case_id) for _, tenant, case_id in rows]


def _draft(kind: EntryKind, case_id: str, tenant: str, body: bytes) -> Draft:
    return Draft(kind.value, case_id, tenant, utc_text(datetime.now(UTC)), body)


def _append(connection: apsw.Connection, draft: Draft, event_parts: list[str]) -> Entry:
    """Put one entry at the end of the chain and its events into the outbox.

    The chain's end is read inside the transaction, which holds the write lock: other processes may append as well.
    """
    entry = seal(draft, _head(connection))
    connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", reads.columns(entry))
    waiting = canonical_json(event_parts).decode()
    connection.execute("INSERT INTO outbox VALUES (?, ?, ?)", (entry.seq, waiting, len(event_parts)))
    return entry


def _head(connection: apsw.Connection) -> Head:
    row = connection.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    return Head() if row is None else Head(*row)
