"""A hive that judges nothing: what the gateway does with requests and answers shows without the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from uuid_utils import uuid7

from neural_hive.contracts import (
    Ask,
    Caller,
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
    Page,
    Quorum,
    Review,
    Span,
    Status,
    Transcript,
    Understanding,
    Verification,
)
from neural_hive.errors import ConflictError, IdempotencyConflictError, NotFoundError
from neural_hive.gateway.app import create_app
from neural_hive.ports import Cache, CaseQuery, IdempotencyKey, Related
from neural_hive.settings import Settings
from neural_hive.storage.cache.memory import MemoryCache

NAMES = ("architecture", "behavior", "business", "evolution", "technical")
AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def make_settings(**chosen: Any) -> Settings:
    """Settings that do not depend on the environment, as far as the gateway reads them."""
    return Settings(**({"host": "127.0.0.1", "port": 0} | chosen))


def make_opinion(name: str) -> Opinion:
    finding = Finding(
        concern="data_loss",
        title="Perda de dados",
        severity=0.9,
        likelihood=0.8,
        evidence=(Span(quote="Apagar", start=0, end=6),),
        mitigations=("Faça uma cópia de segurança antes.",),
        reference="ISO/IEC 25010:2023",
    )
    return Opinion(
        specialist=name,
        relevance=0.5,
        risk=0.72,
        confidence=0.8,
        recommendation=Outcome.CONDITIONAL,
        summary="Apagar dados precisa de uma cópia de segurança e de um prazo.",
        findings=(finding, finding),
        model=f"{name}@0123456789abcdef",
        duration_ms=0.4,
    )


UNDERSTANDING = Understanding(
    language="pt",
    domain=Domain.BUSINESS,
    classification="business.delete",
    confidence=0.9,
    status=Status.UNDERSTOOD,
    frame=Frame(action="destroy"),
    keywords=("apagar", "contas"),
    domains={d.value: 0.1 for d in Domain},
    specialists=dict.fromkeys(NAMES, 0.2),
)
OPINIONS = tuple(make_opinion(name) for name in NAMES)
DECISION = Decision(
    outcome=Outcome.CONDITIONAL,
    primary="business",
    risk=0.72,
    risk_band="high",
    confidence=0.8,
    agreement=0.9,
    conditions=("Faça uma cópia de segurança antes.",),
    quorum=Quorum(asked=5, answered=5),
    explanation="Apagar dados precisa de uma cópia de segurança e de um prazo.",
    models=dict.fromkeys(NAMES, "0" * 64),
    hash="1" * 64,
    previous_hash="0" * 64,
)


class FakeHive:
    """Implements `JudgingHive`; remembers what it was asked."""

    def __init__(self, settings: Settings, cache: Cache | None = None) -> None:
        self.settings = settings
        self.cache: Cache = cache or MemoryCache()
        self.stored: dict[str, Case] = {}
        self.keys: dict[tuple[str, str], tuple[str, str]] = {}
        self.callers: list[Caller] = []
        self.asks: list[Ask] = []
        self.queries: list[CaseQuery] = []
        self.error: Exception | None = None
        self.hold: asyncio.Event | None = None
        self.is_ready = True
        self.changed = asyncio.Condition()

    def _accept(self, ask: Ask, caller: Caller, key: IdempotencyKey | None) -> Case:
        if self.error is not None:
            raise self.error
        self.asks.append(ask)
        self.callers.append(caller)
        known = self.keys.get((caller.tenant, key.key)) if key else None
        if key and known:
            if known[0] != key.body_digest:
                raise IdempotencyConflictError
            return self.stored[known[1]]
        case_id = str(uuid7())
        intent = Intent(
            id=case_id, tenant=caller.tenant, actor=caller.actor, channel=caller.channel, text=ask.text, received_at=AT
        )
        case = Case(id=case_id, status=CaseStatus.ACCEPTED, intent=intent)
        self.stored[case_id] = case
        if key:
            self.keys[(caller.tenant, key.key)] = (key.body_digest, case_id)
        return case

    async def ask(self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None) -> Case:
        case = self._accept(ask, caller, idempotency)
        async with self.changed:
            self.changed.notify_all()
        if self.hold is not None:
            await self.hold.wait()
        return self.decide(case.id)

    async def has_asked(self, n: int) -> None:
        """Wait until the hive has been asked `n` times."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.asks) >= n)

    def decide(self, case_id: str) -> Case:
        judged = {
            "status": CaseStatus.DECIDED,
            "understanding": UNDERSTANDING,
            "opinions": OPINIONS,
            "decision": DECISION,
            "decided_at": AT,
        }
        self.stored[case_id] = self.stored[case_id].model_copy(update=judged)
        return self.stored[case_id]

    async def submit(self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None) -> Case:
        return self._accept(ask, caller, idempotency)

    async def case(self, tenant: str, case_id: str) -> Case:
        found = self.stored.get(case_id)
        if found is None or found.intent.tenant != tenant:
            raise NotFoundError
        return found

    async def cases(self, query: CaseQuery) -> Page:
        self.queries.append(query)
        found = [case for case in self.stored.values() if case.intent.tenant == query.tenant]
        return Page(items=tuple(reversed(found))[: query.limit])

    async def review(self, tenant: str, case_id: str, *, reviewer: str, verdict: Outcome, comment: str) -> Case:
        case = await self.case(tenant, case_id)
        if case.decision is None:
            raise ConflictError
        review = Review(id=str(uuid7()), reviewer=reviewer, verdict=verdict, comment=comment, created_at=AT)
        self.stored[case_id] = case.model_copy(update={"reviews": (*case.reviews, review)})
        return self.stored[case_id]

    async def events(self, tenant: str, case_id: str) -> AsyncIterator[Event]:
        case = await self.case(tenant, case_id)
        yield self._event(case, EventType.ACCEPTED)
        if self.hold is not None:
            await self.hold.wait()
        yield self._event(case, EventType.UNDERSTOOD)
        for name in NAMES:
            yield self._event(case, EventType.OPINION, f":{name}")
        yield self._event(case, EventType.DECIDED)

    def _event(self, case: Case, kind: EventType, detail: str = "") -> Event:
        tenant = case.intent.tenant
        return Event(id=f"{case.id}:{kind}{detail}", type=kind, tenant=tenant, case_id=case.id, at=AT)

    async def related(self, tenant: str, case_id: str) -> Related:
        await self.case(tenant, case_id)
        return Related(similar=(), systems=())

    async def verify(self) -> Verification:
        return Verification(ok=True, checked=2 * len(self.stored))

    def specialists(self) -> list[dict[str, Any]]:
        return [{"name": name, "where": "inprocess://", "state": "closed"} for name in NAMES]

    async def readiness(self) -> dict[str, Any]:
        return {"ready": self.is_ready, "dependencies": {"ledger": {"status": "ok", "detail": ""}}}

    async def metrics(self) -> bytes:
        return b"# HELP hive_up 1 while the hive is open.\n# TYPE hive_up gauge\nhive_up 1\n"


