"""Appends to a ledger until it is killed, and says on stdout what was acknowledged: `python ledger_worker.py URL`.

One line per acknowledgement, written at once: `accepted ID KEY` or `decided ID HASH`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from itertools import count

from uuid_utils import uuid7

from neural_hive.contracts import (
    Decision,
    Domain,
    Frame,
    Intent,
    Opinion,
    Outcome,
    Quorum,
    SpecialistName,
    Status,
    Understanding,
)
from neural_hive.ports import IdempotencyKey
from neural_hive.storage.ledger.sqlite import SqliteLedger, open_sqlite_ledger

N_CLIENTS = 16
UNDERSTANDING = Understanding(
    language="en",
    domain=Domain.SECURITY,
    classification="security.disable",
    confidence=0.9,
    status=Status.UNDERSTOOD,
    frame=Frame(),
)
OPINIONS = [
    Opinion(
        specialist=name,
        relevance=0.5,
        risk=0.5,
        confidence=0.5,
        recommendation=Outcome.APPROVED,
        summary="x" * 400,
        model="m",
    )
    for name in SpecialistName
]
DECISION = Decision(
    outcome=Outcome.APPROVED,
    primary="technical",
    risk=0.1,
    risk_band="low",
    confidence=0.9,
    agreement=1.0,
    quorum=Quorum(asked=5, answered=5),
    explanation="Because.",
)


def say(*words: str) -> None:
    """One write, so that a kill never leaves half a line of somebody else's."""
    os.write(1, (" ".join(words) + "\n").encode())


async def client(ledger: SqliteLedger) -> None:
    for n in count():
        key = str(uuid7())
        intent = Intent(id=str(uuid7()), text=f"Disable the audit log, please, number {n}", received_at=datetime.now(UTC))
        await ledger.accept(intent, IdempotencyKey(key, "0" * 64), lease_s=0.0)
        say("accepted", intent.id, key)
        case = await ledger.record_decision(intent.id, UNDERSTANDING, OPINIONS, DECISION)
        say("decided", intent.id, case.decision.hash if case.decision else "")


async def main(url: str) -> None:
    async with open_sqlite_ledger(url) as ledger, asyncio.TaskGroup() as clients:
        for _ in range(N_CLIENTS):
            clients.create_task(client(ledger))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
