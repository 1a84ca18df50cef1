"""What the graph of a plan says: cycles, critical path, parallelism, fan-in."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from neural_hive.contracts import Plan, PlanFacts, Task
from neural_hive.errors import PlanError


def plan_facts(plan: Plan) -> PlanFacts:
    """Facts of a plan. Linear in tasks and dependencies.

    The critical path is the longest chain by duration (Kelley & Walker 1959), by number of tasks when no task has a duration.

    Raises:
        PlanError: two tasks share an id, a dependency does not exist, or tasks wait for each other in a circle.
    """
    tasks = _by_id(plan)
    order = _topological_order(tasks)
    weights = {t.id: t.duration_minutes for t in plan.tasks}
    has_durations = any(weights.values())
    lengths = weights if has_durations else dict.fromkeys(weights, 1.0)
    path = _longest_path(tasks, order, lengths)
    critical = sum(lengths[t] for t in path)
    total = sum(lengths.values())
    widest = max(plan.tasks, key=lambda t: len(set(t.depends_on)))
    fan_in = len(set(widest.depends_on))
    return PlanFacts(
        n_tasks=len(plan.tasks),
        total_minutes=sum(weights.values()),
        critical_path=path,
        critical_minutes=critical if has_durations else 0.0,
        parallelism=max(1.0, total / critical),
        max_fan_in=fan_in,
        max_fan_in_task=widest.id if fan_in else "",
        total_cost=sum(t.cost for t in plan.tasks),
    )


def _by_id(plan: Plan) -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    for task in plan.tasks:
        if task.id in tasks:
            raise PlanError(f"two tasks have the id {task.id!r}; give each its own")
        tasks[task.id] = task
    for task in plan.tasks:
        for needed in task.depends_on:
            if needed not in tasks:
                raise PlanError(f"task {task.id!r} depends on {needed!r}, which is not in the plan")
            if needed == task.id:
                raise PlanError(f"task {task.id!r} depends on itself")
    return tasks


def _topological_order(tasks: Mapping[str, Task]) -> list[str]:
    """Kahn 1962; ties in the order of the plan."""
    waiting = {t.id: len(set(t.depends_on)) for t in tasks.values()}
    followers: dict[str, list[str]] = {t: [] for t in tasks}
    for task in tasks.values():
        for needed in set(task.depends_on):
            followers[needed].append(task.id)
    ready = deque(t for t in tasks if waiting[t] == 0)
    order: list[str] = []
    while ready:
        current = ready.popleft()
        order.append(current)
        for follower in followers[current]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                ready.append(follower)
    if len(order) < len(tasks):
        raise PlanError(f"these tasks wait for each other in a circle: {' → '.join(_cycle(tasks, set(order)))}")
    return order


def _cycle(tasks: Mapping[str, Task], done: set[str]) -> list[str]:
    """One circle among the tasks that could not be ordered, closed by its first task."""
    current = next(t for t in tasks if t not in done)
    seen: list[str] = []
    while current not in seen:
        seen.append(current)
        current = next(n for n in tasks[current].depends_on if n not in done)
    return [*seen[seen.index(current) :], current]


def _longest_path(tasks: Mapping[str, Task], order: list[str], lengths: Mapping[str, float]) -> tuple[str, ...]:
    finish: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for name in order:
        needed = max(tasks[name].depends_on, key=lambda n: finish[n], default=None)
        before[name] = needed
        finish[name] = lengths[name] + (finish[needed] if needed else 0.0)
    current: str | None = max(order, key=lambda n: finish[n])
    path: list[str] = []
    while current is not None:
        path.append(current)
        current = before[current]
    return tuple(reversed(path))
