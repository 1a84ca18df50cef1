"""Cases by period: every decided case is in exactly one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_hive.console.tallies import BEGINNING, MAX_PERIODS, SPANS, tallies
from neural_hive.contracts import Outcome
from neural_hive.ports import CaseCount

NOW = datetime(2026, 11, 23, 17, 42, 5, tzinfo=UTC)
COUNTS = st.lists(
    st.builds(
        CaseCount,
        period=st.integers(0, 4000),
        outcome=st.sampled_from(list(Outcome)),
        n=st.integers(1, 50),
        risk_sum=st.just(0.5),
        n_reviewed=st.just(0),
        n_agreed=st.just(0),
    ),
    min_size=1,
    max_size=12,
)


@given(COUNTS)
def test_every_case_of_all_time_is_counted_once_in_few_periods(counts: list[CaseCount]) -> None:
    counted = tallies(counts, BEGINNING, SPANS["all"])
    assert sum(tally.n for tally in counted) == sum(count.n for count in counts)
    assert len(counted) <= MAX_PERIODS


@pytest.mark.parametrize(
    ("span", "start", "n"),
    [
        ("day", "2026-11-22T18:00", 24),
        ("week", "2026-11-17T00:00", 7),
        ("month", "2026-10-25T00:00", 30),
        ("quarter", "2026-08-25T00:00", 13),
        ("year", "2025-11-25T00:00", 13),
    ],
)
def test_a_span_ends_with_the_hour_or_day_that_is_running(span: str, start: str, n: int) -> None:
    begins = SPANS[span].start(NOW)
    assert begins == datetime.fromisoformat(f"{start}+00:00")
    last = CaseCount(n - 1, Outcome.APPROVED, 2, 0.6, 0, 0)
    counted = tallies([last], begins, SPANS[span])
    assert (len(counted), counted[-1].n, counted[0].mean_risk) == (n, 2, None)
    assert counted[-1].mean_risk == pytest.approx(0.3)
    assert counted[-1].start <= NOW < counted[-1].start + counted[-1].length


def test_no_cases_no_periods() -> None:
    assert tallies([], BEGINNING, SPANS["all"]) == []


def test_cases_left_to_people_do_not_count_as_agreement() -> None:
    counts = [
        CaseCount(0, Outcome.APPROVED, 5, 1.0, 3, 2),
        CaseCount(0, Outcome.NEEDS_REVIEW, 4, 2.8, 4, 0),
        CaseCount(0, Outcome.REJECTED, 1, 0.9, 1, 1),
    ]
    [tally] = tallies(counts, BEGINNING, SPANS["all"])
    assert (tally.n_agreed, tally.n_judged, tally.length) == (3, 4, timedelta(days=1))
