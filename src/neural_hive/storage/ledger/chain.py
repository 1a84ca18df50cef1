"""The chain: entry → canonical bytes → hash, and whether a sequence of entries is as it was written. Pure.

An entry's bytes are the canonical JSON of `{at, body, case_id, kind, previous_hash, seq, tenant}`; its hash is their
SHA-256. The body is hashed as it is stored, byte for byte, so nothing depends on how a number is written.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    raw = entry_bytes(entry.seq, entry.draft, entry.previous_hash)
    return _find_break(_Link(entry.seq, entry.previous_hash, entry.hash, raw), head)


def export_row(entry: Entry) -> dict[str, Any]:
    """One row of an export: `{"entry": {…}, "hash": "…"}`, the entry as the very bytes that were hashed."""
    raw = entry_bytes(entry.seq, entry.draft, entry.previous_hash)
    return {"entry": orjson.Fragment(raw), "hash": entry.hash}


def export_line(row: dict[str, Any]) -> bytes:
    """The line that an export holds for a row, without the line feed. The entry's own bytes are `line[9:-75]`."""
    return canonical_json(row)


def verify_export(lines: Iterable[bytes | str], *, is_one_tenant: bool = False) -> Verification:
    """Check an exported ledger (JSONL) without its database.

    An export of one tenant has gaps where other tenants' entries are: there, order and every hash are checked but
    links only between neighbours. Entries cut off the end cannot be noticed from the export alone: compare
    the last hash with one that somebody holds, for example in a decision that was answered.
    """
    head, checked = Head(), 0
    for line in lines:
        raw = line.encode() if isinstance(line, str) else line
        if not raw.strip():
            continue
        link = _parse(raw.removesuffix(b"\n"))
        if link is None:
            reason = f"the row after entry {head.seq} is not as it was exported"
            return verification(Break(str(head.seq + 1), reason), checked)
        found = _find_break(link, _expected(link, head) if is_one_tenant else head)
        if found is not None:
            return verification(found, checked)
        head, checked = Head(link.seq, link.hash), checked + 1
    return verification(None, checked)


def verification(found: Break | None, checked: int) -> Verification:
    """What to answer for a break (or none) after `checked` good entries."""
    if found is None:
        return Verification(ok=True, checked=checked)
    return Verification(ok=False, checked=checked, first_broken=found.entry or None, reason=found.reason)


@dataclass(frozen=True, slots=True)
class _Link:
    """What decides an entry's place: `raw` is what its hash covers."""

    seq: int
    previous_hash: str
    hash: str
    raw: bytes


def _find_break(link: _Link, head: Head) -> Break | None:
    if link.seq != head.seq + 1:
        return Break(str(head.seq + 1), f"entry {head.seq + 1} is missing; the next one is {link.seq}")
    if link.previous_hash != head.hash:
        return Break(str(link.seq), f"entry {link.seq} does not follow the entry before it")
    if digest(link.raw) != link.hash:
        return Break(str(link.seq), f"entry {link.seq} does not have the hash it was given")
    return None


def _expected(link: _Link, head: Head) -> Head:
    """Where an entry of a one-tenant export must follow: any later place when there is a gap."""
    return Head(link.seq - 1, link.previous_hash) if link.seq > head.seq + 1 else head


def _parse(line: bytes) -> _Link | None:
    """The entry of one row, or None when the row is not one as an export writes it."""
    raw, hash_ = line[9:-75], line[-66:-2]
    if line != b'{"entry":' + raw + b',"hash":"' + hash_ + b'"}':
        return None
    try:
        fields = orjson.loads(raw)
        link = _Link(fields["seq"], fields["previous_hash"], hash_.decode("ascii"), raw)
    except (orjson.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return None
    return link if isinstance(link.seq, int) else None
