"""Circuit breaker and retry budget: two small state machines that keep a sick dependency from making us sick.

No I/O, no tasks, no waiting: time and dice come from outside. One event loop may share them; nothing here is awaited,
so no lock is needed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """closed: calls go through. open: none does. half_open: a few probes do."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a breaker opens and for how long.

    bad_share: share of failed or slow calls, in (0, 1], that opens it. min_calls: calls below which no share means anything.
    window_s: calls older than this are forgotten. max_calls: calls remembered at most; few, so that a long healthy past does
    not hide that it just broke. slow_s: a call that takes longer is as bad as one that fails. first_open_s, last_open_s:
    shortest and longest time that it stays open. n_probes: calls let through when that time is over; all must be good. Times
    in seconds.

    Source: M. Nygard, Release It!, 2nd ed., ch. 5 (circuit breaker); the numbers are those of DESIGN §10.
    """

    bad_share: float = 0.5
    min_calls: int = 10
    window_s: float = 30.0
    max_calls: int = 20
    slow_s: float = 0.75
    first_open_s: float = 5.0
    last_open_s: float = 60.0
    n_probes: int = 3


#: Share by which an opening is prolonged at random, so that callers of one dependency do not come back together.
JITTER = 0.2


class Breaker:
    """Counts calls and says whether the next may go.

    Laws (each a property test): it opens only on `min_calls` or more, of which `bad_share` or more were bad; while it is open
    nothing goes through; an opening lasts from `first_open_s` to `last_open_s`; half open, at most `n_probes` calls are out at
    once; what a call tells that began before the last change of state changes nothing.
    """

    def __init__(self, rules: BreakerRules, clock: Callable[[], float], dice: Callable[[], float]) -> None:
        """clock: seconds that never go back. dice: a random number in [0, 1)."""
        self._rules, self._clock, self._dice = rules, clock, dice
        self._calls: deque[tuple[float, bool]] = deque(maxlen=rules.max_calls)
        self._open_until_s: float | None = None
        self._n_openings = 0
        self._n_probes_out = self._n_probes_good = 0
        self._period = 0

    @property
    def state(self) -> BreakerState:
        """As of now."""
        if self._open_until_s is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._open_until_s else BreakerState.HALF_OPEN

    @property
    def open_for_s(self) -> float:
        """Time until probes are let through; 0 unless open."""
        return max(0.0, (self._open_until_s or 0.0) - self._clock()) if self.state is BreakerState.OPEN else 0.0

    def enter(self) -> Permit | None:
        """Leave to make one call, which must end with `Permit.good`, `.bad` or `.void`; None if it may not be made."""
        state = self.state
        if state is BreakerState.OPEN:
            return None
        if state is BreakerState.HALF_OPEN:
            if self._n_probes_out + self._n_probes_good >= self._rules.n_probes:
                return None
            self._n_probes_out += 1
        return Permit(self, self._period, self._clock())

    def _settle(self, period: int, began_s: float, is_good: bool | None) -> None:
        """What became of a call. is_good: None says nothing about the dependency."""
        if period != self._period:
            return
        now_s = self._clock()
        is_bad = is_good is False or (is_good is True and now_s - began_s > self._rules.slow_s)
        if self._open_until_s is not None:
            self._settle_probe(is_good is None, is_bad)
        elif is_good is not None:
            self._calls.append((now_s, is_bad))
            if self._is_sick(now_s):
                self._open()

    def _settle_probe(self, is_void: bool, is_bad: bool) -> None:
        self._n_probes_out -= 1
        if is_bad:
            self._open()
        elif not is_void:
            self._n_probes_good += 1
            if self._n_probes_good == self._rules.n_probes:
                self._close()

    def _is_sick(self, now_s: float) -> bool:
        while self._calls and self._calls[0][0] < now_s - self._rules.window_s:
            self._calls.popleft()
        n_bad = sum(is_bad for _, is_bad in self._calls)
        return len(self._calls) >= self._rules.min_calls and n_bad >= self._rules.bad_share * len(self._calls)

    def _open(self) -> None:
        """Stay open twice as long as the last time, and a little longer at random."""
        rules = self._rules
        longest_s = rules.last_open_s / (1.0 + JITTER)
        base_s = min(longest_s, rules.first_open_s * 2.0 ** min(self._n_openings, 30))
        self._open_until_s = self._clock() + base_s * (1.0 + JITTER * self._dice())
        self._n_openings += 1
        self._begin_period()

    def _close(self) -> None:
        self._open_until_s, self._n_openings = None, 0
        self._begin_period()

    def _begin_period(self) -> None:
        self._period += 1
        self._n_probes_out = self._n_probes_good = 0
        self._calls.clear()


class Permit:
    """Leave for one call. The first of `good`, `bad`, `void` counts; later ones change nothing."""

    def __init__(self, breaker: Breaker, period: int, began_s: float) -> None:
        self._breaker: Breaker | None = breaker
        self._period, self._began_s = period, began_s

    def good(self) -> None:
        """The call gave what was wanted; it still counts as bad if it was slow."""
        self._settle(True)

    def bad(self) -> None:
        """The call failed."""
        self._settle(False)

    def void(self) -> None:
        """The call ended for reasons of ours and says nothing about the dependency."""
        self._settle(None)

    def _settle(self, is_good: bool | None) -> None:
        breaker, self._breaker = self._breaker, None
        if breaker is not None:
            breaker._settle(self._period, self._began_s, is_good)


class RetryBudget:
    """A token bucket: every call puts in `share` of a retry, every retry takes one out. Starts full.

    Law: retries ≤ `reserve` + `share` × calls, so that retries cannot multiply the load of a dependency that fails.

    Source: Finagle, RetryBudget (20 % of calls and a reserve); Google SRE book, ch. 21 (per-client retry budget).
    """

    def __init__(self, share: float = 0.2, reserve: float = 10.0) -> None:
        self._share, self._reserve, self._tokens = share, reserve, reserve

    def on_call(self) -> None:
        """A call that is no retry is made."""
        self._tokens = min(self._reserve, self._tokens + self._share)

    def take(self) -> bool:
        """Whether one more retry may be made; if so, it is counted."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
