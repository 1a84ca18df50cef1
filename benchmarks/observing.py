"""What observing costs: microseconds per decision for metrics and one log line to a file, and for traces at some ratios.

    python benchmarks/observing.py

A decision is eight calls: accepted, understood, five opinions, decided. HTTP is the two calls of a request around it.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from neural_hive.contracts import (
    Case,
    CaseStatus,
    Decision,
    Domain,
    Frame,
    Intent,
    Opinion,
    Outcome,
    Quorum,
    Status,
    Understanding,
)
from neural_hive.observability.arrivals import Answered
from neural_hive.observability.logs import configure_logs
from neural_hive.observability.observing import Observing, observe

NAMES = ("architecture", "behavior", "business", "evolution", "technical")
#: Runs, of which the quickest counts: others work on the same cores.
N_RUNS, N_DECISIONS = 60, 300
CASE_ID = "01934f3a-7c1e-7b42-9d0e-3f6c5a1b2d4e"


def sample() -> tuple[Case, Understanding, list[Opinion]]:
    """A decided case."""
    understanding = Understanding(
        language="pt", domain=Domain.SECURITY, classification="security.destroy", confidence=0.9,
        status=Status.UNDERSTOOD, frame=Frame(action="destroy"),
    )  # fmt: skip
    opinions = [
        Opinion(specialist=n, relevance=0.4, risk=0.2, confidence=0.8, recommendation=Outcome.APPROVED, summary="", model="m")
        for n in NAMES
    ]
    decision = Decision(
        outcome=Outcome.CONDITIONAL, primary="technical", risk=0.61, risk_band="medium", confidence=0.83, agreement=0.6,
        quorum=Quorum(asked=5, answered=5), explanation="",
    )  # fmt: skip
    now = datetime.now(UTC)
    intent = Intent(id=CASE_ID, text="x", received_at=now)
    case = Case(
        id=CASE_ID, status=CaseStatus.DECIDED, intent=intent, understanding=understanding, opinions=tuple(opinions),
        decision=decision, decided_at=now,
    )  # fmt: skip
    return case, understanding, opinions


def one_decision(observing: Observing) -> Callable[[], None]:
    """The calls of one decision."""
    (case, understanding, opinions), hear = sample(), observing.listeners

    def decide() -> None:
        hear.on_accepted(case, 0.001)
        hear.on_understood(CASE_ID, understanding, 0.002)
        for opinion in opinions:
            hear.on_opinion(CASE_ID, opinion, 0.0002)
        hear.on_decided(case, 0.004)

    return decide


def one_request(observing: Observing) -> Callable[[], None]:
    """The calls around one request, and its decision."""
    decide = one_decision(observing)

    def request() -> None:
        own = observing.arrived(CASE_ID, "", "/api/v1/intents")
        decide()
        observing.answered(Answered("POST", "/api/v1/intents", 201, 0.005, CASE_ID, own))

    return request


def best_us(work: Callable[[], None], n: int = N_DECISIONS) -> float:
    """Microseconds per call in the quickest run."""
    runs = []
    for _ in range(N_RUNS):
        start = time.perf_counter()
        for _ in range(n):
            work()
        runs.append(time.perf_counter() - start)
    return min(runs) / n * 1e6


class _Sink(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take whatever comes."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def with_traces(ratio: float) -> float:
    """Microseconds per request with traces to a collector of this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    observing = observe(f"http://127.0.0.1:{server.server_port}", ratio)
    found = best_us(one_request(observing), 100)
    asyncio.run(observing.close())
    server.shutdown()
    return found


def main() -> None:
    """Measure and print."""
    print(f"{'metrics alone, a decision':<48}{best_us(one_decision(Observing())):8.1f} µs")
    with tempfile.TemporaryFile("w") as file:
        configure_logs("json", "info", file)
        print(f"{'metrics and a log line to a file, a decision':<48}{best_us(one_decision(Observing())):8.1f} µs")
        print(f"{'the same with its request, traces off':<48}{best_us(one_request(Observing())):8.1f} µs")
        for ratio in (0.0, 0.1, 1.0):
            print(f"{f'the same, traces at {ratio:.0%}':<48}{with_traces(ratio):8.1f} µs")


if __name__ == "__main__":
    main()
