"""A hive that judges when the test says so: cases in memory, events that the test releases one by one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from fastapi import FastAPI
from sample_cases import (
    DELETE_PT,
    SYSTEMS,
    accepted_intent,
    delete_decision,
    delete_opinions,
    delete_understanding,
    heard,
    sample_cases,
    sealed,
    similar_to,
)
from uuid_utils import uuid7

from neural_hive.canonical import canonical_json
from neural_hive.console import OPEN_PATHS, mount_console
from neural_hive.contracts import (
    Ask,
    Caller,
    Case,
    CaseStatus,
    Event,
    EventType,
    Outcome,
    Page,
    Record,
    Review,
    Transcript,
    Verification,
)
from neural_hive.errors import NotFoundError
from neural_hive.gateway.app import create_app
from neural_hive.gateway.edge import Edge
from neural_hive.ports import CaseCount, CaseQuery, IdempotencyKey, Related
from neural_hive.settings import Settings
from neural_hive.storage.cache.memory import MemoryCache
from neural_hive.storage.ledger.chain import Draft, Head, export_row, seal
from neural_hive.storage.ledger.counting import Decided, counts


@dataclass
class FakeHive:
    """What the gateway and the console need of a hive. `steps`: events of a live case that may be told; None is all."""

    settings: Settings
    is_paced: bool = False
    verification: Verification = field(default_factory=lambda: Verification(ok=True, checked=1284))
    known: dict[str, Case] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    changed_entry: int = 0
    removed_entry: int = 0

    def __post_init__(self) -> None:
        self.cache = MemoryCache()
        self._released = asyncio.Semaphore(0)

    def fill(self, tenant: str = "default") -> None:
        """Put the sample cases in."""
        self.known.update({case.id: case for case in sample_cases(tenant)})

    def release(self, n: int = 1) -> None:
        """Let the next `n` events of a paced case happen. Call it on the event loop's thread."""
        for _ in range(n):
            self._released.release()

    async def ask(self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None, **_given: Any) -> Case:
        case = await self.submit(ask, caller, idempotency)
        async for _event in self.events(caller.tenant, case.id):
            pass
        return self.known[case.id]

    async def submit(
        self,
        ask: Ask,
        caller: Caller,
        idempotency: IdempotencyKey | None = None,
        *,
        transcript: Transcript | None = None,
    ) -> Case:
        if idempotency is not None and idempotency.key in self.keys:
            return self.known[self.keys[idempotency.key]]
        intent = accepted_intent(ask.text, caller.tenant, caller.channel, datetime.now(UTC))
        case = Case(id=intent.id, status=CaseStatus.ACCEPTED, intent=intent.model_copy(update={"transcript": transcript}))
        self.known[case.id] = case
        if idempotency is not None:
            self.keys[idempotency.key] = case.id
        return case

    async def case(self, tenant: str, case_id: str) -> Case:
        case = self.known.get(case_id)
        if case is None or case.intent.tenant != tenant:
            raise NotFoundError
        return case

    async def cases(self, query: CaseQuery) -> Page:
        fitting = [case for case in sorted(self.known.values(), key=lambda c: c.id, reverse=True) if _fits(case, query)]
        start = next((n + 1 for n, case in enumerate(fitting) if case.id == query.cursor), 0)
        items = fitting[start : start + query.limit]
        has_more = start + query.limit < len(fitting)
        return Page(items=tuple(items), next_cursor=items[-1].id if has_more else None)

    async def review(self, tenant: str, case_id: str, *, reviewer: str, verdict: Outcome, comment: str) -> Case:
        case = await self.case(tenant, case_id)
        review = Review(id=str(uuid7()), reviewer=reviewer, verdict=verdict, comment=comment, created_at=datetime.now(UTC))
        self.known[case_id] = case.model_copy(update={"reviews": (*case.reviews, review)})
        return self.known[case_id]

    async def events(self, tenant: str, case_id: str) -> AsyncIterator[Event]:
        case = await self.case(tenant, case_id)
        yield _event(case, EventType.ACCEPTED, case.intent)
        if case.decision is None:
            case = self._judged(case)
        for kind, part in _parts(case):
            if self.is_paced:
                await self._released.acquire()
            if kind is EventType.DECIDED:
                self.known[case.id] = case
            yield _event(case, kind, part)

    def _judged(self, case: Case) -> Case:
        text = case.intent.text
        is_delete = text == DELETE_PT
        known = delete_understanding() if is_delete else delete_understanding().model_copy(update={"pii": (), "entities": ()})
        opinions = delete_opinions() if is_delete else [o.model_copy(update={"findings": ()}) for o in delete_opinions()]
        update = {
            "understanding": known,
            "opinions": tuple(opinions),
            "decision": delete_decision(),
            "status": CaseStatus.DECIDED,
        }
        return sealed(case.model_copy(update={**update, "decided_at": datetime.now(UTC)}), "0" * 64)

    async def related(self, tenant: str, case_id: str) -> Related:
        case = await self.case(tenant, case_id)
        others = [other for other in self.known.values() if other.id != case.id and other.intent.tenant == tenant]
        is_about_accounts = case.intent.text == DELETE_PT
        return Related(similar_to(others) if is_about_accounts else (), SYSTEMS if is_about_accounts else ())

    async def tally(self, tenant: str, since: datetime, period: timedelta) -> list[CaseCount]:
        mine = (case for case in self.known.values() if case.intent.tenant == tenant and case.intent.received_at >= since)
        return counts([_decided(case) for case in mine if case.decision], since, period)

    async def verify(self) -> Verification:
        return self.verification

    async def export(self, tenant: str | None) -> AsyncIterator[dict[str, Any]]:
        head = Head()
        for case in sorted(self.known.values(), key=lambda c: c.id):
            at = case.intent.received_at.isoformat().replace("+00:00", "Z")
            body = canonical_json({"text": case.intent.text})
            entry = seal(Draft("accepted", case.id, case.intent.tenant, at, body), head)
            head = entry.head
            changed = replace(entry, draft=replace(entry.draft, body=b"{}")) if entry.seq == self.changed_entry else entry
            if entry.seq != self.removed_entry and tenant in (None, case.intent.tenant):
                yield export_row(changed)

    def models(self) -> dict[str, str]:
        names = ("architecture", "behavior", "business", "encoder", "evolution", "guardrails", "technical", "trust")
        manifest = resources.files("neural_hive").joinpath("models", "understanding", "manifest.json")
        digest = json.loads(manifest.read_text())["digest"][:16]
        return {**dict.fromkeys(names, "0123456789abcdef"), "understanding": digest}

    def specialists(self) -> list[dict[str, Any]]:
        titles = {"pt": "Não há responsável", "en": "Nobody owns it", "es": "No hay responsable"}
        concern = {"id": "no-owner", "severity": 0.5, "reference": "ISO/IEC 25010:2023", "title": titles}
        return [
            {"name": name, "where": "inprocess://", "model": f"{name}-1@{n}f3a9c", "concerns": [concern], "state": "closed"}
            for n, name in enumerate(("architecture", "behavior", "business", "evolution", "technical"))
        ]

    async def readiness(self) -> dict[str, Any]:
        ok = {"status": "ok", "detail": ""}
        slow = {
            "status": "degraded",
            "detail": "no answer within 2 s; the understanding cache is kept in memory meanwhile",
        }
        return {"ready": True, "dependencies": {"ledger": ok, "graph": ok, "cache": slow, "bus": ok, "speech": ok}}

    async def metrics(self) -> bytes:
        return b""

    async def transcribe(
        self, audio: bytes, *, language: str | None, vocabulary: Sequence[str] = (), word_times: bool = False
    ) -> Transcript:
        return heard(DELETE_PT)


