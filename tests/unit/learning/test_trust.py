"""Trust is learnt from reviews, bounded, and starts equal."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from neural_hive.contracts import Case, CaseStatus, Intent, Opinion, Outcome, Review
from neural_hive.learning.trust import TrustBook

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def case(recommendation: Outcome, verdicts: list[Outcome], relevance: float = 0.8) -> Case:
    opinion = Opinion(
        specialist="technical",
        relevance=relevance,
        risk=0.5,
        confidence=0.5,
        recommendation=recommendation,
        summary="",
        model="m",
    )
    reviews = tuple(Review(id=str(i), reviewer="r", verdict=v, created_at=NOW) for i, v in enumerate(verdicts))
    return Case(
        id="x", status=CaseStatus.DECIDED, intent=Intent(id="x", text="t", received_at=NOW), opinions=(opinion,), reviews=reviews
    )


def trust_after(*cases: Case) -> float:
    book = TrustBook()
    book.learn_all(cases)
    return book.trust().get("technical", 1.0)


def test_without_reviews_all_are_trusted_alike() -> None:
    assert TrustBook().trust() == {}


def test_agreeing_with_people_earns_trust_and_disagreeing_loses_it() -> None:
    assert trust_after(case(Outcome.APPROVED, [Outcome.APPROVED] * 5)) > 1.0
    assert trust_after(case(Outcome.APPROVED, [Outcome.REJECTED] * 5)) < 1.0


def test_nobody_is_judged_on_what_is_not_their_business() -> None:
    assert trust_after(case(Outcome.APPROVED, [Outcome.REJECTED], relevance=0.05)) == 1.0


@given(st.lists(st.tuples(st.sampled_from(Outcome), st.sampled_from(Outcome)), max_size=60))
def test_trust_stays_within_its_bounds(pairs: list[tuple[Outcome, Outcome]]) -> None:
    assert 0.5 <= trust_after(*(case(said, [verdict]) for said, verdict in pairs)) <= 1.5
