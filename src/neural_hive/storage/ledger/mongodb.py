"""The ledger and its outbox on MongoDB, correct without transactions over several documents.

Every append is one insert (`mongodb_chain.py`), and that document holds the entry and its events. What lists and
leases need is beside the case's accepted entry and is brought up to date after each later entry; entries whose case
is not up to date are marked, and whoever finds one finishes the work of a writer that died.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from pymongo import AsyncMongoClient, ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError

from neural_hive.contracts import (
    Case,
    CaseStatus,
    Decision,
    Event,
    EventType,
    Intent,
    Opinion,
    Page,
    Review,
    Understanding,
    Verification,
)
from neural_hive.errors import ConflictError, IdempotencyConflictError
from neural_hive.ports import Accepted, CaseCount, CaseQuery, IdempotencyKey
from neural_hive.storage.faults import Faults
from neural_hive.storage.ledger import mongodb_documents as documents
from neural_hive.storage.ledger import mongodb_outbox as outbox
from neural_hive.storage.ledger import records
from neural_hive.storage.ledger.chain import Draft, EntryKind, export_row, verification
from neural_hive.storage.ledger.counting import Decided, counts, first_id
from neural_hive.storage.ledger.mongodb_chain import Appender
from neural_hive.storage.ledger.mongodb_connection import Document, connect, database, faults
from neural_hive.storage.ledger.mongodb_documents import NewEntry
from neural_hive.storage.ledger.mongodb_verify import find_first_break
from neural_hive.storage.resources import Resources

#: Cases on one page at most, so that one request cannot hold the ledger for long.
MAX_PAGE = 500
#: Longest `ping` may take, in seconds.
PING_S = 1.8


class MongoLedger:
    """Implements `Ledger` and `Outbox`. Connects when it is first used; many processes may use one database."""

    def __init__(self, client: AsyncMongoClient[Document], faults: Faults, clock: Callable[[], float] = time.time) -> None:
        """Whoever opened `client` closes it. `clock`: POSIX seconds, for leases; the same for all processes."""
        self._entries = database(client)["entries"]
        self._heads = database(client)["heads"]
        self._appender = Appender(self._entries, self._heads)
        self._faults = faults
        self._clock = clock
        self._lock = asyncio.Lock()
        self._is_ready = False

    async def accept(self, intent: Intent, idempotency: IdempotencyKey | None = None, *, lease_s: float = 30.0) -> Accepted:
        """See `Ledger.accept`."""
        new = _accepted_entry(intent, idempotency, self._clock() + lease_s)
        with self._faults.translated():
            await self._prepare()
            while await self._appender.append(new) is None:
                existing = await self._existing(new)
                if existing is not None:
                    return Accepted(existing, is_existing=True)
        return Accepted(Case(id=intent.id, status=CaseStatus.ACCEPTED, intent=intent), is_existing=False)

    async def record_decision(
        self, case_id: str, understanding: Understanding, opinions: Sequence[Opinion], decision: Decision
    ) -> Case:
        """See `Ledger.record_decision`."""
        judgement = records.judgement(understanding, opinions, decision)
        body, parts = records.body(judgement), records.decided_event_parts(opinions)
        with self._faults.translated():
            await self._prepare()
            found = await self._documents({"case_id": case_id})
            rows = documents.rows_from(found, case_id)
            if rows.decided is None:
                new = NewEntry(_draft(EntryKind.DECIDED, case_id, found[0]["tenant"], body), parts)
                found = await self._with(found, new)
            await self._show(found)
        return records.case_from(documents.rows_from(found, case_id))

    async def add_review(self, tenant: str, case_id: str, review: Review) -> Case:
        """See `Ledger.add_review`."""
        draft = _draft(EntryKind.REVIEWED, case_id, tenant, records.body(review))
        new = NewEntry(draft, [records.event_part(EventType.REVIEWED, review.id)], review.id)
        with self._faults.translated():
            await self._prepare()
            found = await self._documents({"case_id": case_id, "tenant": tenant})
            if documents.rows_from(found, case_id).decided is None:
                raise ConflictError(f"The case {case_id} is not decided yet; review it when it is.")
            if not any(one["kind"] == EntryKind.REVIEWED and one["detail"] == review.id for one in found):
                await self._appender.append(new)
                found = await self._documents({"case_id": case_id})
            await self._show(found)
        return records.case_from(documents.rows_from(found, case_id))

    async def get(self, tenant: str, case_id: str) -> Case:
        """See `Ledger.get`."""
        with self._faults.translated():
            found = await self._documents({"case_id": case_id, "tenant": tenant})
        return records.case_from(documents.rows_from(found, case_id))

    async def find(self, query: CaseQuery) -> Page:
        """See `Ledger.find`."""
        limit = min(max(1, query.limit), MAX_PAGE)
        with self._faults.translated():
            await self._prepare()
            listed = self._entries.find(documents.list_filter(query), {"case_id": 1}).sort("case.id", -1)
            ids = [one["case_id"] for one in await listed.limit(limit + 1).to_list()]
            items = await self._cases(ids[:limit])
        return Page(items=tuple(items), next_cursor=ids[limit - 1] if len(ids) > limit else None)

    async def tally(self, tenant: str, since: datetime, period: timedelta) -> Sequence[CaseCount]:
        """See `Ledger.tally`. Reads the decisions of the time asked for: their bodies are text to the server."""
        wanted = {"case.tenant": tenant, "case.id": {"$gte": first_id(since)}, "case.decided_seq": {"$gt": 0}}
        decided: list[Decided] = []
        with self._faults.translated():
            await self._prepare()
            at = {
                one["case_id"]: documents.moment(one["at"]) async for one in self._entries.find(wanted, {"case_id": 1, "at": 1})
            }
            ids = [case_id for case_id, when in at.items() if when >= since]
            for start in range(0, len(ids), MAX_PAGE):
                later = {"case_id": {"$in": ids[start : start + MAX_PAGE]}, "kind": {"$ne": EntryKind.ACCEPTED}}
                decided += documents.decided_cases(await self._documents(later), at)
        return counts(decided, since, period)

    async def claim_unfinished(self, limit: int, lease_s: float) -> Sequence[Case]:
        """See `Ledger.claim_unfinished`."""
        with self._faults.translated():
            await self._prepare()
            await self._finish_shown()
            now = self._clock()
            ids = [case_id async for case_id in self._leased(limit, now, now + lease_s)]
            claimed = await self._cases(ids)
        return [case for case in claimed if case.status == CaseStatus.ACCEPTED]

    async def verify(self) -> Verification:
        """See `Ledger.verify`. `first_broken` is the number of an entry."""
        with self._faults.translated():
            await self._prepare()
            found, n_checked = await find_first_break(self._entries, self._heads)
        return verification(found, n_checked)

    async def export(self, tenant: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """Every entry in order, or one tenant's, as `chain.export_row`; write them with `chain.export_line`."""
        wanted = {} if tenant is None else {"tenant": tenant}
        with self._faults.translated():
            async for found in self._entries.find(wanted).sort("_id", 1):
                yield export_row(documents.entry_from(found))

    async def ping(self) -> None:
        """See `Ledger.ping`."""
        with self._faults.translated():
            async with asyncio.timeout(PING_S):
                await self._heads.update_one({"_id": "ping"}, {"$set": {"at": self._clock()}}, upsert=True)

    async def pending(self, limit: int) -> Sequence[Event]:
        """See `Outbox.pending`."""
        with self._faults.translated():
            await self._prepare()
            await self._finish_shown()
            return await outbox.pending(self._entries, limit)

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        """See `Outbox.mark_published`."""
        with self._faults.translated():
            await self._prepare()
            await outbox.forget(self._entries, event_ids)

    async def discard(self) -> None:
        """See `Outbox.discard`."""
        while events := await self.pending(512):
            await self.mark_published([event.id for event in events])

    async def depth(self) -> int:
        """See `Outbox.depth`."""
        with self._faults.translated():
            return await outbox.depth(self._entries)

    async def close(self) -> None:
        """Finish what is being written. The client is left to whoever opened it."""
        await self._appender.close()

    async def _prepare(self) -> None:
        """Make the indexes, once, and finish what a writer that died has left."""
        async with self._lock:
            if self._is_ready:
                return
            for name, (keys, options) in documents.INDEXES.items():
                await self._entries.create_index(keys, name=name, **options)
            await self._heads.update_one({"_id": "head"}, {"$setOnInsert": {"seq": 0, "hash": ""}}, upsert=True)
            await self._finish_shown()
            self._is_ready = True

    async def _existing(self, new: NewEntry) -> Case | None:
        """The case that has the new entry's key or id; None if there is none any more in its way."""
        keys: Sequence[Mapping[str, str]] = new.beside.get("keys", ())
        same = [await self._documents({**wanted, "kind": EntryKind.ACCEPTED}) for wanted in new.identities]
        for found in chain.from_iterable(same):
            known = {key["id"]: key["digest"] for key in found.get("keys", ())}
            if any(known.get(key["id"], key["digest"]) != key["digest"] for key in keys):
                raise IdempotencyConflictError
            if any(key["id"] in known for key in keys):
                return await self._case(found["case_id"])
        return await self._same_id(new, keys)

    async def _same_id(self, new: NewEntry, keys: Sequence[Mapping[str, str]]) -> Case | None:
        """The case with the new entry's id, which the keys then belong to as well."""
        case_id = new.draft.case_id
        found = await self._entries.find_one({"case_id": case_id, "kind": EntryKind.ACCEPTED})
        if found is None:
            return None
        if found["body"].encode() != new.draft.body:
            raise ConflictError(f"The case {case_id} exists already with another content; use a new id.")
        if keys:
            try:
                await self._entries.update_one({"_id": found["_id"]}, {"$push": {"keys": {"$each": list(keys)}}})
            except DuplicateKeyError:
                return None  # another request has just given the key to another case
        return await self._case(case_id)

    async def _with(self, found: list[Document], new: NewEntry) -> list[Document]:
        """The documents of an accepted case once a decision is appended: `new`, or another's that was faster."""
        entry = await self._appender.append(new)
        if entry is None:
            return await self._documents({"case_id": new.draft.case_id})
        return [*found, documents.document(entry, new)]

    async def _show(self, found: Sequence[Document]) -> None:
        """Bring the case beside its accepted entry up to date with its later entries, given all of them in order."""
        decided = next((one for one in found if one["kind"] == EntryKind.DECIDED), None)
        late = [one for one in found if "unprojected" in one]
        if decided is None or not late:
            return
        outcome, changes = documents.outcome_of(decided), []
        for one in late:
            stale = {"_id": found[0]["_id"], "case.version": {"$lt": one["_id"]}}
            shown = documents.projection(documents.entry_from(one), outcome)
            changes += [
                UpdateOne(stale, {"$set": shown}),
                UpdateOne({"_id": one["_id"]}, {"$unset": {"unprojected": ""}}),
            ]
        await self._entries.bulk_write(changes, ordered=True)

    async def _finish_shown(self) -> None:
        """Bring up to date what a writer that died has left."""
        late = await self._entries.distinct("case_id", {"unprojected": {"$gt": 0}})
        for case_id in late:
            await self._show(await self._documents({"case_id": case_id}))

    async def _leased(self, limit: int, now: float, until: float) -> AsyncIterator[str]:
        due = {"case.is_open": True, "case.lease_until": {"$lte": now}}
        for _ in range(limit):
            found = await self._entries.find_one_and_update(
                due,
                {"$set": {"case.lease_until": until}},
                {"case_id": 1},
                sort=[("_id", 1)],
                return_document=ReturnDocument.AFTER,
            )
            if found is None:
                return
            yield found["case_id"]

    async def _documents(self, wanted: Document) -> list[Document]:
        return await self._entries.find(wanted).sort("_id", 1).to_list()

    async def _case(self, case_id: str) -> Case:
        return (await self._cases([case_id]))[0]

    async def _cases(self, ids: Sequence[str]) -> list[Case]:
        """The cases with these ids, in this order."""
        by_case: dict[str, list[Document]] = {case_id: [] for case_id in ids}
        for found in await self._documents({"case_id": {"$in": list(ids)}}):
            by_case[found["case_id"]].append(found)
        return [records.case_from(documents.rows_from(found, case_id)) for case_id, found in by_case.items()]


def _accepted_entry(intent: Intent, idempotency: IdempotencyKey | None, lease_until: float) -> NewEntry:
    draft = _draft(EntryKind.ACCEPTED, intent.id, intent.tenant, records.body(intent))
    beside: Document = {"case": documents.case_document(intent.tenant, intent.id, intent.text, lease_until)}
    if idempotency is not None:
        beside["keys"] = [documents.key_document(intent.tenant, idempotency)]
    return NewEntry(draft, [records.event_part(EventType.ACCEPTED)], beside=beside)


def _draft(kind: EntryKind, case_id: str, tenant: str, body: bytes) -> Draft:
    return Draft(kind.value, case_id, tenant, records.utc_text(datetime.now(UTC)), body)


@asynccontextmanager
async def open_mongodb_ledger(url: str, _resources: Resources | None = None) -> AsyncIterator[MongoLedger]:
    """A ledger on the MongoDB of a `mongodb://` URL; connects when it is first used.

    Raises:
        ConfigurationError: the URL or one of its options is not valid.
    """
    client = connect(url)
    ledger = MongoLedger(client, faults(url))
    try:
        yield ledger
    finally:
        await ledger.close()
        await client.close()
