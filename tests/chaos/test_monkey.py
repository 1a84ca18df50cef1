"""A monkey kills and freezes servers, specialists, a worker and gateways while intents flow: nothing acknowledged is lost.

The promise is measured with: HIVE_TEST_CHAOS_INTENTS=5000 HIVE_TEST_CHAOS_PAUSE_S=5,20 pytest tests/chaos/test_monkey.py
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from tests.chaos.cluster import SETTINGS, Cluster, OwnServer, Role, together, wait_until

from neural_hive.storage.bus.kafka_connection import parse
from neural_hive.storage.ledger.chain import export_line
from neural_hive.storage.open import open_storage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600), *(pytest.mark.server(name) for name in SETTINGS)]

N_INTENTS = int(os.environ.get("HIVE_TEST_CHAOS_INTENTS", "300"))
#: Shortest and longest pause between two misfortunes, in seconds.
PAUSE_S = tuple(map(float, os.environ.get("HIVE_TEST_CHAOS_PAUSE_S", "1,3").split(",")))
N_CLIENTS, MOST_PER_S = 8, 10.0
#: How long something stays frozen, shortest and longest, in seconds.
FROZEN_S = (1.0, 4.0)
DEADLINE_S = 5.0
#: What a busy machine may add to a deadline, in seconds: counting the request in a Redis that hangs, the network, this client.
SLACK_S = 1.0
TEXTS = ("Apagar as contas inativas", "Fix the typo in the footer", "Migrar la base de clientes a la nube con copia de seguridad")
QUICK = {"HIVE_LEASE_S": "3", "HIVE_RECOVERY_INTERVAL_S": "0.5", "HIVE_MODELS_INTERVAL_S": "1"}


class Monkey:
    """Takes its victims in turns, each killed and frozen in turn, until it is told to stop; then everything is healed."""

    def __init__(self, victims: list[tuple[OwnServer | Role, str]], dice: random.Random) -> None:
        self._deck = list(victims)
        self._dice = dice
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(16)
        self._out: set[str] = set()
        self.deeds: Counter[str] = Counter()
        self.problems: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Monkey:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        for turn in itertools.count():
            if turn % len(self._deck) == 0:
                self._dice.shuffle(self._deck)
            victim, how = self._deck[turn % len(self._deck)]
            if victim.name not in self._out:
                self._out.add(victim.name)
                self._pool.submit(self._harm, victim, how, self._dice.uniform(*FROZEN_S))
            if self._stop.wait(self._dice.uniform(*PAUSE_S)):
                return

    def _harm(self, victim: OwnServer | Role, how: str, for_s: float) -> None:
        try:
            if how == "kill":
                victim.kill()
                self._stop.wait(for_s)
                victim.start()
            else:
                victim.freeze()
                self._stop.wait(for_s)
                victim.thaw()
            self.deeds[f"{how} {victim.name.partition('@')[0]}"] += 1
        except Exception as error:  # noqa: BLE001 - told by the test, which fails for it
            self.problems.append(f"{how} {victim.name}: {error!r}")
        finally:
            self._out.discard(victim.name)


@dataclass(slots=True)
class Book:
    """What the clients were told.

    acknowledged: case id → the hash of the decision, or empty for 202. lacking: who was missing in degraded decisions; "context" for
    those that all specialists made without the graph's. seconds: how long each answer took.
    """

    acknowledged: dict[str, str] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    n_broken: int = 0
    lacking: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    n_degraded: int = 0

    def summary(self) -> dict[str, Any]:
        """The figures of a run."""
        times = sorted(self.seconds)
        quantiles = {f"p{share}_s": round(times[len(times) * share // 100], 2) for share in (50, 90, 99)} if times else {}
        counted = {"answers": self.answers, "broken": self.n_broken, "degraded": self.n_degraded, "lacking": self.lacking}
        return counted | quantiles | {"slowest_s": round(max(times, default=0.0), 2)}


def flow(gateways: list[Role], numbers: Any, book: Book, seed: int) -> None:
    """Ask one intent after the other until each is acknowledged, by whichever gateway answers."""
    dice = random.Random(seed)
    with httpx2.Client(timeout=60) as http:
        for number in numbers:
            key, prefers = f"key-{number}", dice.random() < 0.3
            body = {"text": f"{TEXTS[number % len(TEXTS)]} {number}"}
            headers = {"Idempotency-Key": key} | ({"Prefer": "respond-async"} if prefers else {})
            give_up_at = time.monotonic() + 240
            while not one_attempt(http, gateways[dice.randrange(len(gateways))], body, headers, book, key):
                if time.monotonic() > give_up_at:
                    book.wrongs.append(f"{key} was never acknowledged")
                    return
                threading.Event().wait(dice.uniform(0.1, 0.5))
            threading.Event().wait(N_CLIENTS / MOST_PER_S * dice.uniform(0.5, 1.5))


def one_attempt(http: httpx2.Client, gateway: Role, body: dict[str, str], headers: dict[str, str], book: Book, key: str) -> bool:
    """Whether the intent is acknowledged now."""
    began = time.monotonic()
    try:
        answer = http.post(f"{gateway.url}/api/v1/intents", json=body, headers=headers)
    except httpx2.HTTPError:
        book.n_broken += 1  # the gateway was killed
        return False
    took_s = time.monotonic() - began
    book.answers[answer.status_code] += 1
    if gateway.up_since_s < began:  # else the request waited for the gateway to start
        book.seconds.append(took_s)
        if took_s > DEADLINE_S + SLACK_S:
            book.wrongs.append(f"{key}: {answer.status_code} after {took_s:.1f} s")
    if answer.status_code not in (201, 202):
        if answer.status_code not in (429, 503) or answer.headers["content-type"] != "application/problem+json":
            book.wrongs.append(f"{key}: {answer.status_code} {answer.text[:200]}")
        return False
    told = answer.json()
    if answer.status_code == 201:
        check_answer(told, book, key)
    if book.by_key.setdefault(key, told["id"]) != told["id"]:
        book.wrongs.append(f"{key}: two cases")
    book.acknowledged[told["id"]] = told["decision"]["hash"] if answer.status_code == 201 else ""
    return True


def check_answer(case: dict[str, Any], book: Book, key: str) -> None:
    """A decision that lacks somebody says so."""
    decision = case["decision"]
    quorum = decision["quorum"]
    book.n_degraded += decision["degraded"]
    if decision["degraded"]:
        book.lacking.update(quorum["missing"] or ["context"])
    if (quorum["answered"] + len(quorum["missing"]) != 5) or (quorum["missing"] and not decision["degraded"]):
        book.wrongs.append(f"{key}: {decision}")
    if quorum["answered"] < 3 and decision["outcome"] in ("approved", "conditional"):
        book.wrongs.append(f"{key}: {decision['outcome']} by {quorum['answered']}")


@pytest.fixture(scope="module")
def gateways(own_cluster: Cluster) -> list[Role]:
    """Two gateways that ask five specialists, and a worker."""
    urls = own_cluster.start_specialists()
    roles = [own_cluster.role(f"gateway-{n}", "gateway", **QUICK, **urls) for n in (1, 2)]
    together([*roles, own_cluster.role("worker", "worker", **QUICK, **urls)])
    return roles


def test_nothing_acknowledged_is_lost_while_a_monkey_is_loose(own_cluster: Cluster, gateways: list[Role]) -> None:
    seed = int(os.environ.get("HIVE_TEST_SEED", str(random.randrange(10**6))))
    book, numbers, victims = Book(), iter(Locked(N_INTENTS)), []
    for server in own_cluster.servers.values():
        victims += [(server, "kill"), (server, "freeze")]
    for role in own_cluster.roles.values():
        victims += [(role, "kill")] if role in gateways else [(role, "kill"), (role, "freeze")]
    with Monkey(victims, random.Random(seed)) as monkey:
        clients = [threading.Thread(target=flow, args=(gateways, numbers, book, seed + n)) for n in range(N_CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    told = book.summary() | {"seed": seed}
    sys.stdout.write(json.dumps(told | {"deeds": monkey.deeds}) + "\n")
    assert monkey.problems == [], told
    assert book.wrongs == [], told
    assert len(book.by_key) == N_INTENTS == len(book.acknowledged)
    check_record(own_cluster, gateways[0], book)


class Locked:
    """Numbers that many threads take from."""

    def __init__(self, n_numbers: int) -> None:
        self._numbers, self._lock = iter(range(n_numbers)), threading.Lock()

    def __iter__(self) -> Locked:
        return self

    def __next__(self) -> int:
        with self._lock:
            return next(self._numbers)


def check_record(cluster: Cluster, gateway: Role, book: Book) -> None:
    """Every acknowledged intent is decided, once, as told; the chain is whole; every event reached the bus."""

    def is_drained() -> bool:
        with suppress(httpx2.HTTPError, AssertionError):
            return [line for line in gateway.get("/metrics").text.splitlines() if 'queue="outbox"' in line][-1].endswith(" 0.0")
        return False

    wait_until("everything is decided", lambda: set(book.acknowledged) <= set(decided(cluster)))
    wait_until("the outbox is empty", is_drained)
    hashes = decided(cluster)
    assert {len(found) for found in hashes.values()} == {1}, "a case was decided twice"
    assert all(hashes[one] == [told] for one, told in book.acknowledged.items() if told)
    assert gateway.get("/api/v1/ledger/verify").json()["ok"] is True
    assert set(book.acknowledged) <= asyncio.run(announced(cluster))


def decided(cluster: Cluster) -> dict[str, list[str]]:
    """Case id → the hashes of its decisions in the ledger."""

    async def read() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        async with open_storage() as storage:
            ledger: Any = await storage.ledger(cluster.stores()["HIVE_LEDGER_URL"])
            async for row in ledger.export():
                entry = json.loads(export_line(row))["entry"]
                if entry["kind"] == "decided":
                    found.setdefault(entry["case_id"], []).append(row["hash"])
        return found

    return asyncio.run(read())


async def announced(cluster: Cluster) -> set[str]:
    """The cases whose decision is on the bus."""
    from aiokafka import AIOKafkaConsumer

    connection = parse(cluster.stores()["HIVE_BUS_URL"])
    consumer = AIOKafkaConsumer(
        connection.topics.events, bootstrap_servers=connection.servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    found: set[str] = set()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found |= {record.key.decode() for record in records if json.loads(record.value)["type"] == "decided"}
    finally:
        await consumer.stop()
    return found


def test_what_a_killed_gateway_had_begun_another_finishes(own_cluster: Cluster, gateways: list[Role]) -> None:
    patient = {"HIVE_DEADLINE_MS": "600000", "HIVE_SPECIALIST_TIMEOUT_MS": "600000", "HIVE_LEASE_S": "1"}
    other = gateways[1]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(120)
        mute = {"HIVE_SPECIALISTS__TECHNICAL_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        doomed = own_cluster.role("doomed", "gateway", **patient, **mute)
        doomed.start()
        headers = {"Idempotency-Key": "killed-in-the-middle"}
        body = {"text": "Desligar a autenticação em dois fatores dos administradores"}
        command = ["curl", "-s", "-m", "120", "-X", "POST", f"{doomed.url}/api/v1/intents", "-d", json.dumps(body)]
        command += ["-H", "Content-Type: application/json", "-H", f"Idempotency-Key: {headers['Idempotency-Key']}"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as asking:
            connection, _ = silent.accept()  # the case is under way: its specialist is being asked, and says nothing
            connection.recv(1)
            doomed.kill()
            connection.close()
            asking.wait()
    found: list[dict[str, Any]] = []

    def is_finished() -> bool:
        answer = httpx2.post(f"{other.url}/api/v1/intents", json=body, headers=headers, timeout=60)
        found.append(answer.json())
        return answer.status_code == 201

    wait_until("the other gateway has the decision", is_finished)
    case = found[-1]
    assert case["decision"]["quorum"]["answered"] == 5
    assert decided(own_cluster)[case["id"]] == [case["decision"]["hash"]]
