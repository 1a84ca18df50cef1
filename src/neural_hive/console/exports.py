"""Cases as files: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace

from neural_hive.contracts import Case
from neural_hive.gateway.ports import JudgingHive
from neural_hive.ports import CaseQuery

#: Cases read at once while a file is written.
PAGE_SIZE = 200
COLUMNS = (
    "id",
    "received_at",
    "channel",
    "language",
    "domain",
    "text",
    "outcome",
    "risk",
    "confidence",
    "agreement",
    "conditions",
    "verdict",
    "reviewer",
    "hash",
)


async def every_case(hive: JudgingHive, query: CaseQuery, limit: int | None = None) -> AsyncIterator[Case]:
    """All cases of a query, newest first, at most `limit`."""
    cursor: str | None = None
    left = limit
    while left is None or left > 0:
        found = await hive.cases(replace(query, cursor=cursor, limit=min(PAGE_SIZE, left or PAGE_SIZE)))
        for case in found.items:
            yield case
        cursor = found.next_cursor
        left = None if left is None else left - len(found.items)
        if cursor is None:
            return


async def as_csv(cases: AsyncIterator[Case]) -> AsyncIterator[bytes]:
    """RFC 4180 with a byte order mark, which spreadsheets need to see UTF-8."""
    yield b"\xef\xbb\xbf" + _line(COLUMNS)
    async for case in cases:
        yield _line(row(case))


async def as_json(cases: AsyncIterator[Case]) -> AsyncIterator[bytes]:
    """One JSON array of cases, as the API gives them."""
    before = b"["
    async for case in cases:
        yield before + b"\n" + case.model_dump_json().encode()
        before = b","
    yield (b"[" if before == b"[" else b"") + b"\n]\n"


def row(case: Case) -> tuple[str, ...]:
    """What the table says of one case, in the order of COLUMNS."""
    understanding, decision = case.understanding, case.decision
    review = case.reviews[-1] if case.reviews else None
    return (
        case.id,
        case.intent.received_at.isoformat(),
        case.intent.channel,
        understanding.language if understanding else "",
        understanding.domain if understanding else "",
        case.intent.text,
        decision.outcome if decision else "",
        f"{decision.risk:.4f}" if decision else "",
        f"{decision.confidence:.4f}" if decision else "",
        f"{decision.agreement:.4f}" if decision else "",
        "; ".join(decision.conditions) if decision else "",
        review.verdict if review else "",
        review.reviewer if review else "",
        decision.hash if decision else "",
    )


def _line(cells: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([inert(cell) for cell in cells])
    return out.getvalue().encode()


def inert(cell: str) -> str:
    """A cell that no spreadsheet runs as a formula. Source: OWASP, CSV Injection."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
