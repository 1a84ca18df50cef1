"""Understanding in a process of its own gives what a thread gives, and survives the death of the process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neural_hive.contracts import PiiMention
from neural_hive.errors import ModelError, UnavailableError
from neural_hive.pipeline.minds import ProcessMind, ThreadMind
from neural_hive.understanding.understand import Heading, load_understander

RECEIVED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TEXTS = [
    "Apagar as contas inativas há mais de cinco anos até sexta-feira",
    "Migrate the billing database to PostgreSQL 17 on 14 May with a rollback plan",
    "El cliente ‹person-1› no ve el botón de pagar",
    "🎉 ‹›  \t",
]


def headings() -> list[Heading]:
    pii = (PiiMention(kind="person", start=11, end=21),)
    return [Heading(text, RECEIVED, pii if "person" in text else (), None) for text in TEXTS]


@asynccontextmanager
async def process_mind(n: int = 1) -> AsyncIterator[ProcessMind]:
    mind = await ProcessMind.start(n)
    try:
        yield mind
    finally:
        await mind.close()


async def test_a_process_understands_as_a_thread_does() -> None:
    thread = ThreadMind(load_understander())
    async with process_mind() as process:
        assert process.models == thread.models
        apart = await asyncio.gather(*(process.understand(h) for h in headings() * 20))
        here = await asyncio.gather(*(thread.understand(h) for h in headings()))
        assert apart == list(here) * 20
        assert process.depth == 0
    await thread.close()


async def test_names_of_the_catalogue_reach_the_process_and_the_one_that_follows_it() -> None:
    heading = Heading("Reiniciar o falcao-azul hoje", RECEIVED)
    async with process_mind() as mind:
        await mind.learn_names({"falcao-azul": "falcao-azul"})
        before = (await mind.understand(heading)).understanding
        os.kill(mind.pids[0], signal.SIGKILL)
        after = (await mind.understand(heading)).understanding
        assert [e.value for e in before.entities if e.type == "system"] == ["falcao-azul"]
        assert after == before


async def test_what_a_killed_process_had_is_understood_by_the_next() -> None:
    async with process_mind() as mind:
        first = mind.pids[0]
        asked = [asyncio.ensure_future(mind.understand(h)) for h in headings() * 10]
        await asyncio.sleep(0)
        os.kill(first, signal.SIGKILL)
        assert len(await asyncio.gather(*asked)) == 40
        assert mind.pids[0] != first


async def test_whoever_waits_is_told_when_the_next_process_dies_too_and_the_one_after_it_works() -> None:
    async with process_mind() as mind:
        os.kill(mind.pids[0], signal.SIGSTOP)  # it answers nothing, so that the text is surely with it when it dies
        asked = asyncio.ensure_future(mind.understand(headings()[0]))
        await asyncio.sleep(0.05)
        first = mind.pids[0]
        os.kill(first, signal.SIGKILL)
        for _ in range(2_000):
            if mind.pids[0] != first:
                break
            await asyncio.sleep(0.005)
        os.kill(mind.pids[0], signal.SIGKILL)  # while it loads its models
        with pytest.raises(UnavailableError, match="did not start"):
            await asyncio.wait_for(asked, 60)
        assert (await mind.understand(headings()[1])).understanding.language == "en"


async def test_closing_ends_the_processes_and_whoever_waits() -> None:
    mind = await ProcessMind.start(2)
    pids = mind.pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    asked = asyncio.ensure_future(mind.understand(headings()[0]))
    await asyncio.sleep(0)
    await mind.close()
    with pytest.raises(UnavailableError):
        await asked
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_missing_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read the domain model"):
        await ProcessMind.start(1, tmp_path / "none")
