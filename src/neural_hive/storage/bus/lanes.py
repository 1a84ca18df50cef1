"""One lane per case: its next event is handed out when the one before it is settled. Pure."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

from neural_hive.contracts import Event


@dataclass(frozen=True, slots=True)
class Work:
    """An event and where it was read. due: when it may be handed out, POSIX seconds. epoch: of which assignment."""

    event: Event
    topic: str
    partition: int
    offset: int
    n_failures: int = 0
    due: float = 0.0
    epoch: int = 0


@dataclass(slots=True)
class _Lane:
    """waiting: in order. current: handed out and not settled. parked: id of the event whose retry is on its way."""

    waiting: deque[Work] = field(default_factory=deque)
    current: Work | None = None
    parked: str = ""


class Lanes:
    """Work by case. Retries go before everything else of their case."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._offers: list[tuple[float, int, str]] = []
        self._n_offers = 0
        self.n_waiting = 0

    def add(self, work: Work) -> None:
        """Put work at its place in its case's lane."""
        case_id = work.event.case_id
        lane = self._lanes.setdefault(case_id, _Lane())
        if work.n_failures:
            lane.parked = "" if lane.parked == work.event.id else lane.parked
            n_retries = sum(1 for other in lane.waiting if other.n_failures)
            lane.waiting.insert(n_retries, work)
        else:
            lane.waiting.append(work)
        self.n_waiting += 1
        self._offer(case_id, lane)

    def take(self, now: float) -> Work | None:
        """Work that can be handed out now, or None. It holds its lane until `settle` or `park`."""
        while self._offers and self._offers[0][0] <= now:
            _, _, case_id = heapq.heappop(self._offers)
            lane = self._lanes.get(case_id)
            if lane is not None and self._is_open(lane) and lane.waiting[0].due <= now:
                lane.current = lane.waiting.popleft()
                self.n_waiting -= 1
                return lane.current
        return None

    def settle(self, work: Work) -> None:
        """Let the next event of the case go."""
        lane = self._release(work)
        if lane is not None and not lane.waiting and not lane.parked:
            del self._lanes[work.event.case_id]

    def park(self, work: Work) -> None:
        """Hold the lane until the same event comes back as a retry."""
        self._release(work, parked=work.event.id)

    def unpark(self, work: Work) -> None:
        """The retry could not be sent: the work is as it was before `park`."""
        lane = self._lanes.get(work.event.case_id)
        if lane is not None and lane.parked == work.event.id:
            lane.parked, lane.current = "", work

    def next_due(self) -> float | None:
        """When the next work can be handed out, POSIX seconds; None when there is nothing to wait for."""
        return self._offers[0][0] if self._offers else None

    def clear(self) -> None:
        """Forget everything; it will be read again by whoever is responsible for it now."""
        self._lanes.clear()
        self._offers.clear()
        self.n_waiting = 0

    def _release(self, work: Work, parked: str = "") -> _Lane | None:
        lane = self._lanes.get(work.event.case_id)
        if lane is None or lane.current is not work:
            return None
        lane.current, lane.parked = None, parked
        self._offer(work.event.case_id, lane)
        return lane

    def _offer(self, case_id: str, lane: _Lane) -> None:
        if self._is_open(lane):
            self._n_offers += 1
            heapq.heappush(self._offers, (lane.waiting[0].due, self._n_offers, case_id))

    @staticmethod
    def _is_open(lane: _Lane) -> bool:
        return bool(lane.waiting) and lane.current is None and not lane.parked
