"""The load of `cluster_load.py` for locust, to be run against any hive: everyday intents, judged at once, at a steady rate.

    pip install locust
    locust -f benchmarks/locustfile.py --headless --host http://127.0.0.1:8000 --users 100 --spawn-rate 50 --run-time 60s --csv result

Each user sends one intent a second (locust's `constant_throughput`), so 100 users are 100 intents a second as long as answers take
less than a second. Prints locust's table and fails (exit code 1) when HIVE_LOAD_P99_MS (default 150) or an error is exceeded or a
decision is degraded. Give the hive HIVE_RATE_LIMIT_PER_MINUTE=0; HIVE_LOAD_TOKEN is sent as a bearer token.
"""

from __future__ import annotations

import itertools
import os
from typing import Any

from locust import HttpUser, constant_throughput, events, task

from http_load import TEXTS, mark

P99_MS = float(os.environ.get("HIVE_LOAD_P99_MS", "150"))
_NUMBERS = itertools.count()


class Asker(HttpUser):
    """Somebody who wants something every second."""

    wait_time = constant_throughput(1)

    def on_start(self) -> None:
        """Show the token, if there is one."""
        if token := os.environ.get("HIVE_LOAD_TOKEN"):
            self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def ask(self) -> None:
        """One intent, with words of its own so that no cache answers."""
        number = next(_NUMBERS)
        body = {"text": f"{TEXTS[number % len(TEXTS)]} ({mark(number)})"}
        with self.client.post("/api/v1/intents", json=body, catch_response=True) as answer:
            if answer.status_code != 201:
                answer.failure(f"HTTP {answer.status_code}")
            elif answer.json()["decision"]["degraded"]:
                answer.failure("degraded")


@events.quitting.add_listener
def judge_run(environment: Any, **_: Any) -> None:
    """The exit code says whether the promise was kept."""
    total = environment.stats.total
    is_kept = total.num_requests > 0 and total.num_failures == 0 and total.get_response_time_percentile(0.99) <= P99_MS
    environment.process_exit_code = 0 if is_kept else 1
