"""The ledger's tables, as numbered migrations. Format version 1 is described in docs/reference/ledger.md.

Never change a migration that was released: add one.
"""

from __future__ import annotations

from neural_hive.storage.sqlite.migrations import Migration

ROLE = "ledger"

MIGRATIONS = (
    Migration(
        1,
        "The entries are the record: one row per accepted intent, decision and review, never changed or removed.",
        """
        CREATE TABLE entries (
            seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, case_id TEXT NOT NULL, tenant TEXT NOT NULL, at TEXT NOT NULL,
            body TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL
        ) STRICT;
        CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
            BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;
        CREATE TRIGGER entries_are_never_removed BEFORE DELETE ON entries
            BEGIN SELECT RAISE(ABORT, 'ledger entries are never removed'); END;
        CREATE TRIGGER entries_are_added_at_the_end BEFORE INSERT ON entries
            WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entries)
            BEGIN SELECT RAISE(ABORT, 'ledger entries are never put between others'); END;
        """,
    ),
    Migration(
        2,
        "The cases point into the entries and hold only what lists, filters and leases need.",
        """
        CREATE TABLE cases (
            accepted_seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, decided_seq INTEGER,
            outcome TEXT, domain TEXT, waiting INTEGER NOT NULL DEFAULT 0, lease_until REAL NOT NULL
        ) STRICT;
        CREATE INDEX cases_of_a_tenant ON cases (tenant, id);
        CREATE INDEX cases_by_outcome ON cases (tenant, outcome, id) WHERE outcome IS NOT NULL;
        CREATE INDEX cases_by_domain ON cases (tenant, domain, id) WHERE domain IS NOT NULL;
        CREATE INDEX cases_that_wait ON cases (tenant, id) WHERE waiting = 1;
        CREATE INDEX cases_unfinished ON cases (accepted_seq, lease_until) WHERE decided_seq IS NULL;
        CREATE TABLE reviews (
            case_id TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, verdict TEXT NOT NULL,
            PRIMARY KEY (case_id, id)
        ) STRICT, WITHOUT ROWID;
        CREATE VIRTUAL TABLE case_words USING fts5(text, content = '', tokenize = "unicode61 remove_diacritics 2");
        """,
    ),
    Migration(
        3,
        "The idempotency keys say which case a tenant's key belongs to.",
        """
        CREATE TABLE idempotency (
            tenant TEXT NOT NULL, key TEXT NOT NULL, body_digest TEXT NOT NULL, case_id TEXT NOT NULL,
            PRIMARY KEY (tenant, key)
        ) STRICT, WITHOUT ROWID;
        """,
    ),
    Migration(
        4,
        "The outbox says which events of which entries are not published yet; their content is in the entries.",
        """
        CREATE TABLE outbox (
            seq INTEGER PRIMARY KEY, waiting TEXT NOT NULL, n_waiting INTEGER NOT NULL
        ) STRICT;
        """,
    ),
)
