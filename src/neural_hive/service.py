"""What an open hive does for whoever asks: the use cases, over parts that the composition root has put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import uuid_utils

from neural_hive.contracts import (
    Ask,
    Caller,
    Case,
    CaseStatus,
    Channel,
    Event,
    EventType,
    Outcome,
    Page,
    Review,
    Transcript,
    Understanding,
    Verification,
)
from neural_hive.errors import ConfigurationError, HiveError
from neural_hive.hearing import Hearing
from neural_hive.learning.trust import TrustBook
from neural_hive.observability.observing import Observing
from neural_hive.pipeline.catalogue import Catalogue
from neural_hive.pipeline.champion import ChampionMind
from neural_hive.pipeline.context import ContextReader
from neural_hive.pipeline.filing import Filing
from neural_hive.pipeline.intake import Intake
from neural_hive.pipeline.judging import Judge, Judgement
from neural_hive.pipeline.live import LiveEvents, past_events
from neural_hive.pipeline.panel import Panel
from neural_hive.pipeline.run import Pipeline
from neural_hive.ports import Cache, CaseCount, CaseQuery, EventBus, IdempotencyKey, KnowledgeGraph, Related
from neural_hive.settings import Settings
from neural_hive.storage.open import LedgerWithOutbox

if TYPE_CHECKING:
    from neural_hive.understanding.speech.streaming import Heard

#: Longest that readiness and metrics wait for a store, in seconds.
PING_S = 2.0
#: Newest cases whose reviews are counted at start.
TRUST_CASES = 200
#: How often a watcher of a case that another process judges looks again. Seconds.
WATCH_INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Stores:
    """What a hive keeps things in."""

    ledger: LedgerWithOutbox
    graph: KnowledgeGraph
    cache: Cache
    bus: EventBus


@dataclass(frozen=True, slots=True)
class Parts:
    """What an open hive is made of."""

    settings: Settings
    stores: Stores
    pipeline: Pipeline
    judge: Judge
    panel: Panel
    intake: Intake
    live: LiveEvents
    hearing: Hearing
    observing: Observing
    filing: Filing
    context: ContextReader
    catalogue: Catalogue
    mind: ChampionMind


class Hive:
    """An open hive. Made by `open_hive`, which also closes it."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.settings, self.observing = parts, parts.settings, parts.observing
        self._trust = TrustBook()

    @property
    def cache(self) -> Cache:
        """Where rate limits are counted."""
        return self.parts.stores.cache

    async def ask(
        self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None, transcript: Transcript | None = None
    ) -> Case:
        """Record, judge, record; the decided case. With a known key, the case it belongs to."""
        return await self.parts.pipeline.ask(ask, caller, idempotency, transcript)

    async def submit(
        self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None, transcript: Transcript | None = None
    ) -> Case:
        """Record, and judge in the background; the accepted case. With a known key, the case it belongs to."""
        return await self.parts.pipeline.submit(ask, caller, idempotency, transcript)

    async def judge(self, asks: Sequence[Ask]) -> list[Judgement]:
        """Judge many in order; nothing is recorded."""
        caller = Caller(channel=Channel.BATCH)
        intents = [self.parts.intake.intent(ask, caller) for ask in asks]
        deadline_s = self.settings.deadline_ms / 1e3
        return list(await asyncio.gather(*(self.parts.judge.judge(i, pii, deadline_s) for i, pii in intents)))

    async def understand(self, texts: Sequence[str], languages: Sequence[str | None]) -> list[Understanding]:
        """Understand many in order; nothing is recorded."""
        asks = [Ask.model_validate({"text": t, "language": lang}) for t, lang in zip(texts, languages, strict=True)]
        intents = [self.parts.intake.intent(ask, Caller(channel=Channel.BATCH)) for ask in asks]
        understood = await asyncio.gather(*(self.parts.judge.understand(i, pii) for i, pii in intents))
        return [u.understanding for u in understood]

    async def case(self, tenant: str, case_id: str) -> Case:
        """The case as recorded. Raises NotFoundError for another tenant's case too."""
        return await self.parts.stores.ledger.get(tenant, case_id)

    async def cases(self, query: CaseQuery) -> Page:
        """Cases of one tenant, newest first."""
        return await self.parts.stores.ledger.find(query)

    async def tally(self, tenant: str, since: datetime, period: timedelta) -> Sequence[CaseCount]:
        """Decided cases of one tenant by period and outcome. See `Ledger.tally`."""
        return await self.parts.stores.ledger.tally(tenant, since, period)

    async def review(self, tenant: str, case_id: str, *, reviewer: str, verdict: Outcome, comment: str) -> Case:
        """Record a person's verdict; the case with it."""
        review = Review(
            id=str(uuid_utils.uuid7()), reviewer=reviewer, verdict=verdict,
            comment=self.parts.intake.comment(comment), created_at=datetime.now(UTC),
        )  # fmt: skip
        case = await self.parts.stores.ledger.add_review(tenant, case_id, review)
        self.observing.listeners.on_reviewed(case)
        self._trust.learn(case, verdict)
        self.parts.judge.trust = self._trust.trust()
        return case

    async def learn_trust(self) -> None:
        """Count the verdicts on the newest cases of the default tenant, as at start."""
        page = await self.parts.stores.ledger.find(CaseQuery(tenant="default", limit=TRUST_CASES))
        self._trust.learn_all(page.items)
        self.parts.judge.trust = self._trust.trust()

    async def events(self, tenant: str, case_id: str) -> AsyncIterator[Event]:
        """What happened to the case, then what happens; ends after `decided`. Raises NotFoundError at the first step."""
        queue = self.parts.live.watch(case_id)
        told: set[str] = set()
        try:
            case = await self.case(tenant, case_id)
            while True:
                for event in past_events(case):
                    if event.id not in told:
                        told.add(event.id)
                        yield event
                if case.status is CaseStatus.DECIDED:
                    return
                async for event in _drain(queue, WATCH_INTERVAL_S):
                    if event.type is EventType.DECIDED:
                        break  # the recorded case tells whatever happened before somebody watched, and the decision last
                    if event.id not in told:
                        told.add(event.id)
                        yield event
                case = await self.case(tenant, case_id)
        finally:
            self.parts.live.leave(case_id, queue)

    async def related(self, tenant: str, case_id: str) -> Related:
        """What is near the case in the graph."""
        await self.case(tenant, case_id)
        return await self.parts.stores.graph.related(tenant, case_id)

    async def verify(self) -> Verification:
        """Check the whole ledger."""
        return await self.parts.stores.ledger.verify()

    def export(self, tenant: str | None) -> AsyncIterator[dict[str, Any]]:
        """Every ledger entry, in order; of one tenant if one is named."""
        exporter = getattr(self.parts.stores.ledger, "export", None)
        if exporter is None:
            raise ConfigurationError("HIVE_LEDGER_URL: this ledger cannot be exported")
        entries: AsyncIterator[dict[str, Any]] = exporter(tenant)
        return entries

    async def learn_systems(self) -> int:
        """Read the names of the catalogue's systems again, after an import; returns how many there are."""
        return await self.parts.catalogue.learn()

    def specialists(self) -> list[dict[str, Any]]:
        """Name, place, model, concerns and state of each specialist."""
        return [dict(s.state()) for s in self.parts.panel.specialists.values()]

    def models(self) -> Mapping[str, str]:
        """Content hashes of everything that judges."""
        return self.parts.judge.digests

    async def readiness(self) -> dict[str, Any]:
        """Ready as soon as this process can record and judge; dependencies are listed, and only the ledger is needed."""
        parts = {
            "ledger": self.parts.stores.ledger,
            "graph": self.parts.stores.graph,
            "cache": self.parts.stores.cache,
            "bus": self.parts.stores.bus,
        }
        states = dict(zip(parts, await asyncio.gather(*(_ping(p) for p in parts.values())), strict=True))
        for specialist in self.parts.panel.specialists.values():
            states[f"specialist-{specialist.name}"] = _condition(specialist.state())
        states["models"] = self.parts.mind.state()
        if (heard := self.parts.hearing.state()) is not None:
            states["speech"] = heard
        return {"ready": True, "dependencies": states}

    async def metrics(self) -> bytes:
        """All metrics in Prometheus' text format."""
        depths = {
            "understanding": self.parts.judge.queue_depth,
            "background": self.parts.pipeline.n_working,
            "filing": self.parts.filing.depth,
        }
        try:
            async with asyncio.timeout(PING_S):
                depths["outbox"] = await self.parts.stores.ledger.depth()
        except (HiveError, TimeoutError) as error:
            self.observing.listeners.on_failed("", "outbox", error)
        metrics = self.observing.metrics
        metrics.set_depths(**depths)
        metrics.set_unfiled(self.parts.filing.n_dropped)
        metrics.set_breakers({s.name: str(s.state()["state"]) for s in self.parts.panel.specialists.values()})
        metrics.set_models(self.models())
        return self.observing.metrics_text()

    async def transcribe(
        self,
        audio: bytes,
        *,
        language: str | None = None,
        vocabulary: Sequence[str] = (),
        word_times: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> Transcript:
        """What was said in a recording.

        Args:
            audio: The bytes of a recording.
            language: pt, en or es when the caller knows it.
            vocabulary: Terms as they should be written.
            word_times: Whether segments list their words.
            progress: Called with the share in [0, 1] that is done, on long recordings several times.

        Raises:
            AudioRejectedError: it cannot be used.
            UnavailableError: there is no speech model; the message says how to get it.
            OverloadedError: too many recordings wait.
        """
        transcript = await self.parts.hearing.transcribe(
            audio, language=language, vocabulary=vocabulary, word_times=word_times, progress=progress
        )
        self.observing.listeners.on_heard(transcript)
        return transcript

    async def listen(
        self, chunks: AsyncIterator[bytes], *, language: str | None = None, vocabulary: Sequence[str] = ()
    ) -> AsyncIterator[Heard]:
        """What is being said, as it is said; an utterance ends where the speaker pauses.

        Args:
            chunks: 16-bit PCM, mono, 16 kHz, in order.
            language: pt, en or es, if the caller knows it.
            vocabulary: words to expect.

        Raises:
            AudioRejectedError: it is no such sound.
            UnavailableError: there is no speech model; the message says how to get it.
        """
        from neural_hive.understanding.speech.streaming import Stream

        await self.parts.hearing.warm()
        stream = Stream(self.parts.hearing, language=language, vocabulary=vocabulary)
        async for heard in stream.listen(chunks):
            if heard.is_final:
                self.observing.listeners.on_heard(heard.transcript)
            yield heard


async def _drain(queue: asyncio.Queue[Event], timeout_s: float) -> AsyncIterator[Event]:
    """Events until none has come for `timeout_s` seconds."""
    while True:
        try:
            async with asyncio.timeout(timeout_s):
                event = await queue.get()
        except TimeoutError:
            return
        yield event


def _condition(state: Mapping[str, object]) -> dict[str, str]:
    """A specialist for /ready: degraded while its breaker is not closed or the last attempt failed."""
    breaker, error = str(state["state"]), str(state.get("last_error", ""))
    return {"status": "ok" if breaker == "closed" and not error else "degraded", "detail": error or breaker}


async def _ping(part: Any) -> dict[str, str]:
    try:
        async with asyncio.timeout(PING_S):
            await part.ping()
    except (HiveError, TimeoutError) as error:
        return {"status": "degraded", "detail": str(error) or "no answer within 2 s"}
    return {"status": "ok", "detail": ""}
