"""Decided cases by period: outcomes, mean risk, and whether people agreed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from neural_hive.console.wording import Wording
from neural_hive.contracts import Outcome
from neural_hive.ports import CaseCount

#: Most periods in one picture of all time, and the lengths in days that a period may then have.
MAX_PERIODS = 31
_LENGTHS_DAYS = (1, 7, 28, 91, 364, 3640)
#: No hive is older.
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """Which time is looked at: `count` periods of `length`, the last one running; from the first case on if it is 0."""

    length: timedelta
    count: int

    def start(self, now: datetime) -> datetime:
        """When the first period begins: on the hour for periods of hours, else at midnight, UTC."""
        if not self.count:
            return BEGINNING
        unit = min(self.length, timedelta(days=1))
        return BEGINNING + ((now - BEGINNING) // unit + 1) * unit - self.count * self.length


#: By the word in the address.
SPANS: Mapping[str, Span] = {
    "day": Span(timedelta(hours=1), 24),
    "week": Span(timedelta(days=1), 7),
    "month": Span(timedelta(days=1), 30),
    "quarter": Span(timedelta(days=7), 13),
    "year": Span(timedelta(days=28), 13),
    "all": Span(timedelta(days=1), 0),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """The decided cases of one period. start: UTC. mean_risk: None without a case.

    n_judged: cases that the hive decided itself and people gave a verdict on; n_agreed: those decided the same way. Cases
    in which the hive asked for a person do not count: it left the decision to them.
    """

    start: datetime
    length: timedelta
    outcomes: Mapping[Outcome, int]
    mean_risk: float | None
    n_judged: int
    n_agreed: int

    @property
    def n(self) -> int:
        """Number of cases."""
        return sum(self.outcomes.values())

    @classmethod
    def of(cls, counts: Sequence[CaseCount], start: datetime, length: timedelta) -> Self:
        """The sum of counts of one period."""
        outcomes: Counter[Outcome] = Counter()
        for count in counts:
            outcomes[count.outcome] += count.n
        n, risk = outcomes.total(), sum(count.risk_sum for count in counts)
        own = [count for count in counts if count.outcome is not Outcome.NEEDS_REVIEW]
        judged, agreed = sum(c.n_reviewed for c in own), sum(c.n_agreed for c in own)
        return cls(start, length, outcomes, risk / n if n else None, judged, agreed)

    def label(self, t: Wording) -> str:
        """The period's start, as short as it stays clear."""
        if self.length < timedelta(days=1):
            return f"{self.start:%H:%M}"
        if self.length > timedelta(days=20):
            return f"{self.start:%m/%Y}"
        return f"{self.start:%m-%d}" if t.language == "en" else f"{self.start:%d/%m}"


def tallies(counts: Iterable[CaseCount], start: datetime, span: Span) -> list[Tally]:
    """Every period of the span, empty ones included; of all time, from the first case to the last in few periods."""
    known = list(counts)
    if span.count:
        return [_tally(known, start, span.length, n, 1) for n in range(span.count)]
    if not known:
        return []
    first, last = min(c.period for c in known), max(c.period for c in known)
    step = next((days for days in _LENGTHS_DAYS if (last - first) // days < MAX_PERIODS), _LENGTHS_DAYS[-1])
    return [_tally(known, start, span.length, n, step) for n in range(first, last + 1, step)]


def _tally(counts: Sequence[CaseCount], start: datetime, length: timedelta, first: int, step: int) -> Tally:
    inside = [c for c in counts if first <= c.period < first + step]
    return Tally.of(inside, start + first * length, step * length)
