"""One event of a case is out at a time, and what is settled decides what may be committed."""

from __future__ import annotations

from datetime import UTC, datetime

from neural_hive.contracts import Event, EventType
from neural_hive.storage.bus.lanes import Lanes, Work
from neural_hive.storage.bus.progress import Progress


def work(case_id: str, n: int, n_failures: int = 0, due: float = 0.0) -> Work:
    now = datetime.now(UTC)
    event = Event(id=f"{case_id}:{n}", type=EventType.OPINION, tenant="t", case_id=case_id, at=now)
    return Work(event, "events", 0, n, n_failures=n_failures, due=due)


def taken(lanes: Lanes, now: float = 100.0) -> Work:
    found = lanes.take(now)
    assert found is not None
    return found


def test_the_next_event_of_a_case_waits_for_the_one_before_it() -> None:
    lanes = Lanes()
    first, second, other = work("a", 1), work("a", 2), work("b", 3)
    for one in (first, second, other):
        lanes.add(one)
    assert [taken(lanes), taken(lanes), lanes.take(100.0)] == [first, other, None]
    lanes.settle(first)
    assert taken(lanes) == second


def test_a_parked_lane_waits_for_the_retry_of_its_event() -> None:
    lanes, first, second = Lanes(), work("a", 1), work("a", 2)
    lanes.add(first)
    lanes.add(second)
    lanes.park(taken(lanes))
    assert lanes.take(100.0) is None
    lanes.add(work("a", 1, n_failures=1, due=101.0))
    assert (lanes.take(100.0), lanes.next_due()) == (None, 101.0)
    again = taken(lanes, 101.0)
    assert (again.event.id, again.n_failures) == ("a:1", 1)
    lanes.settle(again)
    assert taken(lanes, 101.0) == second


def test_a_retry_that_could_not_be_sent_leaves_the_work_as_it_was() -> None:
    lanes, first = Lanes(), work("a", 1)
    lanes.add(first)
    lanes.add(work("a", 2))
    current = taken(lanes)
    lanes.park(current)
    lanes.unpark(current)
    assert lanes.take(100.0) is None
    lanes.settle(current)
    assert taken(lanes).offset == 2


def test_after_a_restart_a_retry_goes_before_the_events_of_its_case() -> None:
    lanes, retry = Lanes(), work("a", 1, n_failures=2)
    lanes.add(work("a", 2))
    lanes.add(retry)
    assert taken(lanes) == retry


def test_what_was_read_before_an_assignment_ended_counts_no_more() -> None:
    lanes, first = Lanes(), work("a", 1)
    lanes.add(first)
    current = taken(lanes)
    lanes.clear()
    lanes.settle(current)
    assert (lanes.take(100.0), lanes.n_waiting) == (None, 0)


def test_only_what_lies_before_the_first_open_offset_is_committed() -> None:
    progress: Progress[str] = Progress()
    progress.begin("p", 5)
    assert all(progress.read("p", offset) for offset in (5, 6, 7))
    assert not progress.read("p", 6)
    progress.settle("p", 6)
    assert progress.to_commit() == {"p": 5}
    progress.settle("p", 5)
    assert progress.to_commit() == {"p": 7}
    progress.committed({"p": 7})
    assert progress.to_commit() == {}
    assert progress.next_offsets() == {"p": 8}
    assert not progress.read("q", 1)
