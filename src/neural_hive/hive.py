"""The composition root: settings → an open Hive. The only place that knows every part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uuid_utils

from neural_hive.consensus.guardrails import bundled_guardrails
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
from neural_hive.observability.observing import Observing, observe
from neural_hive.pipeline.catalogue import Catalogue
from neural_hive.pipeline.champion import ChampionMind
from neural_hive.pipeline.context import ContextReader
from neural_hive.pipeline.filing import Filing
from neural_hive.pipeline.intake import Intake
from neural_hive.pipeline.judging import Judge, Judgement
from neural_hive.pipeline.listening import Listener
from neural_hive.pipeline.live import LiveEvents, past_events
from neural_hive.pipeline.minds import Mind, ProcessMind, ThreadMind
from neural_hive.pipeline.panel import LocalSpecialist, Panel, Specialist
from neural_hive.pipeline.recovery import Recovery, Relay
from neural_hive.pipeline.run import Pipeline
from neural_hive.pipeline.starting import FirstReads
from neural_hive.pipeline.worker import Worker
from neural_hive.ports import Cache, CaseCount, CaseQuery, EventBus, IdempotencyKey, KnowledgeGraph, Related
from neural_hive.settings import Settings
from neural_hive.specialists.rubric import Rubric, bundled_rubrics, check_vocabulary, rubrics_in
from neural_hive.storage.open import LedgerWithOutbox, Storage, open_storage
from neural_hive.understanding.encoder import one_blas_thread
from neural_hive.understanding.lexicon import vocabulary
from neural_hive.understanding.privacy import Masker
from neural_hive.understanding.understand import load_understander

if TYPE_CHECKING:
    from neural_hive.understanding.speech.streaming import Heard

#: Longest that background work may take to end when the hive closes. Seconds.
DRAIN_S = 3.0
#: Longest that readiness and metrics wait for a store, in seconds.
PING_S = 2.0
#: Pause before a task that has not ended is cancelled again, in seconds.
STOP_AGAIN_S = 0.2
#: Newest cases whose reviews are counted at start.
TRUST_CASES = 200
#: How often a watcher of a case that another process judges looks again. Seconds.
WATCH_INTERVAL_S = 0.1


class ProcessRole(StrEnum):
    """What a process is there for.

    everything: it judges all that it accepts. gateway: what may be judged later is left to the workers, if the bus reaches any.
    worker: it judges what gateways left.
    """

    EVERYTHING = "everything"
    GATEWAY = "gateway"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Stores:
    """What a hive keeps things in."""

    ledger: LedgerWithOutbox
    graph: KnowledgeGraph
    cache: Cache
    bus: EventBus


class Hive:
    """An open hive. Made by `open_hive`, which also closes it."""

    def __init__(
        self, settings: Settings, stores: Stores, pipeline: Pipeline, judge: Judge, panel: Panel, intake: Intake, live: LiveEvents,
        observing: Observing, filing: Filing, relay: Relay, catalogue: Catalogue, mind: ChampionMind,
    ) -> None:  # fmt: skip
        self.settings, self.stores = settings, stores
        self._pipeline, self._judge, self._panel, self._intake, self._live = pipeline, judge, panel, intake, live
        self._hearing = Hearing(settings)
        self._trust = TrustBook()
        self.observing, self._filing, self._relay, self._catalogue, self._mind = (
            observing,
            filing,
            relay,
            catalogue,
            mind,
        )

    @property
    def cache(self) -> Cache:
        """Where rate limits are counted."""
        return self.stores.cache

    async def ask(
        self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None, transcript: Transcript | None = None
    ) -> Case:
        """Record, judge, record; the decided case. With a known key, the case it belongs to."""
        return await self._pipeline.ask(ask, caller, idempotency, transcript)

    async def submit(
        self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None, transcript: Transcript | None = None
    ) -> Case:
        """Record, and judge in the background; the accepted case. With a known key, the case it belongs to."""
        return await self._pipeline.submit(ask, caller, idempotency, transcript)

    async def judge(self, asks: Sequence[Ask]) -> list[Judgement]:
        """Judge many in order; nothing is recorded."""
        caller = Caller(channel=Channel.BATCH)
        intents = [self._intake.intent(ask, caller) for ask in asks]
        deadline_s = self.settings.deadline_ms / 1e3
        return list(await asyncio.gather(*(self._judge.judge(i, pii, deadline_s) for i, pii in intents)))

    async def understand(self, texts: Sequence[str], languages: Sequence[str | None]) -> list[Understanding]:
        """Understand many in order; nothing is recorded."""
        asks = [Ask.model_validate({"text": t, "language": lang}) for t, lang in zip(texts, languages, strict=True)]
        intents = [self._intake.intent(ask, Caller(channel=Channel.BATCH)) for ask in asks]
        understood = await asyncio.gather(*(self._judge.understand(i, pii) for i, pii in intents))
        return [u.understanding for u in understood]

    async def case(self, tenant: str, case_id: str) -> Case:
        """The case as recorded. Raises NotFoundError for another tenant's case too."""
        return await self.stores.ledger.get(tenant, case_id)

    async def cases(self, query: CaseQuery) -> Page:
        """Cases of one tenant, newest first."""
        return await self.stores.ledger.find(query)

    async def tally(self, tenant: str, since: datetime, period: timedelta) -> Sequence[CaseCount]:
        """Decided cases of one tenant by period and outcome. See `Ledger.tally`."""
        return await self.stores.ledger.tally(tenant, since, period)

    async def review(self, tenant: str, case_id: str, *, reviewer: str, verdict: Outcome, comment: str) -> Case:
        """Record a person's verdict; the case with it."""
        review = Review(
            id=str(uuid_utils.uuid7()), reviewer=reviewer, verdict=verdict,
            comment=self._intake.comment(comment), created_at=datetime.now(UTC),
        )  # fmt: skip
        case = await self.stores.ledger.add_review(tenant, case_id, review)
        self.observing.listeners.on_reviewed(case)
        self._trust.learn(case, verdict)
        self._judge.trust = self._trust.trust()
        return case

    async def learn_trust(self) -> None:
        """Count the verdicts on the newest cases of the default tenant, as at start."""
        page = await self.stores.ledger.find(CaseQuery(tenant="default", limit=TRUST_CASES))
        self._trust.learn_all(page.items)
        self._judge.trust = self._trust.trust()

    async def events(self, tenant: str, case_id: str) -> AsyncIterator[Event]:
        """What happened to the case, then what happens; ends after `decided`. Raises NotFoundError at the first step."""
        queue = self._live.watch(case_id)
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
            self._live.leave(case_id, queue)

    async def related(self, tenant: str, case_id: str) -> Related:
        """What is near the case in the graph."""
        await self.case(tenant, case_id)
        return await self.stores.graph.related(tenant, case_id)

    async def verify(self) -> Verification:
        """Check the whole ledger."""
        return await self.stores.ledger.verify()

    def export(self, tenant: str | None) -> AsyncIterator[dict[str, Any]]:
        """Every ledger entry, in order; of one tenant if one is named."""
        exporter = getattr(self.stores.ledger, "export", None)
        if exporter is None:
            raise ConfigurationError("HIVE_LEDGER_URL: this ledger cannot be exported")
        entries: AsyncIterator[dict[str, Any]] = exporter(tenant)
        return entries

    async def learn_systems(self) -> int:
        """Read the names of the catalogue's systems again, after an import; returns how many there are."""
        return await self._catalogue.learn()

    def specialists(self) -> list[dict[str, Any]]:
        """Name, place, model, concerns and state of each specialist."""
        return [dict(s.state()) for s in self._panel.specialists.values()]

    def models(self) -> Mapping[str, str]:
        """Content hashes of everything that judges."""
        return self._judge.digests

    async def readiness(self) -> dict[str, Any]:
        """Ready as soon as this process can record and judge; dependencies are listed, and only the ledger is needed."""
        parts = {"ledger": self.stores.ledger, "graph": self.stores.graph, "cache": self.stores.cache, "bus": self.stores.bus}
        states = dict(zip(parts, await asyncio.gather(*(_ping(p) for p in parts.values())), strict=True))
        for specialist in self._panel.specialists.values():
            states[f"specialist-{specialist.name}"] = _condition(specialist.state())
        states["models"] = self._mind.state()
        if (heard := self._hearing.state()) is not None:
            states["speech"] = heard
        return {"ready": True, "dependencies": states}

    async def metrics(self) -> bytes:
        """All metrics in Prometheus' text format."""
        depths = {"understanding": self._judge.queue_depth, "background": self._pipeline.n_working, "filing": self._filing.depth}
        try:
            async with asyncio.timeout(PING_S):
                depths["outbox"] = await self.stores.ledger.depth()
        except (HiveError, TimeoutError) as error:
            self.observing.listeners.on_failed("", "outbox", error)
        metrics = self.observing.metrics
        metrics.set_depths(**depths)
        metrics.set_unfiled(self._filing.n_dropped)
        metrics.set_breakers({s.name: str(s.state()["state"]) for s in self._panel.specialists.values()})
        metrics.set_models(self.models())
        return self.observing.metrics_text()

    async def transcribe(
        self, audio: bytes, *, language: str | None = None, vocabulary: Sequence[str] = (), word_times: bool = False
    ) -> Transcript:
        """What was said in a recording.

        Raises:
            AudioRejectedError: it cannot be used.
            UnavailableError: there is no speech model; the message says how to get it.
            OverloadedError: too many recordings wait.
        """
        transcript = await self._hearing.transcribe(audio, language=language, vocabulary=vocabulary, word_times=word_times)
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

        await self._hearing.warm()
        stream = Stream(self._hearing, language=language, vocabulary=vocabulary)
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


