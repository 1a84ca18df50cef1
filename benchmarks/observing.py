"""What observing costs: processor time per decision of a hive that logs, counts and traces, against one that does nothing of it.

    python benchmarks/observing.py [--rounds 12] [--decisions 200] [--ratio 0.1]

Two whole hives in this process, on files of their own, asked by 16 callers through their ASGI applications, in turns
(off, on, on, off) so that whatever else the machine does falls on both. The time is this process's own (`time.process_time`:
the pipeline, the edge, the ledger's writer, the exporter's thread; understanding's own processes are left out, which makes
the share of observing larger). "On" is every metric, one JSON log line a decision to a file, and traces to a collector in
another process. Prints one JSON line; ratio is on / off, with a 95 % bootstrap interval over the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from neural_hive.gateway.app import create_app
from neural_hive.hive import open_hive
from neural_hive.observability.logs import configure_logs
from neural_hive.observability.observer import HEARD
from neural_hive.settings import Settings

TEXTS = [json.loads(line)["text"] for line in (Path(__file__).parents[1] / "tests/golden/everyday.jsonl").open(encoding="utf-8")]
N_CALLERS = 16
#: In this order, so that a steady drift of the machine's speed falls on both alike.
TURNS = ("off", "on", "on", "off")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one turn, per decision, in microseconds. cpu_us: of this process. wall_us: with 16 callers."""

    cpu_us: float
    wall_us: float


class Sink(BaseHTTPRequestHandler):
    """A collector that takes whatever comes."""

    def do_POST(self) -> None:
        """Read and forget."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def serve_sink() -> None:
    """Be the collector, until killed; the port on stdout."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    print(server.server_port, flush=True)
    server.serve_forever()


@asynccontextmanager
async def opened(folder: Path, name: str, collector: str, ratio: float) -> AsyncIterator[Any]:
    """The application of a hive on its own file; `off` observes nothing at all."""
    file = f"sqlite:///{folder / name}.db"
    observed = {"otlp_endpoint": collector, "trace_sample_ratio": ratio} if name == "on" else {}
    async with open_hive(Settings(ledger_url=file, graph_url=file, bus_url=file, **observed)) as hive:
        if name == "off":
            for event in HEARD:
                setattr(hive.observing.listeners, f"_{event}", ())
        yield create_app(hive, hive.observing if name == "on" else None)


async def ask(app: Any, text: str) -> None:
    """One POST /api/v1/intents."""
    body = json.dumps({"text": text}).encode()
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "root_path": "",
        "path": "/api/v1/intents", "raw_path": b"/api/v1/intents", "query_string": b"", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    assert status == 201, status


async def turn(app: Any, numbers: Sequence[int]) -> Cost:
    """Decide once for each number, by several callers at once."""
    waiting = iter(numbers)

    async def caller() -> None:
        for number in waiting:
            await ask(app, f"{TEXTS[number % len(TEXTS)]} ({number})")

    cpu_s, wall_s = time.process_time(), time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(N_CALLERS)))
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    return Cost(1e6 * cpu_s / len(numbers), 1e6 * wall_s / len(numbers))


async def measure(collector: str, ratio: float, n_rounds: int, n_decisions: int) -> list[dict[str, list[Cost]]]:
    """For each round, the costs of its two turns by name."""
    found: list[dict[str, list[Cost]]] = []
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            off = await stack.enter_async_context(opened(Path(folder), "off", "", 0))
            log = stack.enter_context((Path(folder) / "log").open("w"))
            configure_logs("json", "info", log)
            apps = {"off": off, "on": await stack.enter_async_context(opened(Path(folder), "on", collector, ratio))}
            n_asked = 0
            for number in range(n_rounds + 1):
                costs: dict[str, list[Cost]] = {"off": [], "on": []}
                for name in TURNS:
                    costs[name].append(await turn(apps[name], range(n_asked, n_asked + n_decisions)))
                    n_asked += n_decisions
                if number:  # the first warms up
                    found.append(costs)
                    print(f"\rround {number} of {n_rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def compared(rounds: Sequence[dict[str, list[Cost]]], kind: str) -> dict[str, float]:
    """Microseconds off and on, their ratio by round as a median, and the 95 % interval of that median."""
    means = {name: [sum(getattr(c, kind) for c in each[name]) / len(each[name]) for each in rounds] for name in ("off", "on")}
    ratios = [on / off for off, on in zip(means["off"], means["on"], strict=True)]
    dice = random.Random(7)
    draws = sorted(median(dice.choices(ratios, k=len(ratios))) for _ in range(2_000))
    return {
        "off_us": round(median(means["off"]), 1),
        "on_us": round(median(means["on"]), 1),
        "ratio": round(median(ratios), 3),
        "low": round(draws[50], 3),
        "high": round(draws[-51], 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--decisions", type=int, default=200, help="in each of a round's four turns")
    parser.add_argument("--ratio", type=float, default=0.1, help="share of requests that are traced")
    parser.add_argument("--sink", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.sink:
        serve_sink()
        return
    with subprocess.Popen([sys.executable, __file__, "--sink"], stdout=subprocess.PIPE, text=True) as sink:
        assert sink.stdout is not None
        collector = f"http://127.0.0.1:{int(sink.stdout.readline())}"
        rounds = asyncio.run(measure(collector, given.ratio, given.rounds, given.decisions))
        sink.kill()
    result = {"cpu": compared(rounds, "cpu_us"), "wall": compared(rounds, "wall_us")}
    print(json.dumps({"ratio_traced": given.ratio, "rounds": given.rounds, "decisions": given.decisions} | result))


if __name__ == "__main__":
    main()
