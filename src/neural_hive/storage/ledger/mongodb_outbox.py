"""The outbox in MongoDB: an entry's document has the ids of its events that wait; their content is the entry itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

import orjson

from neural_hive.contracts import Event
from neural_hive.storage.ledger.chain import EntryKind
from neural_hive.storage.ledger.mongodb_connection import Collection
from neural_hive.storage.ledger.mongodb_documents import Document, entry_from
from neural_hive.storage.ledger.records import events

_UNPUBLISHED: Document = {"unpublished": {"$gt": 0}, "waiting.0": {"$exists": True}}


async def pending(entries: Collection, limit: int) -> list[Event]:
    """The oldest `limit` events that wait, in order of recording."""
    found, n_waiting = list[Document](), 0
    async for one in entries.find(_UNPUBLISHED).sort("unpublished", 1).limit(max(1, limit)):
        found.append(one)
        n_waiting += len(one["waiting"])
        if n_waiting >= limit:
            break
    traces = await _traces(entries, {one["case_id"] for one in found})
    named = ((one, traces.get(one["case_id"], "")) for one in found)
    waiting = [event for one, trace in named for event in events(entry_from(one), trace) if event.id in one["waiting"]]
    return waiting[: max(0, limit)]


async def _traces(entries: Collection, case_ids: AbstractSet[str]) -> dict[str, str]:
    """The trace of each case's intent."""
    accepted = {"case_id": {"$in": sorted(case_ids)}, "kind": EntryKind.ACCEPTED.value}
    return {one["case_id"]: orjson.loads(one["body"]).get("trace", "") async for one in entries.find(accepted)}


async def forget(entries: Collection, event_ids: Iterable[str]) -> None:
    """Remove published events; ids that do not wait are ignored. Dying between the two writes leaves nothing to do."""
    published = sorted(set(event_ids))
    cases = sorted({case_id for event_id in published for case_id in _possible_cases(event_id)})
    if cases:
        those = {"case_id": {"$in": cases}, "unpublished": {"$gt": 0}}
        await entries.update_many(those, {"$pull": {"waiting": {"$in": published}}})
        await entries.update_many({**those, "waiting": {"$size": 0}}, {"$unset": {"unpublished": ""}})


async def depth(entries: Collection) -> int:
    """How many events wait."""
    count = {"_id": None, "n": {"$sum": {"$size": "$waiting"}}}
    answer = await entries.aggregate([{"$match": _UNPUBLISHED}, {"$group": count}])
    return sum([one["n"] async for one in answer])


def _possible_cases(event_id: str) -> Sequence[str]:
    """The case ids that an event id may start with: `case:type` or `case:type:detail`."""
    parts = event_id.split(":")
    return [":".join(parts[:n]) for n in range(1, len(parts))]
