"""The composition root: settings → an open Hive. The only place that knows every part."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
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
from neural_hive.observability.arrivals import ARRIVAL
from neural_hive.observability.logs import configure_logs
from neural_hive.observability.observing import Observing, observe
from neural_hive.pipeline.context import ContextReader
from neural_hive.pipeline.filing import Filing
from neural_hive.pipeline.intake import Intake
from neural_hive.pipeline.judging import Judge, Judgement
from neural_hive.pipeline.listening import Listener
from neural_hive.pipeline.live import LiveEvents, past_events
from neural_hive.pipeline.panel import LocalSpecialist, Panel, Specialist
from neural_hive.pipeline.recovery import Recovery, Relay
from neural_hive.pipeline.run import Pipeline
from neural_hive.ports import Cache, CaseQuery, EventBus, IdempotencyKey, KnowledgeGraph, Related
from neural_hive.settings import Settings
from neural_hive.specialists.rubric import Rubric, bundled_rubrics, check_vocabulary, rubrics_in
from neural_hive.storage.open import LedgerWithOutbox, Storage, open_storage
from neural_hive.understanding.domains import DomainModel
from neural_hive.understanding.encoder import UseEncoder
from neural_hive.understanding.lexicon import vocabulary
from neural_hive.understanding.privacy import Masker
from neural_hive.understanding.understand import Understander

if TYPE_CHECKING:
    from neural_hive.understanding.speech.streaming import Heard

#: Longest that background work may take to end when the hive closes. Seconds.
DRAIN_S = 3.0
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


class Hive:
    """An open hive. Made by `open_hive`, which also closes it."""

    def __init__(
        self, settings: Settings, stores: Stores, pipeline: Pipeline, judge: Judge, panel: Panel, intake: Intake, live: LiveEvents,
        observing: Observing, filing: Filing, relay: Relay, context: ContextReader, understander: Understander,
    ) -> None:  # fmt: skip
        self.settings, self.stores = settings, stores
        self._pipeline, self._judge, self._panel, self._intake, self._live = pipeline, judge, panel, intake, live
        self._hearing = Hearing(settings)
        self._trust = TrustBook()
        self.observing, self._filing, self._relay, self._context, self._understander = (
            observing,
            filing,
            relay,
            context,
            understander,
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
        names = await self._context.names()
        self._understander.learn_names(names)
        return len(names)

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
        if (heard := self._hearing.state()) is not None:
            states["speech"] = heard
        return {"ready": True, "dependencies": states}

    async def metrics(self) -> bytes:
        """All metrics in Prometheus' text format."""
        depths = {"understanding": self._judge.queue_depth, "background": self._pipeline.n_working, "filing": self._filing.depth}
        try:
            depths["outbox"] = await self.stores.ledger.depth()
        except HiveError as error:
            self.observing.listeners.on_failed("", "outbox", error)
        metrics = self.observing.metrics
        metrics.set_depths(**depths)
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
        async with asyncio.timeout(2.0):
            await part.ping()
    except (HiveError, TimeoutError) as error:
        return {"status": "degraded", "detail": str(error) or "no answer within 2 s"}
    return {"status": "ok", "detail": ""}


@asynccontextmanager
async def open_hive(settings: Settings, *, is_recovering: bool = True) -> AsyncIterator[Hive]:
    """Open everything that the settings name; close it in reverse order.

    Args:
        settings: the one table.
        is_recovering: finish unfinished cases and publish recorded events in the background.

    Raises:
        ConfigurationError: a setting names something that cannot be opened.
        StorageError: a store that is needed does not answer.
        ModelError: a model is missing or damaged.
    """
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(open_storage())
        stores = await _open_stores(settings, storage)
        rubrics = _rubrics(settings)
        understander = await asyncio.to_thread(load_understander)
        observing = observe(settings.otlp_endpoint, settings.trace_sample_ratio)
        stack.push_async_callback(observing.close)
        hive, background = _assemble(settings, stores, rubrics, understander, observing)
        stack.push_async_callback(hive._panel.close)
        stack.callback(hive._judge.close)
        stack.push_async_callback(hive._hearing.close)
        await hive.learn_systems()
        await hive.learn_trust()
        stack.push_async_callback(_stop, await _start(background if is_recovering else ()))
        stack.push_async_callback(hive._pipeline.drain, DRAIN_S)
        yield hive


async def _open_stores(settings: Settings, storage: Storage) -> Stores:
    return Stores(
        ledger=await storage.ledger(settings.ledger_url),
        graph=await storage.graph(settings.graph_url),
        cache=await storage.cache(settings.cache_url),
        bus=await storage.bus(settings.bus_url),
    )


def _rubrics(settings: Settings) -> dict[str, Rubric]:
    rubrics = rubrics_in(settings.rubrics_dir) if settings.rubrics_dir else bundled_rubrics()
    check_vocabulary(list(rubrics.values()), vocabulary())
    return rubrics


def load_understander() -> Understander:
    """Encoder and domain model from the package, checked against their hashes. Takes about half a second."""
    folder = Path(str(resources.files("neural_hive").joinpath("models", "understanding")))
    return Understander(UseEncoder(), DomainModel.load(folder))


def _assemble(
    settings: Settings, stores: Stores, rubrics: Mapping[str, Rubric], understander: Understander, observing: Observing
) -> tuple[Hive, list[Any]]:
    listener: Listener = observing.listeners
    panel = Panel(_specialists(settings, rubrics), listener)
    context = ContextReader(stores.graph, settings.similar_cases)
    digests = {name: rubric.digest[:16] for name, rubric in sorted(rubrics.items())}
    judge = Judge(
        understander, panel, bundled_guardrails(), context, listener,
        answer_language=settings.answer_language, rubric_digests=digests,
    )  # fmt: skip
    intake, live = Intake(Masker(), settings.max_text_chars), LiveEvents()
    filing = Filing(stores.graph, listener)
    pipeline = Pipeline(
        stores.ledger, intake, judge, live, listener,
        deadline_s=settings.deadline_ms / 1e3, lease_s=settings.lease_s, on_judged=filing.put,
    )  # fmt: skip
    recovery = Recovery(
        stores.ledger, pipeline.finish, listener, interval_s=settings.recovery_interval_s, lease_s=settings.lease_s
    )
    relay = Relay(stores.ledger, stores.bus, listener)
    hive = Hive(settings, stores, pipeline, judge, panel, intake, live, observing, filing, relay, context, understander)
    return hive, [recovery.run, relay.run, filing.run]


def _specialists(settings: Settings, rubrics: Mapping[str, Rubric]) -> dict[str, Specialist]:
    return {name: _specialist(settings, rubric) for name, rubric in rubrics.items()}


def _specialist(settings: Settings, rubric: Rubric) -> Specialist:
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
    return RemoteSpecialist(address, patience, trace=lambda: ARRIVAL.get().trace)


async def _start(loops: Sequence[Any]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(loop()) for loop in loops]


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def work(settings: Settings) -> None:
    """A worker: finish what was accepted and not decided, and publish what was recorded, until SIGTERM or SIGINT."""
    configure_logs(settings.log_format, settings.log_level)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_hive(settings):
        await stop.wait()
