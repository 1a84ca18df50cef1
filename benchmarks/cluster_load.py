"""What a decision costs with five specialists in processes of their own: gateway and specialists on loopback.

    python benchmarks/cluster_load.py [--seconds 5] [--clients 1 16 64] [--alone]

Starts everything in a folder of its own, loads it as `http_load.py` does, prints one JSON line per number of clients, and
what each process used: resident memory, and processor time per decision. `--alone` measures one process instead, to compare.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from http_load import measure

HIVE = str(Path(sys.executable).with_name("hive"))
NAMES = ("architecture", "behavior", "business", "evolution", "technical")
_LISTENING = re.compile(r"listening on (http://[^\s]+)")


@contextmanager
def serving(folder: str, *words: str, **settings: str) -> Iterator[tuple[str, int]]:
    """A role of the hive on a free port: its URL and process id."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HIVE_")} | settings
    command = [HIVE, *words, "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            url = next((found[1] for line in process.stderr if (found := _LISTENING.search(line))), "")
            assert url, f"hive {' '.join(words)} did not start"
            Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop the process
            yield url, process.pid
        finally:
            process.kill()


def used(pid: int) -> tuple[float, float]:
    """Resident memory in MB and processor time in seconds. Source: proc(5), `statm` and `stat`."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def load(url: str, pids: dict[str, int], n_clients: int, seconds: float) -> None:
    """Measure and print."""
    before = {name: used(pid)[1] for name, pid in pids.items()}
    told: dict[str, object] = dict(asyncio.run(measure(url, "/api/v1/intents", "", n_clients, seconds)))
    after = {name: used(pid) for name, pid in pids.items()}
    n_decisions = float(str(told["per_s"])) * seconds
    told["memory_mb"] = {name: round(mb) for name, (mb, _) in after.items()}
    told["cpu_ms_per_decision"] = {name: round(1e3 * (s - before[name]) / n_decisions, 2) for name, (_, s) in after.items()}
    print(json.dumps(told), flush=True)


def main() -> None:
    """Parse arguments, start, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--alone", action="store_true")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        settings, pids = {"HIVE_RATE_LIMIT_PER_MINUTE": "0", "HIVE_SPECIALISTS__TOKEN": "benchmark"}, {}
        for name in () if chosen.alone else NAMES:
            url, pids[name] = stack.enter_context(serving(folder, "serve", "specialist", name, **settings))
            settings[f"HIVE_SPECIALISTS__{name.upper()}_URL"] = url
        url, pids["gateway"] = stack.enter_context(serving(folder, "serve", "gateway", **settings))
        for n_clients in chosen.clients:
            load(url, pids, n_clients, chosen.seconds)


if __name__ == "__main__":
    main()
