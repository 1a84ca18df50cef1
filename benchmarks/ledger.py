"""How fast the embedded ledger is: `python benchmarks/ledger.py [--pairs N] [--folder DIR] [--json F]`.

A pair is one accepted intent and its decision with five opinions (about 6 kB), each durable before its answer. Also:
the same while the event loop has other work (the understanding of a case, here 0.5 ms of Python per pair), how fast the
chain is checked, and, to compare, how fast this disk syncs and how fast bare SQLite commits one such row at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import apsw
from uuid_utils import uuid7

from neural_hive.contracts import (
    Decision,
    Domain,
    Finding,
    Frame,
    Intent,
    Opinion,
    Outcome,
    Quorum,
    Span,
    SpecialistName,
    Status,
    Understanding,
)
from neural_hive.storage.ledger.sqlite import SqliteLedger, open_sqlite_ledger

TEXT = "Apagar as contas inativas há mais de cinco anos, caso número"
UNDERSTANDING = Understanding(
    language="pt",
    domain=Domain.COMPLIANCE,
    classification="compliance.destroy",
    confidence=0.91,
    status=Status.UNDERSTOOD,
    frame=Frame(action="destroy", objects=("data",)),
)
FINDING = Finding(
    concern="business.retention",
    title="Prazo de retenção",
    severity=0.95,
    likelihood=0.9,
    evidence=(Span(quote="Apagar", start=0, end=6),),
    mitigations=("Definir o prazo de retenção", "Fazer uma cópia de segurança antes"),
    reference="LGPD, art. 16",
)
OPINIONS = [
    Opinion(
        specialist=name,
        relevance=0.5,
        risk=0.855,
        confidence=0.8,
        recommendation=Outcome.NEEDS_REVIEW,
        summary="Sem um prazo de retenção e uma cópia de segurança, a perda é irreversível.",
        findings=(FINDING, FINDING, FINDING),
        model=f"rubric-{name}@{'0' * 64}",
    )
    for name in SpecialistName
]
DECISION = Decision(
    outcome=Outcome.NEEDS_REVIEW,
    primary="business",
    risk=0.87,
    risk_band="high",
    confidence=0.9,
    agreement=0.93,
    quorum=Quorum(asked=5, answered=5),
    explanation="A perda é irreversível e ninguém disse por quanto tempo os dados têm de ser guardados.",
)

Row = dict[str, str | float]


def spin(seconds: float) -> None:
    """Keep the event loop's thread busy, as judging a case does."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def client(ledger: SqliteLedger, n_pairs: int, busy_s: float, latencies: list[float]) -> None:
    for n in range(n_pairs):
        intent = Intent(id=str(uuid7()), text=f"{TEXT} {n}", received_at=datetime.now(UTC))
        started = time.perf_counter()
        await ledger.accept(intent)
        spent = time.perf_counter() - started
        spin(busy_s)
        started = time.perf_counter()
        await ledger.record_decision(intent.id, UNDERSTANDING, OPINIONS, DECISION)
        latencies.append(spent + time.perf_counter() - started)


@asynccontextmanager
async def fresh_ledger(folder: Path) -> AsyncIterator[SqliteLedger]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        async with open_sqlite_ledger(f"sqlite:///{place}/hive.db") as ledger:
            yield ledger


async def pairs(folder: Path, n_pairs: int, n_clients: int, busy_s: float = 0.0) -> list[Row]:
    latencies: list[float] = []
    async with fresh_ledger(folder) as ledger:
        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(client(ledger, n_pairs // n_clients, busy_s, latencies) for _ in range(n_clients)))
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
        name = f"accept + decide, {n_clients} clients" + (f", {busy_s * 1e3:g} ms of other work each" if busy_s else "")
        rows = [timed(name, "pairs", latencies, seconds) | {"cpu_us": round(cpu_s / len(latencies) * 1e6)}]
        return [*rows, await verified(ledger)] if n_clients > 1 and not busy_s else rows


async def verified(ledger: SqliteLedger) -> Row:
    started = time.perf_counter()
    found = await ledger.verify()
    assert found.ok, found
    return {"what": "verify", "unit": "entries", "per_s": round(found.checked / (time.perf_counter() - started))}


def timed(name: str, unit: str, latencies: list[float], seconds: float) -> Row:
    ordered = sorted(latencies)
    return {
        "what": name,
        "unit": unit,
        "per_s": round(len(ordered) / seconds),
        "p50_ms": round(statistics.median(ordered) * 1e3, 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1e3, 2),
    }


def disk_syncs(folder: Path, n: int = 300) -> Row:
    """Append 8 kB and sync, as a commit of one pair does."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        latencies = []
        for _ in range(n):
            file.write(bytes(8192))
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            latencies.append(time.perf_counter() - started)
    return timed("this disk, fdatasync of 8 kB", "syncs", latencies, sum(latencies))


def bare_sqlite(folder: Path, n: int = 1000) -> Row:
    """One row of a decision's size per synced commit, without chain, index or queue."""
    place = Path(tempfile.mkdtemp(dir=folder))
    connection = apsw.Connection(str(place / "bare.db"))
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "CREATE TABLE t (body TEXT)"):
        connection.execute(statement).fetchall()
    latencies = []
    for _ in range(n):
        started = time.perf_counter()
        connection.execute("INSERT INTO t VALUES (?)", ("x" * 6000,))
        latencies.append(time.perf_counter() - started)
    connection.close()
    shutil.rmtree(place)
    return timed("bare SQLite, one 6 kB row per commit", "commits", latencies, sum(latencies))


def table(rows: list[Row]) -> str:
    columns = ("what", "per_s", "unit", "p50_ms", "p99_ms", "cpu_us")
    cells = [columns, *(tuple(str(row.get(column, "")) for column in columns) for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


async def measure(folder: Path, n_pairs: int) -> list[Row]:
    return [
        disk_syncs(folder),
        bare_sqlite(folder),
        *await pairs(folder, n_pairs // 4, 1),
        *await pairs(folder, n_pairs, 16),
        *await pairs(folder, n_pairs // 2, 16, busy_s=0.0005),
        *await pairs(folder, n_pairs, 64),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=8000, help="pairs with 16 clients; the others take a part of it")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where the ledger files go")
    parser.add_argument("--json", type=Path, help="also write the rows here")
    options = parser.parse_args()
    rows = asyncio.run(measure(options.folder, options.pairs))
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
