"""Every promise of `Ledger`, on every product."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from neural_hive.contracts import CaseStatus, Domain, Outcome
from neural_hive.errors import ConflictError, IdempotencyConflictError, NotFoundError, UsageError
from neural_hive.ports import CaseCount, CaseQuery, IdempotencyKey
from neural_hive.storage.open import LedgerWithOutbox

Opener = Callable[[], AbstractAsyncContextManager[LedgerWithOutbox]]
KEY = IdempotencyKey("order-1", "a" * 64)
N_TASKS = 16


async def decided(ledger: LedgerWithOutbox, samples: Any, outcome: Outcome = Outcome.NEEDS_REVIEW, **intent: Any) -> Any:
    accepted = await ledger.accept(samples.intent(**intent))
    return await ledger.record_decision(accepted.case.id, *samples.judgement(outcome))


# accept


async def test_an_accepted_intent_reads_back_as_it_was_recorded(ledger: LedgerWithOutbox, samples: Any) -> None:
    intent = samples.intent(context={"ticket": 7, "nested": [1.5, None, "ação"]}, constraints={"deadline": "2026-12-31"})
    accepted = await ledger.accept(intent)
    assert not accepted.is_existing
    assert accepted.case.status is CaseStatus.ACCEPTED
    assert await ledger.get("default", intent.id) == accepted.case
    assert accepted.case.intent == intent


async def test_an_accepted_intent_survives_a_restart(open_lasting_ledger: Opener, samples: Any) -> None:
    intent = samples.intent()
    async with open_lasting_ledger() as ledger:
        await ledger.accept(intent)
    async with open_lasting_ledger() as ledger:
        assert (await ledger.get("default", intent.id)).intent == intent


async def test_a_key_used_again_for_the_same_body_gives_the_case_as_it_is_now(ledger: LedgerWithOutbox, samples: Any) -> None:
    first = await ledger.accept(samples.intent(), KEY)
    case = await ledger.record_decision(first.case.id, *samples.judgement())
    again = await ledger.accept(samples.intent(), KEY)
    assert again.is_existing
    assert again.case == case


async def test_a_key_used_again_records_nothing(ledger: LedgerWithOutbox, samples: Any) -> None:
    await ledger.accept(samples.intent(), KEY)
    await ledger.accept(samples.intent(), KEY)
    assert (await ledger.verify()).checked == 1
    assert await ledger.depth() == 1


async def test_a_key_used_for_another_body_is_refused_and_records_nothing(ledger: LedgerWithOutbox, samples: Any) -> None:
    await ledger.accept(samples.intent(), KEY)
    with pytest.raises(IdempotencyConflictError):
        await ledger.accept(samples.intent(), IdempotencyKey(KEY.key, "b" * 64))
    assert (await ledger.verify()).checked == 1


async def test_two_tenants_may_use_the_same_key(ledger: LedgerWithOutbox, samples: Any) -> None:
    one = await ledger.accept(samples.intent(tenant="one"), KEY)
    two = await ledger.accept(samples.intent(tenant="two"), KEY)
    assert one.case.id != two.case.id
    assert not two.is_existing


async def test_a_key_is_remembered_after_a_restart(open_lasting_ledger: Opener, samples: Any) -> None:
    async with open_lasting_ledger() as ledger:
        first = await ledger.accept(samples.intent(), KEY)
    async with open_lasting_ledger() as ledger:
        again = await ledger.accept(samples.intent(), KEY)
    assert again.is_existing
    assert again.case.id == first.case.id


async def test_many_requests_with_one_key_make_one_case(ledger: LedgerWithOutbox, samples: Any) -> None:
    accepted = await asyncio.gather(*(ledger.accept(samples.intent(), KEY) for _ in range(N_TASKS)))
    assert len({answer.case.id for answer in accepted}) == 1
    assert [answer.is_existing for answer in accepted].count(False) == 1
    assert (await ledger.verify()).checked == 1


async def test_the_same_intent_twice_is_one_case(ledger: LedgerWithOutbox, samples: Any) -> None:
    intent = samples.intent()
    await ledger.accept(intent)
    again = await ledger.accept(intent)
    assert again.is_existing
    assert (await ledger.verify()).checked == 1


async def test_an_id_that_exists_with_another_content_is_refused(ledger: LedgerWithOutbox, samples: Any) -> None:
    intent = samples.intent()
    await ledger.accept(intent)
    with pytest.raises(ConflictError):
        await ledger.accept(intent.model_copy(update={"text": "Outro texto"}))
    with pytest.raises(ConflictError):
        await ledger.accept(intent.model_copy(update={"tenant": "other"}))
    assert (await ledger.get("default", intent.id)).intent == intent


async def test_a_key_given_with_a_known_intent_belongs_to_its_case(ledger: LedgerWithOutbox, samples: Any) -> None:
    intent = samples.intent()
    await ledger.accept(intent)
    await ledger.accept(intent, KEY)
    assert (await ledger.accept(samples.intent(), KEY)).case.id == intent.id


@pytest.mark.parametrize("bad", ["\ud800", 2**70], ids=["lone surrogate", "number beyond 64 bits"])
async def test_what_json_cannot_carry_is_refused_and_records_nothing(ledger: LedgerWithOutbox, samples: Any, bad: Any) -> None:
    with pytest.raises(UsageError):
        await ledger.accept(samples.intent(context={"value": bad}))
    assert (await ledger.verify()).checked == 0


# record_decision


async def test_a_decision_reads_back_as_it_was_returned(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples)
    assert case.status is CaseStatus.DECIDED
    assert case.decided_at is not None
    assert await ledger.get("default", case.id) == case


async def test_opinions_come_back_in_the_order_of_their_names(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples)
    names = [opinion.specialist for opinion in case.opinions]
    assert names == sorted(names)
    assert len(names) == 5


async def test_a_decision_names_its_entry_and_the_one_before_it(ledger: LedgerWithOutbox, samples: Any) -> None:
    one = await ledger.accept(samples.intent())
    two = await ledger.accept(samples.intent())
    first = await ledger.record_decision(one.case.id, *samples.judgement())
    second = await ledger.record_decision(two.case.id, *samples.judgement())
    assert first.decision is not None
    assert second.decision is not None
    assert second.decision.previous_hash == first.decision.hash
    assert len({first.decision.hash, first.decision.previous_hash, second.decision.hash}) == 3
    assert all(len(value) == 64 for value in (first.decision.hash, first.decision.previous_hash))


async def test_a_case_is_decided_once(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples)
    again = await ledger.record_decision(case.id, *samples.judgement(Outcome.APPROVED))
    assert again == case
    assert (await ledger.verify()).checked == 2


async def test_racing_decisions_leave_one(ledger: LedgerWithOutbox, samples: Any) -> None:
    case_id = (await ledger.accept(samples.intent())).case.id

    async def decide(n: int) -> Any:
        understanding, opinions, decision = samples.judgement()
        mine = decision.model_copy(update={"explanation": f"task {n}"})
        return await ledger.record_decision(case_id, understanding, opinions, mine)

    cases = await asyncio.gather(*(decide(n) for n in range(N_TASKS)))
    assert len({case.decision.explanation for case in cases}) == 1
    assert all(case == cases[0] for case in cases)
    assert (await ledger.verify()).checked == 2


async def test_concurrent_cases_keep_one_chain(ledger: LedgerWithOutbox, samples: Any) -> None:
    cases = await asyncio.gather(*(decided(ledger, samples, tenant=f"t{n % 3}") for n in range(4 * N_TASKS)))
    assert len({case.decision.hash for case in cases}) == 4 * N_TASKS
    verification = await ledger.verify()
    assert verification.ok
    assert verification.checked == 8 * N_TASKS


async def test_a_failed_call_takes_nothing_from_its_neighbours(ledger: LedgerWithOutbox, samples: Any) -> None:
    calls = [ledger.record_decision("nowhere", *samples.judgement()) if n % 2 else decided(ledger, samples) for n in range(8)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(answer, NotFoundError) for answer in answers] == [bool(n % 2) for n in range(8)]
    assert (await ledger.verify()).checked == 8


async def test_a_decision_for_no_case_is_refused(ledger: LedgerWithOutbox, samples: Any) -> None:
    with pytest.raises(NotFoundError):
        await ledger.record_decision("00000000-0000-7000-8000-000000000000", *samples.judgement())


# add_review


async def test_reviews_are_added_oldest_first(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples)
    first, second = samples.review(Outcome.NEEDS_REVIEW), samples.review(Outcome.APPROVED, comment="Há política.")
    await ledger.add_review("default", case.id, first)
    reviewed = await ledger.add_review("default", case.id, second)
    assert reviewed.reviews == (first, second)
    assert await ledger.get("default", case.id) == reviewed


async def test_the_same_review_twice_is_recorded_once(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples)
    review = samples.review()
    answers = await asyncio.gather(*(ledger.add_review("default", case.id, review) for _ in range(N_TASKS)))
    assert all(answer.reviews == (review,) for answer in answers)
    assert (await ledger.verify()).checked == 3


async def test_a_case_that_is_not_decided_cannot_be_reviewed(ledger: LedgerWithOutbox, samples: Any) -> None:
    accepted = await ledger.accept(samples.intent())
    with pytest.raises(ConflictError):
        await ledger.add_review("default", accepted.case.id, samples.review())


async def test_another_tenants_case_cannot_be_reviewed(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples, tenant="one")
    with pytest.raises(NotFoundError):
        await ledger.add_review("two", case.id, samples.review())


# get and find


async def test_another_tenants_case_is_not_found(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples, tenant="one")
    with pytest.raises(NotFoundError):
        await ledger.get("two", case.id)


async def test_cases_are_listed_newest_first_in_whole_pages(ledger: LedgerWithOutbox, samples: Any) -> None:
    ids = [(await decided(ledger, samples)).id for _ in range(7)]
    listed: list[str] = []
    cursor = None
    for size in (3, 3, 1):
        page = await ledger.find(CaseQuery("default", limit=3, cursor=cursor))
        assert len(page.items) == size
        listed += [case.id for case in page.items]
        cursor = page.next_cursor
    assert cursor is None
    assert listed == ids[::-1]


async def test_a_case_that_comes_between_two_pages_moves_nothing(ledger: LedgerWithOutbox, samples: Any) -> None:
    ids = [(await decided(ledger, samples)).id for _ in range(4)]
    page = await ledger.find(CaseQuery("default", limit=2))
    await decided(ledger, samples)
    rest = await ledger.find(CaseQuery("default", limit=2, cursor=page.next_cursor))
    assert [case.id for case in (*page.items, *rest.items)] == ids[::-1]


async def test_a_listed_case_is_the_whole_case(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples)
    reviewed = await ledger.add_review("default", case.id, samples.review())
    waiting = (await ledger.accept(samples.intent())).case
    assert (await ledger.find(CaseQuery("default"))).items == (waiting, reviewed)


async def test_a_tenant_lists_only_its_own_cases(ledger: LedgerWithOutbox, samples: Any) -> None:
    mine = await decided(ledger, samples, tenant="mine")
    await decided(ledger, samples, tenant="theirs")
    assert (await ledger.find(CaseQuery("mine"))).items == (mine,)
    assert (await ledger.find(CaseQuery("mine", text="contas"))).items == (mine,)
    assert (await ledger.find(CaseQuery("nobody"))).items == ()


async def test_cases_are_filtered_by_outcome_and_domain(ledger: LedgerWithOutbox, samples: Any) -> None:
    one = await ledger.accept(samples.intent())
    two = await ledger.accept(samples.intent())
    await ledger.accept(samples.intent())
    await ledger.record_decision(one.case.id, *samples.judgement(Outcome.APPROVED, Domain.SECURITY))
    await ledger.record_decision(two.case.id, *samples.judgement(Outcome.REJECTED, Domain.SECURITY))

    async def found(**filters: Any) -> list[str]:
        return [case.id for case in (await ledger.find(CaseQuery("default", **filters))).items]

    assert await found(outcome=Outcome.APPROVED) == [one.case.id]
    assert await found(domain="security") == [two.case.id, one.case.id]
    assert await found(domain="security", outcome=Outcome.REJECTED) == [two.case.id]
    assert await found(domain="behavior") == []


@pytest.mark.parametrize(
    ("text", "query", "is_found"),
    [
        ("Migração do relatório", "relatorio", True),
        ("Migração do relatório", "MIGRAÇÃO relatório", True),
        ("Migração do relatório", "relatório backup", False),
        ("Migração do relatório", "relat", False),
        ("Borrar todos los e-mails", "e-mails", True),
        ("Relato\u0301rio decomposto", "relatório", True),
        ("Anything", '" OR * NEAR(', False),
        ("Anything", "!!!", False),
        ("Anything", "   ", True),
        ("not or and", "NOT", True),
    ],
)
async def test_text_finds_all_its_words_whatever_their_accents_and_case(
    ledger: LedgerWithOutbox, samples: Any, text: str, query: str, is_found: bool
) -> None:
    case = (await ledger.accept(samples.intent(text))).case
    assert (await ledger.find(CaseQuery("default", text=query))).items == ((case,) if is_found else ())


async def test_a_case_waits_for_a_person_until_one_decides(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples, Outcome.NEEDS_REVIEW)
    await decided(ledger, samples, Outcome.APPROVED)
    await ledger.accept(samples.intent())

    async def waiting() -> list[str]:
        return [found.id for found in (await ledger.find(CaseQuery("default", waiting=True))).items]

    assert await waiting() == [case.id]
    await ledger.add_review("default", case.id, samples.review(Outcome.NEEDS_REVIEW))
    assert await waiting() == [case.id]
    await ledger.add_review("default", case.id, samples.review(Outcome.APPROVED))
    assert await waiting() == []


# claim_unfinished


# tally


async def test_decided_cases_are_counted_by_period_and_outcome(ledger: LedgerWithOutbox, samples: Any) -> None:
    since = datetime.now(UTC) - timedelta(seconds=90)
    approved = [await decided(ledger, samples, Outcome.APPROVED) for _ in range(3)]
    rejected = await decided(ledger, samples, Outcome.REJECTED)
    await decided(ledger, samples, Outcome.REJECTED, tenant="another")
    await ledger.accept(samples.intent())
    await ledger.add_review("default", approved[0].id, samples.review(Outcome.REJECTED))
    await ledger.add_review("default", approved[0].id, samples.review(Outcome.APPROVED))
    await ledger.add_review("default", rejected.id, samples.review(Outcome.APPROVED))
    risk = approved[0].decision.risk
    assert await ledger.tally("default", since, timedelta(hours=1)) == [
        CaseCount(0, Outcome.APPROVED, 3, pytest.approx(3 * risk), 1, 1),
        CaseCount(0, Outcome.REJECTED, 1, pytest.approx(rejected.decision.risk), 1, 0),
    ]
    later = await ledger.tally("default", since, timedelta(minutes=1))
    assert {count.period for count in later} <= {1, 2}
    assert sum(count.n for count in later) == 4


async def test_cases_before_the_start_are_not_counted(ledger: LedgerWithOutbox, samples: Any) -> None:
    await decided(ledger, samples, Outcome.APPROVED)
    assert await ledger.tally("default", datetime.now(UTC) + timedelta(seconds=1), timedelta(hours=1)) == []
    assert await ledger.tally("nobody", datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1)) == []


async def test_unfinished_cases_are_claimed_oldest_first_once_their_lease_has_run_out(
    ledger: LedgerWithOutbox, samples: Any
) -> None:
    ids = [(await ledger.accept(samples.intent(), lease_s=0.0)).case.id for _ in range(3)]
    await ledger.accept(samples.intent(), lease_s=60.0)
    finished = (await ledger.accept(samples.intent(), lease_s=0.0)).case.id
    await ledger.record_decision(finished, *samples.judgement())
    assert [case.id for case in await ledger.claim_unfinished(2, 60.0)] == ids[:2]
    assert [case.id for case in await ledger.claim_unfinished(10, 60.0)] == ids[2:]
    assert list(await ledger.claim_unfinished(10, 60.0)) == []


async def test_a_claim_that_runs_out_can_be_claimed_again(ledger: LedgerWithOutbox, samples: Any) -> None:
    accepted = await ledger.accept(samples.intent(), lease_s=0.0)
    for _ in range(2):
        assert [case.id for case in await ledger.claim_unfinished(10, 0.0)] == [accepted.case.id]


async def test_two_claimers_never_get_the_same_case(ledger: LedgerWithOutbox, samples: Any) -> None:
    await asyncio.gather(*(ledger.accept(samples.intent(), lease_s=0.0) for _ in range(40)))
    claims = await asyncio.gather(*(ledger.claim_unfinished(5, 60.0) for _ in range(N_TASKS)))
    claimed = [case.id for cases in claims for case in cases]
    assert len(claimed) == len(set(claimed)) == 40


async def test_an_intent_accepted_again_keeps_its_lease(ledger: LedgerWithOutbox, samples: Any) -> None:
    intent = samples.intent()
    await ledger.accept(intent, lease_s=0.0)
    await ledger.accept(intent, lease_s=60.0)
    assert [case.id for case in await ledger.claim_unfinished(1, 60.0)] == [intent.id]


# verify and ping


async def test_an_empty_ledger_verifies(ledger: LedgerWithOutbox) -> None:
    verification = await ledger.verify()
    assert verification.ok
    assert verification.checked == 0


async def test_verify_counts_every_entry(ledger: LedgerWithOutbox, samples: Any) -> None:
    case = await decided(ledger, samples)
    await ledger.add_review("default", case.id, samples.review())
    await ledger.accept(samples.intent())
    verification = await ledger.verify()
    assert (verification.ok, verification.checked, verification.first_broken) == (True, 4, None)


async def test_verify_is_right_while_others_write(ledger: LedgerWithOutbox, samples: Any) -> None:
    async def write() -> None:
        for _ in range(10):
            case = await decided(ledger, samples)
            await ledger.add_review("default", case.id, samples.review())

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(write())
        for _ in range(5):
            assert (await ledger.verify()).ok
    assert (await ledger.verify()).checked == 120


async def test_a_ledger_that_can_be_written_answers_a_ping(ledger: LedgerWithOutbox) -> None:
    await ledger.ping()
