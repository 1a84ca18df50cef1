"""What a spoken intent costs through a real server: recording in, decision out; and what the ear costs while nobody speaks.

    python -P benchmarks/voice.py --data FOLDER --model FOLDER [--seconds 4 6] [--times 40] [--idle-s 60]

Starts `hive up` of this installation with a database of its own, posts recordings of the wanted length one after the other, each in
words of its own (so that neither a cache nor an idempotency key answers) and prints one JSON line: seconds until the decision, share
of it that the ear took, processor time used within `idle-s` seconds with the worker loaded and after it was given back, memory.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

VOICE = "/api/v1/intents/voice"
_GIVEN_BACK_S = 5.0


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    children = " ".join((task / "children").read_text() for task in Path(f"/proc/{pid}/task").iterdir())
    return [pid, *(grandchild for child in children.split() for grandchild in family(int(child)))]


def processor_s(pid: int) -> float:
    """Processor time of this process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_ear(pid: int) -> bool:
    """Whether this is the process that transcribes."""
    return b"speech.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()


def resident_mb(pids: list[int]) -> float:
    """Resident memory of these processes, shared pages counted once for each."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * os.sysconf("SC_PAGE_SIZE") / 1e6


def idle(pid: int, seconds: float) -> dict[str, Any]:
    """What the hive uses while nothing is asked of it: in per cent of one core, all together and the ear alone."""
    before, started = {p: processor_s(p) for p in family(pid)}, time.monotonic()
    time.sleep(seconds)
    lasted, pids = time.monotonic() - started, family(pid)
    used = {p: 100 * (processor_s(p) - before.get(p, 0.0)) / lasted for p in pids}
    ear = sum(share for p, share in used.items() if is_ear(p))
    everything = {"processes": len(pids), "cpu_percent": round(sum(used.values()), 2), "of_the_ear": round(ear, 2)}
    return everything | {"resident_mb": round(resident_mb(pids))}


def ask(client: httpx2.Client, recordings: list[Path], times: int) -> tuple[list[float], list[float]]:
    """Seconds until each decision, and of those what the ear took."""
    took, heard = [], []
    for i in range(times):
        sound = recordings[i % len(recordings)].read_bytes()
        started = time.perf_counter()
        response = client.post(VOICE, files={"file": sound}, data={"vocabulary": f"term{i}"})
        took.append(time.perf_counter() - started)
        response.raise_for_status()
        heard.append(response.json()["intent"]["transcript"]["compute_s"])
    return took, heard


def start(model: Path, home: str, idle_s: float) -> tuple[subprocess.Popen[bytes], str]:
    """A hive of its own, and where it listens."""
    own = {"HIVE_SPEECH_MODEL": str(model), "HIVE_SPEECH_IDLE_S": str(idle_s), "HIVE_RATE_LIMIT_PER_MINUTE": "0"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HIVE_")} | own
    command = [str(Path(sys.executable).with_name("hive")), "up", "--port", "0"]
    said = Path(home) / "said.log"
    with said.open("w") as log:
        hive = subprocess.Popen(command, cwd=home, env=environment, stderr=log)
    while hive.poll() is None:
        if found := re.search(r"listening on (http://\S+)", said.read_text()):
            return hive, found[1]
        time.sleep(0.05)
    raise SystemExit(said.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--seconds", type=float, nargs=2, default=(4.0, 6.0), metavar=("FROM", "TO"))
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--idle-s", type=float, default=0.0, help="0 leaves the idle hive out")
    options = parser.parse_args()
    rows = [json.loads(line) for line in (options.data / "clips.jsonl").read_text(encoding="utf-8").splitlines()]
    chosen = [options.data / row["file"] for row in rows if options.seconds[0] <= row["seconds"] <= options.seconds[1]]
    given_back_after_s = options.idle_s + _GIVEN_BACK_S
    with tempfile.TemporaryDirectory() as home:
        hive, url = start(options.model, home, given_back_after_s)
        try:
            with httpx2.Client(base_url=url, timeout=60) as client:
                started = time.perf_counter()
                ask(client, chosen[:1], 1)
                first_s = time.perf_counter() - started
                took, heard = ask(client, chosen, options.times)
            found: dict[str, Any] = {
                "n": len(took),
                "recordings": len(chosen),
                "first_s": round(first_s, 3),
                "p50_s": round(float(np.median(took)), 3),
                "p95_s": round(float(np.quantile(took, 0.95)), 3),
                "p50_of_the_ear_s": round(float(np.median(heard)), 3),
                "load": round(os.getloadavg()[0], 1),
            }
            if options.idle_s:
                found["idle_loaded"] = idle(hive.pid, options.idle_s)
                while any(is_ear(pid) for pid in family(hive.pid)):
                    time.sleep(0.1)
                found["idle_given_back"] = idle(hive.pid, options.idle_s)
            print(json.dumps(found))
        finally:
            hive.terminate()
            hive.wait()


if __name__ == "__main__":
    main()
