"""Counts of cases by period and outcome, added up row by row. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from neural_hive.contracts import Outcome
from neural_hive.ports import CaseCount


@dataclass(frozen=True, slots=True)
class Decided:
    """One decided case. at: when it was accepted. verdict: the last one of a person, or empty."""

    at: datetime
    outcome: str
    risk: float
    verdict: str


def counts(decided: Iterable[Decided], since: datetime, period: timedelta) -> list[CaseCount]:
    """As `Ledger.tally`, from the cases themselves."""
    groups: dict[tuple[int, str], list[Decided]] = defaultdict(list)
    for case in decided:
        groups[(case.at - since) // period, case.outcome].append(case)
    return [_count(number, outcome, cases) for (number, outcome), cases in sorted(groups.items())]


def _count(number: int, outcome: str, cases: list[Decided]) -> CaseCount:
    return CaseCount(
        period=number,
        outcome=Outcome(outcome),
        n=len(cases),
        risk_sum=sum(case.risk for case in cases),
        n_reviewed=sum(case.verdict != "" for case in cases),
        n_agreed=sum(case.verdict == outcome for case in cases),
    )


def first_id(since: datetime) -> str:
    """No UUIDv7 made at or after `since` sorts before this. Source: RFC 9562, section 5.7: 48 bits of Unix milliseconds."""
    digits = f"{max(0, int(since.timestamp() * 1e3)):012x}"
    return f"{digits[:8]}-{digits[8:]}"
