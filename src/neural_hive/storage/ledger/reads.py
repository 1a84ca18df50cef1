"""What the SQLite ledger reads: cases by id, cases by filter, entries in order."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import apsw

from neural_hive.canonical import canonical_json
from neural_hive.contracts import Outcome, Page
from neural_hive.errors import NotFoundError
from neural_hive.ports import CaseCount, CaseQuery
from neural_hive.storage.ledger.chain import Draft, Entry
from neural_hive.storage.ledger.counting import first_id
from neural_hive.storage.ledger.records import CaseRows, Sealed, case_from

#: Cases on one page at most, so that one request cannot hold the ledger for long.
MAX_PAGE = 500

_WORDS = re.compile(r"[^\W_]+")
_CASES = """
SELECT c.id, a.body, d.body, d.hash, d.previous_hash, d.at
FROM cases c JOIN entries a ON a.seq = c.accepted_seq LEFT JOIN entries d ON d.seq = c.decided_seq
"""
_HAS_WORDS = "c.accepted_seq IN (SELECT rowid FROM case_words WHERE case_words MATCH ?)"
#: By period and outcome; the one bare column beside max() is the row's that has the maximum.
_TALLY = """
SELECT CAST(floor((unixepoch(a.at, 'subsec') - ?1) / ?2) AS INTEGER), c.outcome, count(*),
    sum(json_extract(d.body, '$.decision.risk')), count(v.verdict), sum(v.verdict IS c.outcome)
FROM cases c JOIN entries a ON a.seq = c.accepted_seq JOIN entries d ON d.seq = c.decided_seq
LEFT JOIN (SELECT case_id, verdict, max(seq) FROM reviews GROUP BY case_id) v ON v.case_id = c.id
WHERE c.tenant = ?3 AND c.id >= ?4 AND unixepoch(a.at, 'subsec') >= ?1 GROUP BY 1, 2 ORDER BY 1, 2
"""
_REVIEWS = """
SELECT r.case_id, e.body FROM reviews r JOIN entries e ON e.seq = r.seq
WHERE r.case_id IN (SELECT value FROM json_each(?)) ORDER BY r.seq
"""


def case_rows(connection: apsw.Connection, tenant: str, case_id: str) -> CaseRows:
    """One case of a tenant.

    Raises:
        NotFoundError: there is none, or it is another tenant's.
    """
    row = connection.execute(f"{_CASES} WHERE c.id = ? AND c.tenant = ?", (case_id, tenant)).fetchone()
    if row is None:
        raise NotFoundError(f"There is no case {case_id}.")
    return _with_reviews(connection, [row])[0]


def body(connection: apsw.Connection, seq: int) -> str:
    """The body of one entry."""
    return str(connection.execute("SELECT body FROM entries WHERE seq = ?", (seq,)).get)


def find(connection: apsw.Connection, query: CaseQuery) -> Page:
    """One page of a tenant's cases, newest first. See `Ledger.find`."""
    limit = min(max(1, query.limit), MAX_PAGE)
    where, values = _conditions(query)
    rows: list[Any] = connection.execute(f"{_CASES} WHERE {where} ORDER BY c.id DESC LIMIT ?", (*values, limit + 1)).fetchall()
    page = rows[:limit]
    items = tuple(case_from(case) for case in _with_reviews(connection, page))
    return Page(items=items, next_cursor=page[-1][0] if len(rows) > limit else None)


def tally(connection: apsw.Connection, tenant: str, since: datetime, period: timedelta) -> list[CaseCount]:
    """Decided cases by period and outcome. See `Ledger.tally`."""
    values = (since.timestamp(), period.total_seconds(), tenant, first_id(since))
    rows: list[Any] = connection.execute(_TALLY, values).fetchall()
    return [CaseCount(row[0], Outcome(row[1]), *row[2:]) for row in rows]


def entries(connection: apsw.Connection, after: int, limit: int, tenant: str | None = None) -> list[Entry]:
    """Entries after number `after`, in order; of one tenant if named."""
    rows = connection.execute(
        "SELECT seq, kind, case_id, tenant, at, body, previous_hash, hash FROM entries"
        " WHERE seq > ? AND (?2 IS NULL OR tenant = ?2) ORDER BY seq LIMIT ?3",
        (after, tenant, limit),
    )
    return [entry_from(row) for row in rows]


def columns(entry: Entry) -> tuple[int | str, ...]:
    """An entry as the table's columns, in their order."""
    draft = entry.draft
    body = draft.body.decode()
    return entry.seq, draft.kind, draft.case_id, draft.tenant, draft.at, body, entry.previous_hash, entry.hash


def entry_from(row: Sequence[Any]) -> Entry:
    """An entry from its columns, in the table's order."""
    seq, kind, case_id, tenant, at, body, previous_hash, hash_ = row
    return Entry(seq, Draft(kind, case_id, tenant, at, body.encode()), previous_hash, hash_)


def _conditions(query: CaseQuery) -> tuple[str, tuple[Any, ...]]:
    """The WHERE clause of a query; only constants are put into its text."""
    clauses: list[tuple[str, Any]] = [("c.tenant = ?", query.tenant)]
    if query.cursor is not None:
        clauses.append(("c.id < ?", query.cursor))
    if query.outcome is not None:
        clauses.append(("c.outcome = ?", query.outcome.value))
    if query.domain is not None:
        clauses.append(("c.domain = ?", query.domain))
    if query.waiting:
        clauses.append(("c.waiting = ?", 1))
    if query.text is not None and query.text.strip():
        clauses.append((_HAS_WORDS, _match(query.text)))
    return " AND ".join(clause for clause, _ in clauses), tuple(value for _, value in clauses)


def _match(text: str) -> str:
    """An FTS5 query for all words of `text`; nothing matches a text without words."""
    words = _WORDS.findall(unicodedata.normalize("NFC", text))
    return " AND ".join(f'"{word}"' for word in words) or '""'


def _with_reviews(connection: apsw.Connection, rows: Sequence[Sequence[Any]]) -> list[CaseRows]:
    reviews: dict[str, list[str]] = defaultdict(list)
    ids = canonical_json([row[0] for row in rows]).decode()
    for case_id, body in connection.execute(_REVIEWS, (ids,)):
        reviews[case_id].append(body)
    return [CaseRows(row[1], _sealed(row[2:]), tuple(reviews[row[0]])) for row in rows]


def _sealed(columns: Sequence[Any]) -> Sealed | None:
    body, hash_, previous_hash, at = columns
    return None if body is None else Sealed(body, hash_, previous_hash, at)
