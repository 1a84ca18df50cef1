"""What a decision costs with five specialists in processes of their own: gateway and specialists on loopback.

    python benchmarks/cluster_load.py [--seconds 5] [--clients 1 16 64] [--rate 100] [--cache URL] [--bus URL] [--alone]

Starts everything in a folder of its own, loads it as `http_load.py` does, prints one JSON line per number of clients and one for
the steady rate: with it, how many decisions were degraded, and what each process used, its children included: resident memory,
and processor time per decision. `--cache redis://…` and `--bus kafka://…` put those servers behind the gateway (`make servers`
starts some; their own processor time is not counted). `--alone` measures one process instead, to compare.
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
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from http_load import measure, measure_rate, memory_mb

HIVE = str(Path(sys.executable).with_name("hive"))
NAMES = ("architecture", "behavior", "business", "evolution", "technical")
PATH = "/api/v1/intents"
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
            process.terminate()


def cpu_s(pid: int) -> float:
    """Processor time of a process and its children, in seconds. Source: proc(5), `stat`."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    times = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in (str(pid), *children)]
    return sum(int(one[11]) + int(one[12]) for one in times) / os.sysconf("SC_CLK_TCK")


def decisions(url: str) -> tuple[int, int]:
    """How many decisions a gateway has made, and how many of them were degraded, as its metrics say."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith("hive_decisions_total{")]
    counts = [(int(float(line.rpartition(" ")[2])), 'degraded="true"' in line) for line in lines]
    return sum(n for n, _ in counts), sum(n for n, is_degraded in counts if is_degraded)


def load(url: str, pids: dict[str, int], n_clients: int, rate: float, seconds: float) -> None:
    """Measure with some clients, or at a steady rate where there are none, and print."""
    before, made = {name: cpu_s(pid) for name, pid in pids.items()}, decisions(url)
    work = measure(url, PATH, "", n_clients, seconds) if n_clients else measure_rate(url, PATH, "", rate, seconds, 0)
    told: dict[str, object] = dict(asyncio.run(work))
    n_made, n_degraded = (now - then for now, then in zip(decisions(url), made, strict=True))
    told["degraded"] = n_degraded
    told["memory_mb"] = {name: round(memory_mb(pid)) for name, pid in pids.items()}
    told["cpu_ms_per_decision"] = {name: round(1e3 * (cpu_s(pid) - before[name]) / n_made, 2) for name, pid in pids.items()}
    print(json.dumps(told), flush=True)


def main() -> None:
    """Parse arguments, start, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--rate", type=float, default=0.0, help="also measure at this many requests per second, sent when due")
    parser.add_argument("--cache", default="", help="a Redis, as HIVE_CACHE_URL")
    parser.add_argument("--bus", default="", help="a Kafka, as HIVE_BUS_URL")
    parser.add_argument("--alone", action="store_true")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        settings = {"HIVE_RATE_LIMIT_PER_MINUTE": "10000000" if chosen.cache else "0", "HIVE_SPECIALISTS__TOKEN": "benchmark"}
        settings |= {"HIVE_CACHE_URL": chosen.cache} if chosen.cache else {}
        settings |= {"HIVE_BUS_URL": chosen.bus} if chosen.bus else {}
        pids: dict[str, int] = {}
        for name in () if chosen.alone else NAMES:
            url, pids[name] = stack.enter_context(serving(folder, "serve", "specialist", name, **settings))
            settings[f"HIVE_SPECIALISTS__{name.upper()}_URL"] = url
        url, pids["gateway"] = stack.enter_context(serving(folder, "serve", "gateway", **settings))
        for n_clients in chosen.clients:
            load(url, pids, n_clients, 0.0, chosen.seconds)
        if chosen.rate:
            load(url, pids, 0, chosen.rate, chosen.seconds)


if __name__ == "__main__":
    main()