@asynccontextmanager
async def open_hive(
    settings: Settings, *, is_recovering: bool = True, role: ProcessRole = ProcessRole.EVERYTHING, is_serving: bool = False
) -> AsyncIterator[Hive]:
    """Open everything that the settings name; close it in reverse order.

    Args:
        settings: the one table.
        is_recovering: finish unfinished cases and publish recorded events in the background.
        role: who judges what may be judged later.
        is_serving: for long and for many; texts are understood in a process of their own unless the settings say otherwise.

    A server that does not answer yet is no error: readiness tells, and what it holds is read when it comes.

    Raises:
        ConfigurationError: a setting names something that cannot be opened.
        StorageError: a SQLite file cannot be opened.
        ModelError: a model is missing or damaged.
    """
    async with AsyncExitStack() as stack:
        service = "hive" if role is ProcessRole.EVERYTHING else role.value
        observing = observe(settings.otlp_endpoint, settings.trace_sample_ratio, service)
        stack.push_async_callback(observing.close)
        stack.enter_context(one_blas_thread().limit())
        storage = await stack.enter_async_context(open_storage())
        starting = asyncio.create_task(_open_mind(settings, storage, observing.listeners, is_serving=is_serving))
        stack.push_async_callback(_close_mind, starting)
        stores = await _open_stores(settings, storage, observing)
        rubrics = _rubrics(settings)
        mind = await starting
        hive, background = _assemble(settings, stores, rubrics, mind, observing, role)
        stack.push_async_callback(hive._panel.close)
        stack.push_async_callback(hive._hearing.close)
        first = FirstReads({"catalogue": hive.learn_systems, "trust": hive.learn_trust}, observing.listeners)
        await first.attempt()
        stack.push_async_callback(_stop, await _start([first.run, *background] if is_recovering else ()))
        stack.push_async_callback(hive._pipeline.drain, DRAIN_S)
        yield hive


