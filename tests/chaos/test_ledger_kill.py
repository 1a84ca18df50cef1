"""`kill -9` at any instant under load: nothing acknowledged is lost, each case has one decision, the chain verifies."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from neural_hive.contracts import CaseStatus
from neural_hive.ports import IdempotencyKey
from neural_hive.storage.ledger.chain import export_line, verify_export
from neural_hive.storage.ledger.sqlite import SqliteLedger, open_sqlite_ledger

N_CYCLES = int(os.environ.get("HIVE_TEST_KILL_CYCLES", "15"))
WORKER = Path(__file__).with_name("ledger_worker.py")


def killed(url: str, n_lines: int, n_workers: int) -> list[list[str]]:
    """Run workers until each has acknowledged `n_lines` times, kill them, and give all that was acknowledged."""
    with ExitStack() as running:
        workers = [running.enter_context(worker(url)) for _ in range(n_workers)]
        lines = [process.stdout.readline() for process in workers for _ in range(n_lines)]
        for process in workers:
            process.kill()
        for process in workers:
            lines += process.stdout.readlines()
            assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    return [line.decode().split() for line in lines if line.endswith(b"\n")]


@contextmanager
def worker(url: str) -> Iterator[Any]:
    """A process that appends until it is killed."""
    with subprocess.Popen([sys.executable, WORKER, url], stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


async def check(ledger: SqliteLedger, acknowledged: list[list[str]]) -> None:
    verification = await ledger.verify()
    assert verification.ok, verification
    for kind, case_id, detail in acknowledged:
        case = await ledger.get("default", case_id)
        if kind == "decided":
            assert case.decision is not None
            assert case.decision.hash == detail
        else:
            again = await ledger.accept(case.intent, IdempotencyKey(detail, "0" * 64))
            assert again.case.id == case_id
            assert again.is_existing


async def check_once_each(ledger: SqliteLedger) -> None:
    """Recovery finishes what is left; then every case has one accepted and one decided entry."""
    from ledger_worker import DECISION, OPINIONS, UNDERSTANDING

    while unfinished := await ledger.claim_unfinished(100, 60.0):
        assert all(case.status is CaseStatus.ACCEPTED for case in unfinished)
        for case in unfinished:
            await ledger.record_decision(case.id, UNDERSTANDING, OPINIONS, DECISION)
    lines = [export_line(row) async for row in ledger.export()]
    entries = Counter((entry["case_id"], entry["kind"]) for entry in (orjson.loads(line)["entry"] for line in lines))
    assert set(entries.values()) == {1}
    assert len(entries) == 2 * len({case_id for case_id, _ in entries})
    assert verify_export(lines).ok


@pytest.mark.parametrize("n_workers", [1, 2], ids=["one process", "two processes"])
async def test_a_kill_at_any_instant_loses_nothing_acknowledged(
    tmp_path: Path, n_workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(WORKER.parent))
    url, instants = f"sqlite:///{tmp_path}/hive.db", random.Random(20260131)
    for _ in range(N_CYCLES if n_workers == 1 else max(1, N_CYCLES // 5)):
        acknowledged = await asyncio.to_thread(killed, url, instants.randrange(1, 500), n_workers)
        async with open_sqlite_ledger(url) as ledger:
            await check(ledger, acknowledged)
    async with open_sqlite_ledger(url) as ledger:
        await check_once_each(ledger)
