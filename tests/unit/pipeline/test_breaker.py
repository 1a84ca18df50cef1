"""The laws of the breaker and of the retry budget, on any history of calls."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_hive.pipeline.breaker import Breaker, BreakerRules, BreakerState, Permit, RetryBudget

RULES = BreakerRules()


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


def closed_breaker(dice: float = 0.0) -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker(RULES, clock, lambda: dice), clock


def call(breaker: Breaker, *, is_good: bool) -> None:
    permit = breaker.enter()
    assert permit is not None
    if is_good:
        permit.good()
    else:
        permit.bad()


def opened_breaker(dice: float = 0.0) -> tuple[Breaker, Clock]:
    breaker, clock = closed_breaker(dice)
    for _ in range(RULES.min_calls):
        call(breaker, is_good=False)
    assert breaker.state is BreakerState.OPEN
    return breaker, clock


@given(st.lists(st.booleans(), max_size=60))
def test_it_opens_exactly_when_half_of_the_last_ten_or_more_calls_were_bad(history: list[bool]) -> None:
    breaker, _ = closed_breaker()
    for n_calls in range(1, len(history) + 1):
        call(breaker, is_good=history[n_calls - 1])
        recent = history[:n_calls][-RULES.max_calls :]
        is_sick = n_calls >= RULES.min_calls and recent.count(False) >= RULES.bad_share * len(recent)
        assert (breaker.state is BreakerState.OPEN) is is_sick
        if is_sick:
            return


@given(st.lists(st.floats(0, 3), max_size=40))
def test_a_slow_call_is_as_bad_as_a_failed_one(durations_s: list[float]) -> None:
    timed, clock = closed_breaker()
    told, _ = closed_breaker()
    for duration_s in durations_s:
        permit = timed.enter()
        began_s = clock.now_s
        clock.now_s += duration_s
        is_good = clock.now_s - began_s <= RULES.slow_s
        if permit is None or timed.state is not told.state:
            return
        permit.good()
        if clock.now_s - 1000.0 > RULES.window_s:
            return
        call(told, is_good=is_good)
        assert timed.state is told.state


@given(st.floats(0, 0.999), st.lists(st.floats(0, 0.999), min_size=1, max_size=9))
def test_an_opening_lasts_from_the_first_to_the_last_time_and_lets_nothing_through(dice: float, fractions: list[float]) -> None:
    breaker, clock = opened_breaker(dice)
    shortest_s = RULES.first_open_s
    for fraction in fractions:
        opened_s, open_for_s = clock.now_s, breaker.open_for_s
        assert shortest_s - 1e-6 <= open_for_s <= RULES.last_open_s + 1e-6
        clock.now_s = opened_s + fraction * open_for_s
        assert breaker.state is BreakerState.OPEN
        assert breaker.enter() is None
        clock.now_s = opened_s + open_for_s + 1e-6
        assert breaker.state is BreakerState.HALF_OPEN
        call(breaker, is_good=False)
        shortest_s = min(2 * shortest_s, RULES.last_open_s / 1.2)


@given(st.lists(st.sampled_from(["enter", "good", "void"]), max_size=40))
def test_half_open_lets_a_few_probes_out_and_closes_after_as_many_good_ones(steps: list[str]) -> None:
    breaker, clock = opened_breaker()
    clock.now_s += RULES.last_open_s
    out: list[Permit] = []
    n_good = 0
    for step in steps:
        if step == "enter":
            permit = breaker.enter()
            assert (permit is None) is (len(out) + n_good >= RULES.n_probes)
            out += [permit] if permit else []
        elif out:
            getattr(out.pop(), step)()
            n_good += step == "good"
        assert (breaker.state is BreakerState.CLOSED) is (n_good == RULES.n_probes)
        if n_good == RULES.n_probes:
            return


@pytest.mark.parametrize("is_slow", [False, True])
def test_one_bad_probe_opens_it_again_for_longer(is_slow: bool) -> None:
    breaker, clock = opened_breaker()
    clock.now_s += breaker.open_for_s
    permit = breaker.enter()
    assert permit is not None
    if is_slow:
        clock.now_s += 2 * RULES.slow_s
        permit.good()
    else:
        permit.bad()
    assert breaker.state is BreakerState.OPEN
    assert breaker.open_for_s == pytest.approx(2 * RULES.first_open_s)


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_call_of_an_earlier_period_changes_nothing(late: list[bool]) -> None:
    breaker, clock = closed_breaker()
    permits = [breaker.enter() for _ in late]
    for _ in range(RULES.min_calls):
        call(breaker, is_good=False)
    clock.now_s += RULES.last_open_s
    assert breaker.state is BreakerState.HALF_OPEN
    for permit, is_good in zip(permits, late, strict=True):
        assert permit is not None
        if is_good:
            permit.good()
        else:
            permit.bad()
    assert breaker.state is BreakerState.HALF_OPEN
    assert [breaker.enter() is not None for _ in range(RULES.n_probes + 1)] == [True] * RULES.n_probes + [False]


@given(st.lists(st.sampled_from(["good", "bad", "void"]), min_size=2, max_size=5))
def test_only_the_first_thing_said_of_a_call_counts(said: list[str]) -> None:
    breaker, _ = closed_breaker()
    for _ in range(RULES.min_calls):
        permit = breaker.enter()
        assert permit is not None
        for word in said:
            getattr(permit, word)()
    assert (breaker.state is BreakerState.OPEN) is (said[0] == "bad")


def test_calls_out_of_the_window_are_forgotten() -> None:
    breaker, clock = closed_breaker()
    for _ in range(RULES.min_calls - 1):
        call(breaker, is_good=False)
    clock.now_s += RULES.window_s + 1
    call(breaker, is_good=False)
    assert breaker.state is BreakerState.CLOSED


@given(st.lists(st.booleans(), max_size=300))
def test_retries_never_exceed_the_reserve_and_a_fifth_of_the_calls(is_call: list[bool]) -> None:
    budget = RetryBudget(share=0.2, reserve=10.0)
    n_calls = n_retries = 0
    for step in is_call:
        if step:
            budget.on_call()
            n_calls += 1
        else:
            n_retries += budget.take()
        assert n_retries <= 10 + 0.2 * n_calls + 1e-6


def test_a_healthy_stream_of_calls_earns_one_retry_in_five() -> None:
    budget = RetryBudget(share=0.2, reserve=10.0)
    while budget.take():
        pass
    for _ in range(6):
        budget.on_call()
    assert [budget.take(), budget.take()] == [True, False]
