"""Facts of plans, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_hive.contracts import Plan, Task
from neural_hive.errors import PlanError
from neural_hive.specialists.plan import plan_facts


def plan(*tasks: tuple[str, tuple[str, ...], float]) -> Plan:
    return Plan(tasks=tuple(Task(id=i, depends_on=d, duration_minutes=m, cost=10) for i, d, m in tasks))


def test_a_diamond_has_its_longer_side_as_critical_path() -> None:
    facts = plan_facts(plan(("a", (), 10), ("b", ("a",), 30), ("c", ("a",), 20), ("d", ("b", "c"), 10)))
    assert facts.critical_path == ("a", "b", "d")
    assert facts.critical_minutes == 50
    assert facts.total_minutes == 70
    assert facts.parallelism == pytest.approx(1.4)
    assert (facts.max_fan_in, facts.max_fan_in_task) == (2, "d")
    assert facts.total_cost == 40


def test_without_durations_the_longest_chain_counts_tasks() -> None:
    facts = plan_facts(plan(("a", (), 0), ("b", ("a",), 0), ("c", (), 0)))
    assert facts.critical_path == ("a", "b")
    assert facts.critical_minutes == 0
    assert facts.parallelism == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([("a", ("b",), 1), ("b", ("a",), 1)], "circle"),
        ([("a", ("a",), 1)], "itself"),
        ([("a", ("ghost",), 1)], "ghost"),
        ([("a", (), 1), ("a", (), 1)], "two tasks"),
    ],
)
def test_a_bad_plan_says_what_is_wrong(tasks: list[tuple[str, tuple[str, ...], float]], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        plan_facts(plan(*tasks))


@given(st.integers(1, 40), st.randoms())
def test_a_critical_path_is_a_chain_no_longer_than_everything(n_tasks: int, dice: object) -> None:
    tasks = [
        (f"t{i}", tuple(f"t{j}" for j in range(i) if dice.random() < 0.2), float(dice.randrange(1, 60))) for i in range(n_tasks)
    ]  # type: ignore[attr-defined]
    facts = plan_facts(plan(*tasks))
    needs = {name: set(before) for name, before, _ in tasks}
    assert all(a in needs[b] for a, b in zip(facts.critical_path, facts.critical_path[1:], strict=False))
    assert facts.critical_minutes <= facts.total_minutes
    assert facts.parallelism >= 1
