"""One SQLite file, many users: ledgers opened twice, all roles together, a backup while it is written."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from neural_hive.ports import CatalogueEntity, IdempotencyKey
from neural_hive.storage.ledger.sqlite import SqliteLedger, open_sqlite_ledger
from neural_hive.storage.open import open_storage

N_CASES = 24


async def decide(ledger: SqliteLedger, samples: Any, n: int = N_CASES) -> None:
    for _ in range(n):
        accepted = await ledger.accept(samples.intent())
        await ledger.record_decision(accepted.case.id, *samples.judgement())


async def test_two_ledgers_on_one_file_keep_one_chain(tmp_path: Path, samples: Any) -> None:
    url = f"sqlite:///{tmp_path}/hive.db"
    async with open_sqlite_ledger(url) as one, open_sqlite_ledger(url) as two:
        await asyncio.gather(*(decide(ledger, samples, N_CASES // 4) for ledger in (one, two) for _ in range(4)))
        for ledger in (one, two):
            found = await ledger.verify()
            assert (found.ok, found.checked) == (True, 4 * N_CASES)


async def test_one_key_through_two_ledgers_makes_one_case(tmp_path: Path, samples: Any) -> None:
    url, key = f"sqlite:///{tmp_path}/hive.db", IdempotencyKey("k", "a" * 64)
    async with open_sqlite_ledger(url) as one, open_sqlite_ledger(url) as two:
        answers = await asyncio.gather(*(ledger.accept(samples.intent(), key) for ledger in (one, two) for _ in range(8)))
        assert len({answer.case.id for answer in answers}) == 1
        claims = await asyncio.gather(*(ledger.claim_unfinished(1, 60.0) for ledger in (one, two)))
        assert sum(map(len, claims)) == 0


async def test_all_roles_work_together_on_one_file(tmp_path: Path, samples: Any) -> None:
    url = f"sqlite:///{tmp_path}/hive.db"
    async with open_storage() as storage:
        ledger, graph, bus = await asyncio.gather(storage.ledger(url), storage.graph(url), storage.bus(url))
        deliveries = bus.subscribe("g")
        await graph.put_entities([CatalogueEntity(name="db", kind="Resource")])
        accepted = await ledger.accept(samples.intent())
        case = await ledger.record_decision(accepted.case.id, *samples.judgement())
        await graph.link_case(case, ["db"], samples.vector(0))
        events = await ledger.pending(100)
        await bus.publish(events)
        await ledger.mark_published([event.id for event in events])
        for event in events:
            delivery = await anext(deliveries)
            assert delivery.event == event
            await delivery.done()
        assert (await graph.related("default", case.id)).systems[0].name == "db"
        assert (await ledger.verify()).ok
        await deliveries.aclose()  # type: ignore[attr-defined]


async def test_a_backup_taken_while_it_is_written_is_whole(tmp_path: Path, samples: Any) -> None:
    """The command of docs/reference/ledger.md."""
    command = [sys.executable, "-m", "apsw", str(tmp_path / "hive.db"), f"VACUUM INTO '{tmp_path}/backup.db'"]
    async with open_sqlite_ledger(f"sqlite:///{tmp_path}/hive.db") as ledger:
        await decide(ledger, samples)
        writing = asyncio.create_task(decide(ledger, samples))
        await asyncio.to_thread(subprocess.run, command, check=True)
        await writing
    async with open_sqlite_ledger(f"sqlite:///{tmp_path}/backup.db") as ledger:
        found = await ledger.verify()
        assert found.ok
        assert found.checked >= 2 * N_CASES
