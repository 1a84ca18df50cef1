"""Appending to the chain in MongoDB without transactions: inserting entry n is the compare-and-swap of the chain's end.

`_id` is the entry's number, so of all who append after the same entry one succeeds, and the others read the new end and
try again. Entries that wait are inserted together, in order; the server stops at the first that it refuses, so
that the chain never has a gap, whenever the writer dies.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.errors import BulkWriteError

from neural_hive.storage.ledger.chain import Entry, Head, seal
from neural_hive.storage.ledger.mongodb_connection import OPERATION_MS, Collection, Document
from neural_hive.storage.ledger.mongodb_documents import NewEntry, document

#: Entries inserted by one command at most.
MAX_BATCH = 64
#: How far beyond the last known end of the chain the end is looked for: what others append between two looks, and more.
MAX_STEP = 256
#: Longest wait before trying again after losing a race, in seconds.
MAX_BACKOFF_S = 0.02
_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """An entry to append and where the answer goes: the entry in its place, or None if its place was taken."""

    new: NewEntry
    answer: asyncio.Future[Entry | None]


class Appender:
    """Appends for one process. Many processes may append to the same chain."""

    def __init__(self, entries: Collection, heads: Collection) -> None:
        self._entries = entries
        self._heads = heads
        self._waiting: deque[_Waiting] = deque()
        self._head: Head | None = None
        self._seen = 0
        self._task: asyncio.Task[None] | None = None

    async def append(self, new: NewEntry) -> Entry | None:
        """Put an entry at the end of the chain, durably; None if an entry with its identity is recorded already.

        Raises what the driver raises; then it is not known whether the entry was recorded. Cancelling the caller does
        not undo it.
        """
        waiting = _Waiting(new, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await waiting.answer

    async def close(self) -> None:
        """Finish what waits."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _drain(self) -> None:
        while self._waiting:
            batch = deque(self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting))))
            writing = asyncio.create_task(self._write(batch))
            await asyncio.wait([writing])
            if (error := writing.exception()) is not None:
                self._head = None
                for waiting in batch:
                    if not waiting.answer.done():
                        waiting.answer.set_exception(error)

    async def _write(self, batch: deque[_Waiting]) -> None:
        """Append all of a batch; what is answered leaves it."""
        async with asyncio.timeout(OPERATION_MS / 1000):
            while batch:
                last = await self._insert(batch)
                if batch and await self._is_recorded(batch[0].new):
                    _answer(batch.popleft(), None)
                elif batch:
                    await asyncio.sleep(random.uniform(0, MAX_BACKOFF_S))  # noqa: S311 (not a secret)
                if last is not None:
                    await self._witness(last)

    async def _insert(self, batch: deque[_Waiting]) -> Entry | None:
        """Append as much of the batch as goes in, and answer it; the last entry that went in."""
        head = self._head or await self._read_head()
        entries = _sealed(batch, head)
        documents = [document(entry, waiting.new) for entry, waiting in zip(entries, batch, strict=True)]
        n_inserted = len(entries)
        try:
            await self._entries.insert_many(documents, ordered=True)
        except BulkWriteError as error:
            n_inserted = _first_duplicate(error)
        for entry in entries[:n_inserted]:
            _answer(batch.popleft(), entry)
        self._head = None if batch else entries[-1].head
        self._seen = head.seq + n_inserted
        return entries[n_inserted - 1] if n_inserted else None

    async def _read_head(self) -> Head:
        """The chain's end: looked for just after where it was seen last, because the numbers have no gap, and else anywhere."""
        near = list(range(self._seen, self._seen + MAX_STEP))
        last = await self._newest({"_id": {"$in": near}})
        if last is None or last["_id"] == near[-1]:
            last = await self._newest({})
        return Head() if last is None else Head(last["_id"], last["hash"])

    async def _newest(self, wanted: Document) -> Document | None:
        return await self._entries.find_one(wanted, {"hash": 1}, sort=[("_id", -1)])

    async def _is_recorded(self, new: NewEntry) -> bool:
        return any([await self._entries.find_one(wanted, {"_id": 1}) for wanted in new.identities])

    async def _witness(self, last: Entry) -> None:
        """Remember how far the chain reached, so that entries removed from its end are noticed."""
        reached = {"seq": last.seq, "hash": last.hash}
        await self._heads.update_one({"_id": "head", "seq": {"$lt": last.seq}}, {"$set": reached})


def _sealed(batch: Sequence[_Waiting], head: Head) -> list[Entry]:
    entries: list[Entry] = []
    for waiting in batch:
        entries.append(seal(waiting.new.draft, head))
        head = entries[-1].head
    return entries


def _first_duplicate(error: BulkWriteError) -> int:
    """The index of the document that was refused because its number or its identity exists; raises for other errors."""
    refused = error.details.get("writeErrors") or []
    if not refused or refused[0]["code"] != _DUPLICATE_KEY or error.details.get("writeConcernErrors"):
        raise error
    return int(refused[0]["index"])


def _answer(waiting: _Waiting, entry: Entry | None) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(entry)
