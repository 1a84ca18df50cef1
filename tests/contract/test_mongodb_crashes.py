"""The MongoDB ledger without transactions: a writer dies between any two writes, writers race, bytes are changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import AutoReconnect
from uuid_utils import uuid7

from neural_hive.contracts import Outcome
from neural_hive.errors import StorageError
from neural_hive.ports import CaseQuery, IdempotencyKey
from neural_hive.storage.ledger.mongodb import MongoLedger, open_mongodb_ledger

pytestmark = pytest.mark.server("mongodb")


@pytest.fixture
def url() -> str:
    return f"{os.environ['HIVE_TEST_MONGODB_URL']}/t{uuid7().hex[-12:]}"


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[MongoLedger]:
    async with open_mongodb_ledger(url) as opened:
        yield opened


@pytest.fixture
async def entries(url: str) -> AsyncIterator[Any]:
    """The documents as somebody with the database's password reaches them."""
    client: AsyncMongoClient[Any] = AsyncMongoClient(url)
    yield client.get_default_database()["entries"]
    await client.close()


def dies_in(patch: pytest.MonkeyPatch, method: str, *, after: bool) -> None:
    """Make the writer lose its server before or after the next write by `method`, once."""
    original = getattr(AsyncCollection, method)

    async def dying(self: Any, *arguments: Any, **options: Any) -> Any:
        patch.setattr(AsyncCollection, method, original)
        if after:
            await original(self, *arguments, **options)
        raise AutoReconnect("connection lost")

    patch.setattr(AsyncCollection, method, dying)


@pytest.mark.parametrize("after", [False, True])
async def test_an_intent_whose_writer_died_is_recorded_once_when_sent_again(
    ledger: MongoLedger, samples: Any, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    key, intent = IdempotencyKey("k", "0" * 64), samples.intent()
    await ledger.depth()
    await ledger.verify()
    dies_in(monkeypatch, "insert_many", after=after)
    with pytest.raises(StorageError, match="HIVE_LEDGER_URL"):
        await ledger.accept(intent, key)
    again = await ledger.accept(samples.intent(), key)
    assert again.is_existing == after
    assert (again.case.id == intent.id) == after
    assert (await ledger.verify()).checked == 1


@pytest.mark.parametrize(("method", "after"), [("insert_many", True), ("bulk_write", False), ("bulk_write", True)])
async def test_a_decision_whose_writer_died_is_finished_by_another(
    ledger: MongoLedger, url: str, samples: Any, monkeypatch: pytest.MonkeyPatch, method: str, after: bool
) -> None:
    case = (await ledger.accept(samples.intent())).case
    dies_in(monkeypatch, method, after=after)
    with pytest.raises(StorageError):
        await ledger.record_decision(case.id, *samples.judgement(Outcome.NEEDS_REVIEW))
    async with open_mongodb_ledger(url) as other:
        decided = await other.record_decision(case.id, *samples.judgement(Outcome.APPROVED))
        assert decided.decision is not None
        assert decided.decision.outcome == Outcome.NEEDS_REVIEW
        page = await other.find(CaseQuery("default", outcome=Outcome.NEEDS_REVIEW, waiting=True))
        assert page.items == (decided,)
        assert await other.claim_unfinished(10, 30.0) == []
        verified = await other.verify()
        assert (verified.ok, verified.checked) == (True, 2)


async def test_a_dead_writers_decision_is_listed_after_a_restart(
    ledger: MongoLedger, url: str, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = (await ledger.accept(samples.intent(), lease_s=0.0)).case
    dies_in(monkeypatch, "bulk_write", after=False)
    with pytest.raises(StorageError):
        await ledger.record_decision(case.id, *samples.judgement(Outcome.REJECTED))
    async with open_mongodb_ledger(url) as other:
        assert [one.id for one in (await other.find(CaseQuery("default", outcome=Outcome.REJECTED))).items] == [case.id]
        assert [event.type for event in await other.pending(100)][-1] == "decided"


async def test_a_review_after_a_dead_writers_decision_shows_both(
    ledger: MongoLedger, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = (await ledger.accept(samples.intent())).case
    dies_in(monkeypatch, "bulk_write", after=False)
    with pytest.raises(StorageError):
        await ledger.record_decision(case.id, *samples.judgement(Outcome.NEEDS_REVIEW))
    await ledger.add_review("default", case.id, samples.review(Outcome.APPROVED))
    assert (await ledger.find(CaseQuery("default", waiting=True))).items == ()
    assert len((await ledger.find(CaseQuery("default", outcome=Outcome.NEEDS_REVIEW))).items) == 1
    assert (await ledger.verify()).ok


async def test_processes_that_race_keep_one_chain_and_one_decision(url: str, samples: Any) -> None:
    async with open_mongodb_ledger(url) as one, open_mongodb_ledger(url) as two:
        intents = [samples.intent() for _ in range(30)]
        await asyncio.gather(*(ledger.accept(intent) for intent in intents for ledger in (one, two)))
        decided = await asyncio.gather(
            *(ledger.record_decision(intent.id, *samples.judgement()) for intent in intents for ledger in (one, two))
        )
        assert len({case.decision.hash for case in decided if case.decision}) == 30
        verified = await one.verify()
        assert (verified.ok, verified.checked) == (True, 60)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"$set": {"body": "{}"}}, "2"),
        ({"$set": {"tenant": "other"}}, "2"),
        ({"$set": {"case.outcome": "approved"}}, "2"),
        ({"$set": {"case.decided_seq": 1}}, "1"),
        ({"$unset": {"hash": ""}}, "2"),
        ({"$unset": {"case": ""}}, "1"),
    ],
)
async def test_a_changed_document_is_found(
    ledger: MongoLedger, entries: Any, samples: Any, change: dict[str, Any], broken: str
) -> None:
    case = (await ledger.accept(samples.intent())).case
    await ledger.record_decision(case.id, *samples.judgement())
    is_of_case = any("case" in name for part in change.values() for name in part)
    await entries.update_one({"_id": 1 if is_of_case else 2}, change)
    verified = await ledger.verify()
    assert (verified.ok, verified.first_broken) == (False, broken)


@pytest.mark.parametrize("seq", [1, 2, 3])
async def test_a_removed_document_is_found(ledger: MongoLedger, entries: Any, samples: Any, seq: int) -> None:
    for _ in range(3):
        await ledger.accept(samples.intent())
    await entries.delete_one({"_id": seq})
    verified = await ledger.verify()
    assert (verified.ok, verified.first_broken) == (False, str(seq))