async def _open_stores(settings: Settings, storage: Storage, observing: Observing) -> Stores:
    watched = observing.watched
    return Stores(
        ledger=watched("ledger", settings.ledger_url, await storage.ledger(settings.ledger_url)),
        graph=watched("graph", settings.graph_url, await storage.graph(settings.graph_url)),
        cache=watched("cache", settings.cache_url, await storage.cache(settings.cache_url)),
        bus=watched("bus", settings.bus_url, await storage.bus(settings.bus_url)),
    )


def _vault_key(settings: Settings) -> bytes | None:
    written = settings.vault_key.get_secret_value()
    if not written.strip():
        return None
    from neural_hive.understanding.privacy.vault import vault_key

    return vault_key(written)


def _rubrics(settings: Settings) -> dict[str, Rubric]:
    rubrics = rubrics_in(settings.rubrics_dir) if settings.rubrics_dir else bundled_rubrics()
    check_vocabulary(list(rubrics.values()), vocabulary())
    return rubrics


async def _open_mind(settings: Settings, storage: Storage, listener: Listener, *, is_serving: bool) -> ChampionMind:
    n_processes = settings.understanding_processes
    if n_processes is None:
        n_processes = 1 if is_serving else 0

    async def open_mind(model: Path | None) -> Mind:
        if n_processes:
            return await ProcessMind.start(n_processes, model)
        return ThreadMind(await asyncio.to_thread(load_understander, model))

    mind = ChampionMind(await storage.models(settings.models_url), open_mind, listener, settings.models_interval_s)
    await mind.open()
    return mind


