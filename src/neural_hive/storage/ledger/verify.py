"""Whether a SQLite ledger is as it was written: every hash and link, and every case against its entries.

It reads in chunks, each in a snapshot of its own, so that a long check does not hold back the write-ahead log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw
import orjson

from neural_hive.storage.ledger.chain import Break, Draft, Entry, EntryKind, Head, find_break

#: Entries checked in one snapshot.
CHUNK = 500

#: Entries beside what the other tables say of them. Text comes as bytes: a changed byte may not be UTF-8 any more.
_ENTRIES = """
SELECT e.seq, CAST(e.kind AS BLOB), CAST(e.case_id AS BLOB), CAST(e.tenant AS BLOB), CAST(e.at AS BLOB),
    CAST(e.previous_hash AS BLOB), CAST(e.hash AS BLOB), CAST(e.body AS BLOB),
    c.accepted_seq, c.tenant IS e.tenant, c.decided_seq, CAST(c.outcome AS BLOB), CAST(c.domain AS BLOB),
    CAST(r.id AS BLOB), CAST(r.verdict AS BLOB)
FROM entries e LEFT JOIN cases c ON c.id = e.case_id
LEFT JOIN reviews r ON e.kind = 'reviewed' AND r.case_id = e.case_id AND r.seq = e.seq
WHERE e.seq > ? ORDER BY e.seq LIMIT ?
"""

#: Rows that point to an entry that is not there, or that say something else than it does; each with its entry's number.
_STRAYS = """
SELECT accepted_seq, 'a case has no accepted entry' FROM cases c WHERE NOT EXISTS
    (SELECT 1 FROM entries e WHERE e.seq = c.accepted_seq AND e.kind = 'accepted' AND e.case_id = c.id)
UNION ALL
SELECT decided_seq, 'a case has no decided entry' FROM cases c WHERE decided_seq IS NOT NULL AND NOT EXISTS
    (SELECT 1 FROM entries e WHERE e.seq = c.decided_seq AND e.kind = 'decided' AND e.case_id = c.id)
UNION ALL
SELECT seq, 'a review has no entry' FROM reviews r WHERE NOT EXISTS
    (SELECT 1 FROM entries e WHERE e.seq = r.seq AND e.kind = 'reviewed' AND e.case_id = r.case_id)
UNION ALL
SELECT coalesce(decided_seq, accepted_seq), 'a case is not in the review queue as it should be' FROM cases c
WHERE (waiting != 0 OR outcome = 'needs_review') AND waiting IS NOT (outcome IS 'needs_review' AND coalesce(
    (SELECT verdict FROM reviews r WHERE r.case_id = c.id ORDER BY seq DESC LIMIT 1), 'needs_review') = 'needs_review')
ORDER BY 1 LIMIT 1
"""


def check_entries(connection: apsw.Connection, head: Head) -> tuple[Head, Break | None]:
    """Check the next chunk after `head`; where it got to, and the first break. The same head again means the end."""
    try:
        for row in connection.execute(_ENTRIES, (head.seq, CHUNK)):
            found = _check(row, head)
            if found is not None:
                return head, found
            head = Head(row[0], bytes(row[6]).decode())
    except (apsw.CorruptError, apsw.NotADBError, apsw.IOError) as error:
        return head, Break(str(head.seq + 1), f"entry {head.seq + 1} cannot be read: {error}")
    return head, None


def check_rest(connection: apsw.Connection) -> Break | None:
    """Check that nothing points to an entry that is not there, and that the file itself is whole."""
    try:
        row = connection.execute(_STRAYS).fetchone()
        if row is not None:
            return Break(str(row[0]), f"entry {row[0]}: {row[1]}")
        report = connection.execute("PRAGMA integrity_check(1)").get
    except (apsw.CorruptError, apsw.NotADBError, apsw.IOError) as error:
        return Break("", f"the file cannot be read: {error}")
    return None if report == "ok" else Break("", f"the file is damaged: {report}")


def _check(row: Sequence[Any], head: Head) -> Break | None:
    try:
        entry = _entry(row)
    except UnicodeDecodeError:
        return Break(str(head.seq + 1), f"entry {head.seq + 1} holds bytes that are not text")
    return find_break(entry, head) or _disagreement(entry, row[8:])


def _entry(row: Sequence[Any]) -> Entry:
    kind, case_id, tenant, at, previous_hash, hash_ = (bytes(column).decode() for column in row[1:7])
    return Entry(row[0], Draft(kind, case_id, tenant, at, bytes(row[7])), previous_hash, hash_)


def _disagreement(entry: Entry, projection: Sequence[Any]) -> Break | None:
    """Where the case's row says something else than this entry, whose own bytes are good."""
    accepted_seq, is_same_tenant, decided_seq, outcome, domain, review_id, verdict = projection
    kind, body = entry.draft.kind, entry.draft.body
    if kind == EntryKind.ACCEPTED:
        agrees = accepted_seq == entry.seq and bool(is_same_tenant)
    elif kind == EntryKind.DECIDED:
        agrees = decided_seq == entry.seq and [outcome, domain] == _decided_columns(body)
    else:
        agrees = [review_id, verdict] == _reviewed_columns(body)
    reason = f"the case {entry.draft.case_id} is not what entry {entry.seq} ({kind}) says"
    return None if agrees else Break(str(entry.seq), reason)


def _decided_columns(body: bytes) -> list[bytes]:
    data = orjson.loads(body)
    return [data["decision"]["outcome"].encode(), data["understanding"]["domain"].encode()]


def _reviewed_columns(body: bytes) -> list[bytes]:
    data = orjson.loads(body)
    return [data["id"].encode(), data["verdict"].encode()]
