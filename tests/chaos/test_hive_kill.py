"""`kill -9` of a whole hive at random instants under load: nothing acknowledged is lost, one decision each, the chain verifies."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2
import pytest
from tests.acceptance.conftest import RunningHive, clean_environment

#: The promise is measured with 50 cycles: HIVE_TEST_KILL_CYCLES=50 pytest tests/chaos/test_hive_kill.py
N_CYCLES = int(os.environ.get("HIVE_TEST_KILL_CYCLES", "3"))
N_CLIENTS = 6
HIVE = str(Path(sys.executable).with_name("hive"))
TEXTS = ("Apagar as contas inativas", "Fix the typo in the footer", "Migrar la base de clientes a la nube")


def start(folder: Path) -> RunningHive:
    environment = clean_environment() | {
        "HIVE_LEASE_S": "1",
        "HIVE_RECOVERY_INTERVAL_S": "0.2",
        "HIVE_RATE_LIMIT_PER_MINUTE": "0",
    }
    process = subprocess.Popen([HIVE, "up", "--port", "0"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    hive = RunningHive(process)
    hive.wait_until_it_listens()
    return hive


def load(hive: RunningHive, acknowledged: dict[str, str], stop: threading.Event, seed: int) -> None:
    """Ask until the hive is gone; keep what it acknowledged: id → decision hash, or empty for 202."""
    dice = random.Random(seed)
    with hive.client() as client:
        while not stop.is_set():
            headers = {"Idempotency-Key": f"{seed}-{dice.random()}"}
            if dice.random() < 0.4:
                headers["Prefer"] = "respond-async"
            try:
                answer = client.post(
                    "/api/v1/intents", json={"text": f"{dice.choice(TEXTS)} {dice.randrange(10**6)}"}, headers=headers
                )
            except httpx2.HTTPError:
                return
            if answer.status_code == 201:
                acknowledged[answer.json()["id"]] = answer.json()["decision"]["hash"]
            elif answer.status_code == 202:
                acknowledged[answer.json()["id"]] = ""


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    acknowledged: dict[str, str] = {}
    for cycle in range(N_CYCLES):
        hive, stop = start(tmp_path), threading.Event()
        clients = [threading.Thread(target=load, args=(hive, acknowledged, stop, cycle * 100 + n)) for n in range(N_CLIENTS)]
        for client in clients:
            client.start()
        stop.wait(random.uniform(0.05, 1.5))
        hive.kill()
        stop.set()
        for client in clients:
            client.join()
    assert acknowledged, "no intent was acknowledged: the load did not reach the hive"
    hive = start(tmp_path)
    try:
        check(hive, acknowledged, tmp_path)
    finally:
        hive.kill()


def check(hive: RunningHive, acknowledged: dict[str, str], folder: Path) -> None:
    deadline = time.monotonic() + 60
    with hive.client() as client:
        for case_id, expected in acknowledged.items():
            case = client.get(f"/api/v1/intents/{case_id}").json()
            while case["status"] != "decided" and time.monotonic() < deadline:
                threading.Event().wait(0.1)
                case = client.get(f"/api/v1/intents/{case_id}").json()
            assert case["status"] == "decided", case_id
            assert not expected or case["decision"]["hash"] == expected, case_id
        verification = client.get("/api/v1/ledger/verify").json()
    assert verification["ok"], verification
    decided = Counter(
        row[0] for row in sqlite3.connect(folder / "hive.db").execute("SELECT case_id FROM entries WHERE kind = 'decided'")
    )
    assert set(decided.values()) == {1}
    assert acknowledged.keys() <= decided.keys()