async def _close_mind(starting: asyncio.Task[ChampionMind]) -> None:
    """Close what was opened, also when another part could not be opened meanwhile."""
    starting.cancel()
    with suppress(asyncio.CancelledError, HiveError):
        await (await starting).close()


def _assemble(
    settings: Settings,
    stores: Stores,
    rubrics: Mapping[str, Rubric],
    mind: ChampionMind,
    observing: Observing,
    role: ProcessRole,
) -> tuple[Hive, list[Any]]:
    listener: Listener = observing.listeners
    panel = Panel(_specialists(settings, rubrics, observing), listener)
    context = ContextReader(stores.graph, settings.similar_cases)
    digests = {name: rubric.digest[:16] for name, rubric in sorted(rubrics.items())}
    judge = Judge(
        mind, panel, bundled_guardrails(), context, listener,
        answer_language=settings.answer_language, rubric_digests=digests,
    )  # fmt: skip
    intake, live = Intake(Masker(), settings.max_text_chars, _vault_key(settings)), LiveEvents()
    filing = Filing(stores.graph, listener)
    pipeline = Pipeline(
        stores.ledger, intake, judge, live, listener,
        deadline_s=settings.deadline_ms / 1e3, lease_s=settings.lease_s, on_judged=filing.put,
        has_workers=stores.bus.is_heard if role is ProcessRole.GATEWAY else None,
    )  # fmt: skip
    recovery = Recovery(
        stores.ledger, pipeline.finish, listener, interval_s=settings.recovery_interval_s, lease_s=settings.lease_s
    )
    relay = Relay(stores.ledger, stores.bus, listener)
    catalogue = Catalogue(context, mind, listener, settings.models_interval_s)
    hive = Hive(settings, stores, pipeline, judge, panel, intake, live, observing, filing, relay, catalogue, mind)
    loops = [recovery.run, relay.run, filing.run, mind.run, catalogue.run]
    if role is ProcessRole.WORKER:
        loops.append(Worker(stores.bus, stores.ledger, pipeline.finish, listener).run)
    return hive, loops


def _specialists(settings: Settings, rubrics: Mapping[str, Rubric], observing: Observing) -> dict[str, Specialist]:
    return {name: _specialist(settings, rubric, observing) for name, rubric in rubrics.items()}


def _specialist(settings: Settings, rubric: Rubric, observing: Observing) -> Specialist:
    """In this process or in another, as its URL says. A service that fails is missing from the decision, never replaced here."""
    name = rubric.specialist
    url = getattr(settings.specialists, f"{name}_url", "inprocess://")
    if url == "inprocess://":
        return LocalSpecialist(rubric)
    # The HTTP client is loaded where it is needed: it would take a share of every start.
    from neural_hive.pipeline.opinion_client import address_of
    from neural_hive.pipeline.remote import Patience, RemoteSpecialist

    address = address_of(name, rubric.name, url, settings.specialists.token.get_secret_value())
    patience = Patience(settings.specialist_timeout_ms / 1e3, settings.specialist_retries)
    return RemoteSpecialist(address, patience, trace=observing.calling)


async def _start(loops: Sequence[Any]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(loop()) for loop in loops]


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until they have ended: `asyncio.wait_for` of Python 3.11, which drivers use, can swallow a cancellation."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=STOP_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
