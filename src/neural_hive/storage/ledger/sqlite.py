"""The ledger and its outbox on one SQLite file: the embedded product, and the reference for the others."""

from __future__ import annotations

import time
import unicodedata
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from neural_hive.contracts import (
    Case,
    CaseStatus,
    Decision,
    Event,
    Intent,
    Opinion,
    Page,
    Review,
    Understanding,
    Verification,
)
from neural_hive.ports import Accepted, CaseCount, CaseQuery, IdempotencyKey
from neural_hive.storage.ledger import appends, outbox, reads, records, verify
from neural_hive.storage.ledger.chain import Head, export_row, verification
from neural_hive.storage.ledger.schema import MIGRATIONS, ROLE
from neural_hive.storage.resources import Resources
from neural_hive.storage.sqlite.database import Database, shared_database
from neural_hive.storage.urls import sqlite_path

#: Accepted intents kept in memory until they are decided, so that the usual case is not read back.
MAX_KEPT = 1_024
#: Entries read at a time by an export.
EXPORT_CHUNK = 500


class SqliteLedger:
    """Implements `Ledger` and `Outbox`. Several may be open on one file, in one process or in many."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        """`database` has the ledger's tables; whoever opened it closes it. `clock`: POSIX seconds, for leases."""
        self._database = database
        self._clock = clock
        self._accepted: OrderedDict[str, Intent] = OrderedDict()

    async def accept(self, intent: Intent, idempotency: IdempotencyKey | None = None, *, lease_s: float = 30.0) -> Accepted:
        """See `Ledger.accept`."""
        new = appends.NewCase(
            id=intent.id,
            tenant=intent.tenant,
            body=records.body(intent),
            words=unicodedata.normalize("NFC", intent.text),
            idempotency=idempotency,
            lease_until=self._clock() + lease_s,
        )
        existing = await self._database.write(partial(appends.accept, new=new))
        if existing is None:
            self._accepted[intent.id] = intent
            if len(self._accepted) > MAX_KEPT:
                self._accepted.popitem(last=False)
            return Accepted(Case(id=intent.id, status=CaseStatus.ACCEPTED, intent=intent), is_existing=False)
        return Accepted(records.case_from(existing), is_existing=True)

    async def record_decision(
        self, case_id: str, understanding: Understanding, opinions: Sequence[Opinion], decision: Decision
    ) -> Case:
        """See `Ledger.record_decision`."""
        judgement = records.judgement(understanding, opinions, decision)
        intent = self._accepted.pop(case_id, None)
        new = appends.NewDecision(
            case_id=case_id,
            body=records.body(judgement),
            event_parts=records.decided_event_parts(opinions),
            outcome=decision.outcome.value,
            domain=understanding.domain.value,
            wants_accepted=intent is None,
        )
        found, was_decided = await self._database.write(partial(appends.decide, new=new))
        if was_decided or found.decided is None:
            return records.case_from(found)
        intent = intent or Intent.model_validate_json(found.accepted)
        return records.decided_case(intent, judgement, found.decided)

    async def add_review(self, tenant: str, case_id: str, review: Review) -> Case:
        """See `Ledger.add_review`."""
        new = appends.NewReview(tenant, case_id, review.id, review.verdict.value, records.body(review))
        return records.case_from(await self._database.write(partial(appends.review, new=new)))

    async def get(self, tenant: str, case_id: str) -> Case:
        """See `Ledger.get`."""
        rows = await self._database.read(partial(reads.case_rows, tenant=tenant, case_id=case_id))
        return records.case_from(rows)

    async def find(self, query: CaseQuery) -> Page:
        """See `Ledger.find`."""
        return await self._database.read(partial(reads.find, query=query))

    async def tally(self, tenant: str, since: datetime, period: timedelta) -> Sequence[CaseCount]:
        """See `Ledger.tally`."""
        return await self._database.read(partial(reads.tally, tenant=tenant, since=since, period=period))

    async def claim_unfinished(self, limit: int, lease_s: float) -> Sequence[Case]:
        """See `Ledger.claim_unfinished`."""
        now = self._clock()
        claim = partial(appends.claim, limit=limit, now=now, lease_until=now + lease_s)
        return [records.case_from(rows) for rows in await self._database.write(claim)]

    async def verify(self) -> Verification:
        """See `Ledger.verify`. `first_broken` is the number of an entry; absent if the damage is not in one."""
        head = Head()
        while True:
            reached, found = await self._database.read(partial(verify.check_entries, head=head))
            if found is not None or reached == head:
                break
            head = reached
        if found is None:
            found = await self._database.read(verify.check_rest)
        return verification(found, reached.seq)

    async def export(self, tenant: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """Every entry in order, or one tenant's, as `chain.export_row`; write them with `chain.export_line`."""
        after = 0
        read = partial(reads.entries, limit=EXPORT_CHUNK, tenant=tenant)
        while chunk := await self._database.read(partial(read, after=after)):
            for entry in chunk:
                yield export_row(entry)
            after = chunk[-1].seq

    async def ping(self) -> None:
        """See `Ledger.ping`."""
        await self._database.ping()

    async def pending(self, limit: int) -> Sequence[Event]:
        """See `Outbox.pending`."""
        return await self._database.read(partial(outbox.pending, limit=limit))

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        """See `Outbox.mark_published`."""
        if event_ids:
            await self._database.write(partial(outbox.forget, event_ids=event_ids))

    async def discard(self) -> None:
        """See `Outbox.discard`."""
        await self._database.write(outbox.discard)

    async def depth(self) -> int:
        """See `Outbox.depth`."""
        return await self._database.read(outbox.depth)


@asynccontextmanager
async def open_sqlite_ledger(url: str, resources: Resources | None = None) -> AsyncIterator[SqliteLedger]:
    """Open the ledger at a SQLite URL, creating the file when it is absent.

    With `resources`, the file is shared with the other roles on it and stays open as long as they do.

    Raises:
        ConfigurationError: the URL is not a SQLite file's.
        StorageError: the file cannot be opened, or a newer release wrote it.
    """
    path = sqlite_path(url, "HIVE_LEDGER_URL")
    async with shared_database(path, resources) as database:
        await database.migrate(ROLE, MIGRATIONS)
        yield SqliteLedger(database)
