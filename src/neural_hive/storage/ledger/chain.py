"""The chain: entry → canonical bytes → hash, and whether a sequence of entries is as it was written. Pure.

An entry's bytes are the canonical JSON of `{at, body, case_id, kind, previous_hash, seq, tenant}`; its hash is their
SHA-256. The body is hashed as it is stored, byte for byte, so nothing depends on how a number is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from neural_hive.canonical import canonical_json, digest
from neural_hive.contracts import Verification

#: `previous_hash` of the first entry.
GENESIS = "0" * 64


class EntryKind(StrEnum):
    """What an entry records."""

    ACCEPTED = "accepted"
    DECIDED = "decided"
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a place in the chain.

    body: canonical JSON. at: UTC, written `2026-01-31T12:00:00.000000Z`.
    """

    kind: str
    case_id: str
    tenant: str
    at: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: the last entry's number (from 1; 0 for an empty chain) and hash."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Entry:
    """One link: what was recorded, where it stands, and its hash."""

    seq: int
    draft: Draft
    previous_hash: str
    hash: str

    @property
    def head(self) -> Head:
        """The chain's end once this entry is its last."""
        return Head(self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain is not as it was written. `entry` is the number of the first such entry, in decimal."""

    entry: str
    reason: str


def entry_bytes(seq: int, draft: Draft, previous_hash: str) -> bytes:
    """The canonical JSON that an entry's hash covers."""
    return canonical_json(
        {
            "at": draft.at,
            "body": orjson.Fragment(draft.body),
            "case_id": draft.case_id,
            "kind": draft.kind,
            "previous_hash": previous_hash,
            "seq": seq,
            "tenant": draft.tenant,
        }
    )


def seal(draft: Draft, head: Head) -> Entry:
    """The entry that puts `draft` after `head`."""
    seq = head.seq + 1
    return Entry(seq, draft, head.hash, digest(entry_bytes(seq, draft, head.hash)))


def find_break(entry: Entry, head: Head) -> Break | None:
    """Why `entry` cannot be the one that was written after `head`, or None if it can."""
    if entry.seq != head.seq + 1:
        return Break(str(head.seq + 1), f"entry {head.seq + 1} is missing; the next one is {entry.seq}")
    if entry.previous_hash != head.hash:
        return Break(str(entry.seq), f"entry {entry.seq} ({entry.draft.kind}) does not follow the entry before it")
    if digest(entry_bytes(entry.seq, entry.draft, entry.previous_hash)) != entry.hash:
        return Break(str(entry.seq), f"entry {entry.seq} ({entry.draft.kind}) does not have the hash it was given")
    return None


def export_row(entry: Entry) -> dict[str, Any]:
    """One row of an export: `{"entry": {…}, "hash": "…"}`. Write it with `export_line`."""
    return {"entry": orjson.loads(entry_bytes(entry.seq, entry.draft, entry.previous_hash)), "hash": entry.hash}


def export_line(row: dict[str, Any]) -> bytes:
    """The line that an export holds for a row, without the line feed. The entry's own bytes are `line[9:-76]`."""
    return canonical_json(row)


def verify_export(lines: Iterable[bytes | str], *, is_one_tenant: bool = False) -> Verification:
    """Check an exported ledger (JSONL) without its database.

    An export of one tenant has gaps where other tenants' entries are: there, order and every hash are checked but
    links only between neighbours. Entries cut off the end cannot be noticed from the export alone: compare
    the last hash with one that somebody holds, for example in a decision that was answered.
    """
    head, checked = Head(), 0
    for entry in _parsed(lines):
        if entry is None:
            found: Break | None = Break(str(head.seq + 1), f"the row after entry {head.seq} is not as it was exported")
        else:
            found = find_break(entry, _expected(entry, head) if is_one_tenant else head)
        if found is not None or entry is None:
            return verification(found, checked)
        head, checked = entry.head, checked + 1
    return verification(None, checked)


def verification(found: Break | None, checked: int) -> Verification:
    """What to answer for a break (or none) after `checked` good entries."""
    if found is None:
        return Verification(ok=True, checked=checked)
    return Verification(ok=False, checked=checked, first_broken=found.entry or None, reason=found.reason)


def _expected(entry: Entry, head: Head) -> Head:
    """Where an entry of a one-tenant export must follow: any later place when there is a gap."""
    return Head(entry.seq - 1, entry.previous_hash) if entry.seq > head.seq + 1 else head


def _parsed(lines: Iterable[bytes | str]) -> Iterator[Entry | None]:
    """The entries of an export; None for a row that is not one."""
    for line in lines:
        if line.strip():
            yield _parse(line)


def _parse(line: bytes | str) -> Entry | None:
    """The entry of one row, or None when the row is not, byte for byte, what an export writes."""
    raw = line.encode() if isinstance(line, str) else line
    try:
        row = orjson.loads(raw)
        fields = row["entry"]
        draft = Draft(fields["kind"], fields["case_id"], fields["tenant"], fields["at"], canonical_json(fields["body"]))
        entry = Entry(fields["seq"], draft, fields["previous_hash"], row["hash"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    is_as_written = isinstance(entry.seq, int) and export_line(export_row(entry)) == raw.strip()
    return entry if is_as_written else None
