"""The composition root: settings → an open Hive. The only place that knows every part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from neural_hive.consensus.guardrails import bundled_guardrails
from neural_hive.errors import HiveError
from neural_hive.hearing import Hearing
from neural_hive.observability.observing import Observing, observe
from neural_hive.pipeline.catalogue import Catalogue
from neural_hive.pipeline.champion import ChampionMind
from neural_hive.pipeline.context import ContextReader
from neural_hive.pipeline.filing import Filing
from neural_hive.pipeline.intake import Intake
from neural_hive.pipeline.judging import Judge
from neural_hive.pipeline.listening import Listener
from neural_hive.pipeline.live import LiveEvents
from neural_hive.pipeline.minds import Mind, ProcessMind, ThreadMind
from neural_hive.pipeline.panel import LocalSpecialist, Panel, Specialist
from neural_hive.pipeline.recovery import Recovery, Relay
from neural_hive.pipeline.run import Pipeline
from neural_hive.pipeline.starting import FirstReads
from neural_hive.pipeline.worker import Worker
from neural_hive.service import Hive, Parts, Stores
from neural_hive.settings import Settings
from neural_hive.specialists.rubric import Rubric, bundled_rubrics, check_vocabulary, rubrics_in
from neural_hive.storage.open import Storage, open_storage
from neural_hive.understanding.encoder import one_blas_thread
from neural_hive.understanding.lexicon import vocabulary
from neural_hive.understanding.privacy import Masker
from neural_hive.understanding.understand import load_understander

#: Longest that background work may take to end when the hive closes. Seconds.
DRAIN_S = 3.0
#: Pause before a task that has not ended is cancelled again, in seconds.
STOP_AGAIN_S = 0.2


class ProcessRole(StrEnum):
    """What a process is there for.

    everything: it judges all that it accepts. gateway: what may be judged later is left to the workers, if the bus reaches any.
    worker: it judges what gateways left.
    """

    EVERYTHING = "everything"
    GATEWAY = "gateway"
    WORKER = "worker"


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
        stack.push_async_callback(hive.parts.panel.close)
        stack.push_async_callback(hive.parts.hearing.close)
        first = FirstReads(
            {"catalogue": hive.learn_systems, "trust": hive.learn_trust, "similar_cases": hive.parts.context.rehearse},
            observing.listeners,
        )
        await first.attempt()
        stack.push_async_callback(_stop, await _start([first.run, *background] if is_recovering else ()))
        stack.push_async_callback(hive.parts.pipeline.drain, DRAIN_S)
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
    context = ContextReader(stores.graph, settings.similar_cases, listener)
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
    parts = Parts(
        settings=settings, stores=stores, pipeline=pipeline, judge=judge, panel=panel, intake=intake, live=live,
        hearing=Hearing(settings), observing=observing, filing=filing, context=context, catalogue=catalogue, mind=mind,
    )  # fmt: skip
    loops = [recovery.run, relay.run, filing.run, mind.run, catalogue.run]
    if role is ProcessRole.WORKER:
        loops.append(Worker(stores.bus, stores.ledger, pipeline.finish, listener).run)
    return Hive(parts), loops


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
