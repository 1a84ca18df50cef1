"""How many bytes a case takes: `python benchmarks/storage_per_case.py [--cases 2000]`.

Everyday intents of tests/golden, each with a number of its own, are asked of an embedded hive in a folder of its own; then the files
are measured, the log of SQLite written back. Also what its events are as JSON, which is what a bus carries, and the processor time of
one decision in this process, HTTP not included. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

import apsw

from neural_hive.contracts import Ask, Case
from neural_hive.hive import open_hive
from neural_hive.pipeline.intake import Caller
from neural_hive.pipeline.live import past_events
from neural_hive.service import Hive
from neural_hive.settings import load_settings

TEXTS = [json.loads(line)["text"] for line in (Path(__file__).parents[1] / "tests/golden/everyday.jsonl").open(encoding="utf-8")]
ROLES = ("ledger", "graph", "bus")
#: Cases that are judged at once.
WIDTH = 16


async def fill(n_cases: int) -> tuple[float, int]:
    """Ask and wait until everything is filed. Processor time of all, in seconds, and bytes of the last case's events."""
    os.environ["HIVE_LOG_LEVEL"] = "error"
    urls = {f"{role}_url": f"sqlite:///{role}.db" for role in ROLES}
    async with open_hive(load_settings(**urls)) as hive:
        began_s = time.process_time()
        places = asyncio.Semaphore(WIDTH)
        cases = await asyncio.gather(*(ask(hive, places, number) for number in range(n_cases)))
        spent_s = time.process_time() - began_s
        while await hive.parts.stores.ledger.depth():  # noqa: ASYNC110 - the outbox has no bell
            await asyncio.sleep(0.2)
        n_bytes = sum(len(event.model_dump_json()) for event in past_events(cases[-1]))
    return spent_s, n_bytes


async def ask(hive: Hive, places: asyncio.Semaphore, number: int) -> Case:
    """One case."""
    async with places:
        return await hive.ask(Ask(text=f"{TEXTS[number % len(TEXTS)]} ({number})"), Caller())


def size(file: Path) -> int:
    """Bytes of a database after its log was written back."""
    with apsw.Connection(str(file)) as database:
        database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    return file.stat().st_size


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    n_cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        spent_s, events = asyncio.run(fill(n_cases))
        told = {f"{role}_bytes_per_case": round(size(Path(f"{role}.db")) / n_cases) for role in ROLES}
    print(
        json.dumps(
            {"cases": n_cases, **told, "event_bytes_per_case": events, "cpu_ms_per_case": round(1e3 * spent_s / n_cases, 2)}
        )
    )


if __name__ == "__main__":
    main()