class HearingHive(FakeHive):
    """A hive that hears one sentence in every recording."""

    has_speech = True

    def __init__(self, settings: Settings, cache: Cache | None = None) -> None:
        super().__init__(settings, cache)
        self.said: dict[str, Any] = {}

    async def transcribe(
        self, audio: bytes, *, language: str | None, vocabulary: Sequence[str] = (), word_times: bool = False
    ) -> Transcript:
        self.heard = (audio, language, tuple(vocabulary), word_times)
        heard = Transcript(
            text="Apagar as contas inativas" if self.has_speech else "",
            has_speech=self.has_speech,
            language=language or "pt",
            language_probability=0.99,
            duration_s=2.5,
            compute_s=0.1,
            confidence=0.9,
            avg_logprob=-0.2 if self.has_speech else 0.0,
        )
        return heard.model_copy(update=self.said)

    async def ask(
        self,
        ask: Ask,
        caller: Caller,
        idempotency: IdempotencyKey | None = None,
        transcript: Transcript | None = None,
    ) -> Case:
        case = await super().ask(ask, caller, idempotency)
        return self._with(case, transcript)

    async def submit(
        self,
        ask: Ask,
        caller: Caller,
        idempotency: IdempotencyKey | None = None,
        transcript: Transcript | None = None,
    ) -> Case:
        case = await super().submit(ask, caller, idempotency)
        return self._with(case, transcript)

    def _with(self, case: Case, transcript: Transcript | None) -> Case:
        intent = case.intent.model_copy(update={"transcript": transcript})
        self.stored[case.id] = case.model_copy(update={"intent": intent})
        return self.stored[case.id]


def client_of(app: FastAPI, base_url: str = "http://127.0.0.1:8000") -> httpx2.AsyncClient:
    """A client of an application in this process."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
    return httpx2.AsyncClient(transport=transport, base_url=base_url)


@pytest.fixture
def open_client() -> Callable[..., httpx2.AsyncClient]:
    """Makes a client of an application."""
    return client_of


@pytest.fixture
def hive() -> FakeHive:
    return FakeHive(make_settings())


@pytest.fixture
async def client(hive: FakeHive) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(hive)) as opened:
        yield opened


@pytest.fixture
def hearing_hive() -> HearingHive:
    return HearingHive(make_settings())


@pytest.fixture
async def hearing_client(hearing_hive: HearingHive) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(hearing_hive)) as opened:
        yield opened


@pytest.fixture
async def gateway() -> AsyncIterator[Callable[..., tuple[FakeHive, httpx2.AsyncClient]]]:
    """Makes a hive with chosen settings and a client of its gateway."""
    clients: list[httpx2.AsyncClient] = []

    def make(base_url: str = "http://127.0.0.1:8000", **chosen: Any) -> tuple[FakeHive, httpx2.AsyncClient]:
        hive = FakeHive(make_settings(**chosen))
        clients.append(client_of(create_app(hive), base_url))
        return hive, clients[-1]

    yield make
    for opened in clients:
        await opened.aclose()


@pytest.fixture
def specialist() -> Callable[..., tuple[Any, httpx2.AsyncClient]]:
    """Makes the application of a specialist that always says the same, and a client of it."""
    from neural_hive.gateway.specialist_app import create_specialist_app

    def make(**chosen: Any) -> tuple[FastAPI, httpx2.AsyncClient]:
        app = create_specialist_app("technical", lambda brief: make_opinion("technical"), make_settings(**chosen))
        return app, client_of(app)

    return make
