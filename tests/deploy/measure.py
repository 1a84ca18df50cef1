"""What each role needs from the image: time to ready, processor time to start, memory before and after work.

    python -m tests.deploy measure [text | voice]

Prints one JSON line for each role. Measure on a machine that does nothing else: every number is of this machine at this moment.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2

from tests.deploy.contained import PATIENCE_S, Contained, contained
from tests.deploy.toolbox import ROOT

ROLES = {
    "hive up": ["up"],
    "hive serve gateway": ["serve", "gateway"],
    "hive serve worker": ["serve", "worker"],
    "hive serve specialist": ["serve", "specialist", "technical"],
}
N_DECISIONS = 200
TEXTS = [json.loads(line)["text"] for line in (Path(__file__).parents[1] / "golden/everyday.jsonl").open(encoding="utf-8")]


def roles(target: str) -> None:
    """Measure every role of an image and print it."""
    for number, (name, words) in enumerate(ROLES.items(), 1):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "data"
            folder.mkdir()
            began_s = time.monotonic()
            settings = {"HIVE_RATE_LIMIT_PER_MINUTE": "0"}
            with contained(target, folder, f"127.0.8.{number}", words, settings, {}) as role:
                found = _watched(role, began_s, n_asked=N_DECISIONS * ("up" in words))
            sys.stdout.write(json.dumps({"role": name, "image": target} | found) + "\n")
            sys.stdout.flush()


def _watched(role: Contained, began_s: float, n_asked: int) -> dict[str, Any]:
    role.wait()
    with role.client() as http:
        while not http.get("/ready").json()["ready"]:
            threading.Event().wait(0.02)
            if time.monotonic() - began_s > PATIENCE_S:
                raise TimeoutError(role.log.read_text()[-2000:])
        found: dict[str, Any] = {
            "ready_s": round(time.monotonic() - began_s, 2),
            "cpu_to_start_s": round(sum(_cpu_s(pid) for pid in _family(role.pid)), 2),
            "memory_mb": [_memory_mb(pid) for pid in _family(role.pid)],
        }
        for number in range(n_asked):
            http.post("/api/v1/intents", json={"text": f"{TEXTS[number % len(TEXTS)]} ({number})"}).raise_for_status()
        if n_asked:
            found |= {"decisions": n_asked, "memory_after_mb": [_memory_mb(pid) for pid in _family(role.pid)]}
        if _can_hear(http):
            found["memory_hearing_mb"] = [_memory_mb(pid) for pid in _family(role.pid)]
    return found


def _can_hear(http: httpx2.Client) -> bool:
    """Whether it transcribed a recording of the data beside the repository, if there is one; the model is then loaded."""
    for clip in sorted((ROOT.parent / "shared" / "data" / "speech").rglob("*.flac"))[:1]:
        return http.post("/v1/audio/transcriptions", files={"file": (clip.name, clip.read_bytes())}).is_success
    return False


def _family(pid: int) -> Iterator[int]:
    """A process and everything below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _memory_mb(pid: int) -> int:
    """Resident memory."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return round(int(line.split()[1]) / 1024)


def _cpu_s(pid: int) -> float:
    """Processor time, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
