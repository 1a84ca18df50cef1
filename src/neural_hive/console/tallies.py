"""Cases counted by period: outcomes and mean risk. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from neural_hive.console.wording import Wording
from neural_hive.contracts import Case, Outcome

#: Most periods in one picture, and the lengths that a period may have.
MAX_PERIODS = 31
_LENGTHS = tuple(timedelta(hours=h) for h in (1, 6, 24, 24 * 7, 24 * 30, 24 * 91, 24 * 365, 24 * 3650))


@dataclass(frozen=True, slots=True)
class Tally:
    """The decided cases of one period. start: UTC. mean_risk: None without a case."""

    start: datetime
    length: timedelta
    outcomes: Mapping[Outcome, int]
    mean_risk: float | None

    @property
    def n(self) -> int:
        """Number of cases."""
        return sum(self.outcomes.values())

    def label(self, t: Wording) -> str:
        """The period's start, as short as it stays clear."""
        if self.length < timedelta(days=1):
            return f"{self.start:%H:%M}"
        if self.length > timedelta(days=20):
            return f"{self.start:%m/%Y}"
        return f"{self.start:%m-%d}" if t.language == "en" else f"{self.start:%d/%m}"


def tallies(cases: Iterable[Case]) -> list[Tally]:
    """Decided cases by the time they were received, in equal periods from first to last, empty ones included."""
    decided = sorted((c for c in cases if c.decision is not None), key=lambda c: c.intent.received_at)
    if not decided:
        return []
    first, last = decided[0].intent.received_at, decided[-1].intent.received_at
    length = next((x for x in _LENGTHS if (last - first) / x < MAX_PERIODS - 1), _LENGTHS[-1])
    start = _floor(first, length)
    count = (last - start) // length + 1
    return [_tally(decided, start + n * length, length) for n in range(count)]


def _floor(at: datetime, length: timedelta) -> datetime:
    epoch = datetime(2024, 1, 1, tzinfo=UTC)
    return epoch + (at - epoch) // length * length


def _tally(cases: Sequence[Case], start: datetime, length: timedelta) -> Tally:
    inside = [c.decision for c in cases if start <= c.intent.received_at < start + length and c.decision is not None]
    risks = [decision.risk for decision in inside]
    return Tally(start, length, Counter(d.outcome for d in inside), sum(risks) / len(risks) if risks else None)


def agreement_with_people(cases: Iterable[Case]) -> tuple[int, int]:
    """(cases that the hive decided itself and people decided the same way, such cases with a verdict).

    Cases in which the hive asked for a person do not count: it left the decision to them.
    """
    agreed = reviewed = 0
    for case in cases:
        if case.decision is not None and case.reviews and case.decision.outcome is not Outcome.NEEDS_REVIEW:
            reviewed += 1
            agreed += case.reviews[-1].verdict is case.decision.outcome
    return agreed, reviewed