def _fits(case: Case, query: CaseQuery) -> bool:
    outcome = case.decision.outcome if case.decision else None
    domain = case.understanding.domain if case.understanding else None
    is_waiting = outcome is Outcome.NEEDS_REVIEW and not case.reviews
    return (
        case.intent.tenant == query.tenant
        and (query.outcome is None or outcome == query.outcome)
        and (query.domain is None or domain == query.domain)
        and (query.text is None or query.text.lower() in case.intent.text.lower())
        and (not query.waiting or is_waiting)
    )


def _decided(case: Case) -> Decided:
    assert case.decision is not None
    verdict = str(case.reviews[-1].verdict) if case.reviews else ""
    return Decided(case.intent.received_at, str(case.decision.outcome), case.decision.risk, verdict)


def _parts(case: Case) -> list[tuple[EventType, Record]]:
    assert case.understanding is not None
    assert case.decision is not None
    opinions = [(EventType.OPINION, opinion) for opinion in case.opinions]
    return [(EventType.UNDERSTOOD, case.understanding), *opinions, (EventType.DECIDED, case.decision)]


def _event(case: Case, kind: EventType, part: Record) -> Event:
    data = part.model_dump(mode="json")
    detail = f":{data['specialist']}" if kind is EventType.OPINION else ""
    return Event(
        id=f"{case.id}:{kind}{detail}",
        type=kind,
        tenant=case.intent.tenant,
        case_id=case.id,
        at=datetime.now(UTC),
        data=data,
    )


def console_app(hive: FakeHive) -> FastAPI:
    """The gateway around the hive, with the console on it."""
    app = create_app(hive)
    if not any(getattr(route, "path", "") == "/cases" for route in app.routes):
        mount_console(app, hive)
        edge = next(layer for layer in app.user_middleware if layer.cls is Edge)
        rules = edge.kwargs["rules"]
        edge.kwargs["rules"] = replace(rules, open_paths=(*rules.open_paths, *OPEN_PATHS))
    return app
