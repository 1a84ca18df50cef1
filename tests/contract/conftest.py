"""Every product of every port, and the records that the contract suites put into them.

To add a product: one more row in the table of its role. An external one names its server, which marks its tests
`server(name)`, and says in `url` how to reach a space of its own for each test.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from uuid_utils import uuid7

from neural_hive.contracts import (
    Case,
    CaseStatus,
    Decision,
    Domain,
    Event,
    EventType,
    Finding,
    Frame,
    Intent,
    Opinion,
    Outcome,
    Quorum,
    Review,
    Span,
    SpecialistName,
    Status,
    Understanding,
)
from neural_hive.ports import Cache, EventBus, KnowledgeGraph, ModelRegistry
from neural_hive.storage.bus import log
from neural_hive.storage.bus.sqlite import BusOptions, SqliteBus
from neural_hive.storage.models.bundled import BundledModels
from neural_hive.storage.open import LedgerWithOutbox, open_storage
from neural_hive.storage.sqlite.database import open_database

Opener = Callable[[], AbstractAsyncContextManager[Any]]


@dataclass(frozen=True)
class Product:
    """One product of a role.

    url: where it is; `{folder}` is the test's own folder, `{unique}` a word of its own, `{SERVER_URL}`-like names come
    from the environment. opener: opens a URL when the role's URL table is not enough. lasts: keeps what it is given
    when it is closed. server: the name of the server it needs, or empty.
    """

    name: str
    url: str
    opener: Callable[[str], AbstractAsyncContextManager[Any]] | None = None
    lasts: bool = True
    server: str = ""


@asynccontextmanager
async def open_quick_bus(url: str) -> AsyncIterator[SqliteBus]:
    """The SQLite bus with waits so short that five failures take no time."""
    async with open_database(url) as database:
        await database.migrate(log.ROLE, log.MIGRATIONS)
        yield SqliteBus(database, BusOptions(retry_s=0.001))


@asynccontextmanager
async def open_quick_kafka(url: str) -> AsyncIterator[Any]:
    """The Kafka bus with waits so short that five failures take no time."""
    from neural_hive.storage.bus.kafka import KafkaBus, MemberOptions, parse

    bus = KafkaBus(parse(url), MemberOptions(retry_s=0.001))
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def open_empty_neo4j(url: str) -> AsyncIterator[Any]:
    """The graph on the test's Neo4j, whose community edition has one database for all tests."""
    from neural_hive.storage.graph.neo4j import Neo4jGraph, connect

    connection = connect(url)
    async with connection.driver as driver:
        await driver.execute_query("MATCH (n) DETACH DELETE n", database_=connection.database)
        yield Neo4jGraph(connection)


@asynccontextmanager
async def open_mlflow(place: str) -> AsyncIterator[Any]:
    """The MLflow registry with names, a download folder and a fallback of the test's own."""
    from neural_hive.storage.models.mlflow import MlflowModels, MlflowOptions, client_of

    url, folder, unique = place.split(" ")
    fallback = BundledModels(Path(folder) / "package", Path(folder) / "registered")
    client, faults = client_of(url)
    yield MlflowModels(client, fallback, faults, MlflowOptions(Path(folder) / "downloads", prefix=f"{unique}."))


@asynccontextmanager
async def open_models(folder: str) -> AsyncIterator[BundledModels]:
    """A registry whose package has no models and whose folder is the test's."""
    yield BundledModels(Path(folder) / "package", Path(folder) / "registered")


LEDGERS = [
    Product("mongodb", "{HIVE_TEST_MONGODB_URL}/{unique}", server="mongodb"),
    Product("sqlite", "sqlite:///{folder}/hive.db"),
    Product("sqlite in memory", "sqlite:///:memory:", lasts=False),
]
GRAPHS = [
    Product("neo4j", "{HIVE_TEST_NEO4J_URL}", open_empty_neo4j, server="neo4j"),
    Product("sqlite", "sqlite:///{folder}/hive.db"),
    Product("sqlite in memory", "sqlite:///:memory:", lasts=False),
]
CACHES = [
    Product("memory", "memory://", lasts=False),
    Product("redis", "{HIVE_TEST_REDIS_URL}?prefix={unique}", server="redis"),
]
BUSES = [
    Product("sqlite", "{folder}/hive.db", open_quick_bus),
    Product("sqlite in memory", ":memory:", open_quick_bus, lasts=False),
    Product("kafka", "{HIVE_TEST_KAFKA_URL}/{unique}", open_quick_kafka, server="kafka"),
]
REGISTRIES = [
    Product("bundled", "{folder}", open_models),
    Product("mlflow", "{HIVE_TEST_MLFLOW_URL} {folder} {unique}", open_mlflow, server="mlflow"),
]


def _params(products: list[Product]) -> list[Any]:
    return [
        pytest.param(product, id=product.name, marks=[pytest.mark.server(product.server)] if product.server else [])
        for product in products
    ]


def _opener(role: str, product: Product, folder: Path) -> Opener:
    url = product.url.format(folder=folder, unique=f"t{uuid7().hex[-12:]}", **os.environ)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        if product.opener is not None:
            async with product.opener(url) as thing:
                yield thing
        else:
            async with open_storage() as storage:
                yield await getattr(storage, role)(url)

    return opened


