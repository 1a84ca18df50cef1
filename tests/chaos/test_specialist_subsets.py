"""Every subset of the five specialists × everything that can be wrong with them: a decision in time, correct, and honest about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from tests.chaos.specialist_service import SLOW_S, Service

from neural_hive.consensus.guardrails import bundled_guardrails
from neural_hive.contracts import SEVERITY_ORDER, Intent, Opinion, Outcome
from neural_hive.pipeline.context import ContextReader
from neural_hive.pipeline.judging import Judge, Judgement
from neural_hive.pipeline.listening import Silence
from neural_hive.pipeline.minds import ThreadMind
from neural_hive.pipeline.opinion_client import address_of
from neural_hive.pipeline.panel import Panel
from neural_hive.pipeline.remote import Patience, RemoteSpecialist
from neural_hive.specialists.rubric import bundled_rubrics
from neural_hive.understanding.privacy import mentions
from neural_hive.understanding.understand import load_understander

RUBRICS = bundled_rubrics()
NAMES = tuple(sorted(RUBRICS))
SUBSETS = [subset for n_bad in range(6) for subset in combinations(NAMES, n_bad)]
#: What is wrong → the reason that is told for it.
WRONGS = {"down": "error", "slow": "timeout", "garbage": "garbage", "NaN": "garbage", "huge": "garbage"}
TEXTS = (
    "Apagar de vez todas as contas inativas da base de produção, sem backup",
    "Fix the typo in the footer of the help page",
    "Migrar la base de clientes a la nube con copia de seguridad y plan de reversión",
)
#: Longest that a decision may take, in seconds.
DEADLINE_S = 15.0
#: How patient the hive is: with services that hang, less, because each of them is waited for; with others a busy machine counts.
PATIENCE = {"slow": Patience(SLOW_S / 2, n_retries=0)}
OTHERWISE = Patience(4.0, n_retries=1)


class Told(Silence):
    """Keeps who was silent and why."""

    def __init__(self) -> None:
        self.silent: dict[str, str] = {}

    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None:
        self.silent[specialist] = reason


@pytest.fixture(scope="module")
def mind() -> ThreadMind:
    return ThreadMind(load_understander())


@asynccontextmanager
async def judging(
    mind: ThreadMind, services: dict[str, Service], told: Told, patience: Patience = OTHERWISE
) -> AsyncIterator[Judge]:
    """A judge whose specialists are all behind HTTP."""
    remote = {
        name: RemoteSpecialist(address_of(name, RUBRICS[name].name, f"http://127.0.0.1:{one.port}", ""), patience)
        for name, one in services.items()
    }
    panel = Panel(remote, told)
    try:
        yield Judge(mind, panel, bundled_guardrails(), ContextReader(None, 0, told), told, rubric_digests={})
    finally:
        await panel.close()


async def judged(judge_: Judge, text: str) -> Judgement:
    intent = Intent(id="00000000-0000-7000-8000-000000000000", text=text, received_at=datetime(2026, 1, 31, tzinfo=UTC))
    async with asyncio.timeout(DEADLINE_S):
        return await judge_.judge(intent, mentions(text), DEADLINE_S)


def timeless(opinions: Sequence[Opinion]) -> dict[str, Any]:
    return {one.specialist: one.model_dump(mode="json", exclude={"duration_ms"}) for one in opinions}


def strictness(outcome: Outcome) -> int:
    return SEVERITY_ORDER.index(outcome)


def assert_right(whole: Judgement, found: Judgement, bad: Sequence[str]) -> None:
    """A decision without `bad` says so, is no looser than the one with all, and keeps what the others said."""
    decision = found.decision
    assert decision.quorum.missing == tuple(bad)
    assert (decision.quorum.asked, decision.quorum.answered) == (5, 5 - len(bad))
    assert decision.degraded is bool(bad)
    assert strictness(decision.outcome) >= strictness(whole.decision.outcome)
    assert timeless(found.opinions) == {name: said for name, said in timeless(whole.opinions).items() if name not in bad}
    if len(bad) > 2:
        assert strictness(decision.outcome) >= strictness(Outcome.NEEDS_REVIEW)
    if not bad:
        assert decision == whole.decision


@pytest.mark.parametrize("wrong", WRONGS)
async def test_every_subset_of_specialists_may_fail(mind: ThreadMind, wrong: str) -> None:
    async with AsyncExitStack() as stack:
        services = {name: Service(RUBRICS[name]) for name in NAMES}
        for service in services.values():
            await service.open()
            stack.push_async_callback(service.close)
        async with judging(mind, services, Told()) as all_well:
            whole = {text: await judged(all_well, text) for text in TEXTS}
        for number, bad in enumerate(SUBSETS):
            for name, service in services.items():
                service.wrong = wrong if name in bad else ""
                await (service.close() if wrong == "down" and name in bad else service.open())
            told, text = Told(), TEXTS[number % len(TEXTS)]
            async with judging(mind, services, told, PATIENCE.get(wrong, OTHERWISE)) as judge_:
                found = await judged(judge_, text)
            assert_right(whole[text], found, bad)
            assert told.silent == dict.fromkeys(bad, WRONGS[wrong]), (wrong, bad)
