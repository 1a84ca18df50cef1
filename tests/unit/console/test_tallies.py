"""Cases by period: every decided case is in exactly one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_cases import NOW, delete_case, sample_cases

from neural_hive.console.tallies import MAX_PERIODS, agreement_with_people, tallies
from neural_hive.contracts import Case, Outcome

TIMES = st.lists(
    st.datetimes(datetime(2024, 6, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),
    min_size=1,
    max_size=12,
)


def case_at(at: datetime) -> Case:
    case = delete_case()
    return case.model_copy(update={"intent": case.intent.model_copy(update={"received_at": at})})


@given(TIMES)
def test_every_case_is_counted_once_in_few_periods(times: list[datetime]) -> None:
    counted = tallies([case_at(at) for at in times])
    assert sum(tally.n for tally in counted) == len(times)
    assert len(counted) <= MAX_PERIODS + 1


def test_no_cases_no_periods() -> None:
    assert tallies([]) == []


def test_a_period_without_a_case_has_no_mean_risk() -> None:
    counted = tallies([case_at(NOW), case_at(NOW - timedelta(days=9))])
    assert counted[0].mean_risk == pytest.approx(0.74)
    assert counted[1].mean_risk is None


def test_cases_left_to_people_do_not_count_as_agreement() -> None:
    cases = sample_cases()
    agreed, judged = agreement_with_people(cases)
    reviewed = [c for c in cases if c.reviews and c.decision and c.decision.outcome is not Outcome.NEEDS_REVIEW]
    assert (agreed, judged) == (2, len(reviewed))
