"""Whether a ledger in MongoDB is as it was written: every hash and link, every case, and nothing missing at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neural_hive.storage.ledger.chain import Break, EntryKind, Head, find_break
from neural_hive.storage.ledger.mongodb_connection import Collection
from neural_hive.storage.ledger.mongodb_documents import Document, disagreement, entry_from

#: Entries read at a time.
CHUNK = 500


async def find_first_break(entries: Collection, heads: Collection) -> tuple[Break | None, int]:
    """The first entry that is not as it was written, and how many good ones are before it."""
    witness = await heads.find_one({"_id": "head"}) or {"seq": 0, "hash": ""}
    head = Head()
    while chunk := await entries.find({"_id": {"$gt": head.seq}}).sort("_id", 1).limit(CHUNK).to_list():
        accepted, decided_seqs = await _cases_of(entries, chunk)
        for found in chunk:
            broken = _broken(found, head, witness) or disagreement(found, accepted.get(found["case_id"]), decided_seqs)
            if broken is not None:
                return broken, head.seq
            head = Head(found["_id"], found["hash"])
    if head.seq < witness["seq"]:
        return Break(str(head.seq + 1), f"entries {head.seq + 1} to {witness['seq']} are missing"), head.seq
    return await _stray(entries), head.seq


def _broken(found: Document, head: Head, witness: Document) -> Break | None:
    try:
        broken = find_break(entry_from(found), head)
    except (KeyError, AttributeError, TypeError):
        return Break(str(head.seq + 1), f"entry {head.seq + 1} does not have the fields of an entry")
    if broken is None and found["_id"] == witness["seq"] and found["hash"] != witness["hash"]:
        return Break(str(found["_id"]), f"entry {found['_id']} is not the one that was last seen there")
    return broken


async def _cases_of(entries: Collection, chunk: Sequence[Document]) -> tuple[Mapping[str, Document], Mapping[int, str]]:
    """The accepted entries of a chunk's cases by case id, and the decided entries that these point to."""
    ids = sorted({str(found.get("case_id")) for found in chunk})
    found = await entries.find({"case_id": {"$in": ids}, "kind": EntryKind.ACCEPTED}, {"case": 1, "case_id": 1}).to_list()
    seqs = [one["case"]["decided_seq"] for one in found if "decided_seq" in one.get("case", {})]
    decided = entries.find({"_id": {"$in": seqs}, "kind": EntryKind.DECIDED}, {"case_id": 1})
    return {one["case_id"]: one for one in found}, {one["_id"]: one["case_id"] async for one in decided}


async def _stray(entries: Collection) -> Break | None:
    """A document that is not an entry: its number is not in the chain."""
    stray = await entries.find_one({"$or": [{"_id": {"$lt": 1}}, {"_id": {"$not": {"$type": "number"}}}]}, {"_id": 1})
    return None if stray is None else Break("", f"the document {stray['_id']!r} is not an entry")