@pytest.fixture(params=_params(LEDGERS))
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LedgerWithOutbox]:
    async with _opener("ledger", request.param, tmp_path)() as opened:
        yield opened


@pytest.fixture(params=_params([product for product in LEDGERS if product.lasts]))
def open_lasting_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens this test's ledger; once more to see what a restart sees."""
    return _opener("ledger", request.param, tmp_path)


@pytest.fixture(params=_params(GRAPHS))
async def graph(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[KnowledgeGraph]:
    async with _opener("graph", request.param, tmp_path)() as opened:
        yield opened


@pytest.fixture(params=_params(CACHES))
async def cache(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cache]:
    async with _opener("cache", request.param, tmp_path)() as opened:
        yield opened


@pytest.fixture(params=_params(BUSES))
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EventBus]:
    async with _opener("bus", request.param, tmp_path)() as opened:
        yield opened


@pytest.fixture(params=_params([product for product in BUSES if product.lasts]))
def open_lasting_bus(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens this test's bus; once more to see what a restart sees."""
    return _opener("bus", request.param, tmp_path)


@pytest.fixture(params=_params(REGISTRIES))
async def registry(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ModelRegistry]:
    async with _opener("models", request.param, tmp_path)() as opened:
        yield opened


class Samples:
    """Records to store. Each call makes a new one unless an id is given."""

    def intent(self, text: str = "Apagar as contas inativas há mais de cinco anos", **fields: Any) -> Intent:
        return Intent(**{"id": str(uuid7()), "text": text, "received_at": datetime.now(UTC)} | fields)

    def understanding(self, domain: Domain = Domain.COMPLIANCE) -> Understanding:
        return Understanding(
            language="pt",
            domain=domain,
            classification=f"{domain}.destroy",
            confidence=0.91,
            status=Status.UNDERSTOOD,
            frame=Frame(action="destroy", objects=("data",)),
            keywords=("contas", "inativas"),
            domains={domain: 0.91, "unknown": 0.00005},
        )

    def opinions(self) -> list[Opinion]:
        """Five opinions, not in the order of their names."""
        return [
            Opinion(
                specialist=name,
                relevance=0.5,
                risk=0.7,
                confidence=0.8,
                recommendation=Outcome.NEEDS_REVIEW,
                summary=f"{name} vê um risco: é preciso uma política de retenção.",
                findings=(
                    Finding(
                        concern=f"{name}.loss",
                        title="Perda de dados",
                        severity=0.9,
                        likelihood=0.7,
                        evidence=(Span(quote="Apagar", start=0, end=6),),
                    ),
                ),
                model="rubric@0",
                duration_ms=1.25,
            )
            for name in reversed(SpecialistName)
        ]

    def decision(self, outcome: Outcome = Outcome.NEEDS_REVIEW, explanation: str = "Perda irreversível.") -> Decision:
        return Decision(
            outcome=outcome,
            primary="business",
            risk=0.8,
            risk_band="high",
            confidence=0.9,
            agreement=1e-7,
            quorum=Quorum(asked=5, answered=5),
            explanation=explanation,
        )

    def judgement(
        self, outcome: Outcome = Outcome.NEEDS_REVIEW, domain: Domain = Domain.COMPLIANCE
    ) -> tuple[Understanding, list[Opinion], Decision]:
        """What `record_decision` takes after the case's id."""
        return self.understanding(domain), self.opinions(), self.decision(outcome)

    def review(self, verdict: Outcome = Outcome.REJECTED, **fields: Any) -> Review:
        known = {"id": str(uuid7()), "reviewer": "ana", "verdict": verdict, "created_at": datetime.now(UTC)}
        return Review(**known | fields)

    def case(self, outcome: Outcome = Outcome.NEEDS_REVIEW, tenant: str = "default", **fields: Any) -> Case:
        """A decided case that no ledger has seen."""
        intent = self.intent(tenant=tenant)
        understanding, opinions, decision = self.judgement(outcome)
        known = {"id": intent.id, "status": CaseStatus.DECIDED, "intent": intent, "decision": decision}
        return Case(**known | {"understanding": understanding, "opinions": tuple(opinions)} | fields)

    def event(self, case_id: str, n: int) -> Event:
        """The nth event of a case."""
        data = {"n": n, "text": "não"}
        now = datetime.now(UTC)
        return Event(id=f"{case_id}:{n}", type=EventType.OPINION, tenant="t", case_id=case_id, at=now, data=data)

    def vector(self, seed: int, near: bytes | None = None, noise: float = 0.0) -> bytes:
        """A unit vector, float16 (512,), random or at some distance from another: `noise` 1 is about 45 degrees."""
        random = np.random.default_rng(seed).normal(size=512)
        values = random / np.linalg.norm(random)
        if near is not None:
            values = np.frombuffer(near, "<f2").astype(np.float64) + noise * values
        return (values / np.linalg.norm(values)).astype("<f2").tobytes()


@pytest.fixture(scope="session")
def samples() -> Samples:
    return Samples()
