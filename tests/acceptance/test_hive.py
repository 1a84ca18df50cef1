"""The whole hive in this process, on a real file: what it promises about cases, whatever the way in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from neural_hive.contracts import Ask, Brief, Caller, CaseStatus, Opinion, Outcome, Plan, Task
from neural_hive.errors import IdempotencyConflictError, PlanError, SpecialistError, TextRejectedError
from neural_hive.hive import open_hive
from neural_hive.pipeline.intake import body_digest
from neural_hive.pipeline.judging import decision_digest
from neural_hive.ports import CaseQuery, CatalogueEntity, IdempotencyKey
from neural_hive.service import Hive
from neural_hive.settings import Settings, load_settings
from neural_hive.storage.open import open_storage

CALLER = Caller(tenant="acme", actor="u-1")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/hive.db"
    return load_settings(ledger_url=url, graph_url=url, bus_url=url, lease_s=1.0, recovery_interval_s=0.1)


@pytest.fixture
async def hive(settings: Settings) -> AsyncIterator[Hive]:
    async with open_hive(settings) as opened:
        yield opened


def key(ask: Ask, word: str = "k") -> IdempotencyKey:
    return IdempotencyKey(word, body_digest(ask))


async def test_a_case_is_complete_recorded_and_verified(hive: Hive) -> None:
    case = await hive.ask(Ask(text="Apagar as contas inativas há mais de cinco anos"), CALLER)
    assert case.status is CaseStatus.DECIDED
    assert [o.specialist for o in case.opinions] == ["architecture", "behavior", "business", "evolution", "technical"]
    assert case.decision is not None
    assert len(case.decision.hash) == 64
    assert await hive.case("acme", case.id) == case
    assert (await hive.verify()).ok


async def test_the_same_text_gives_the_same_decision(hive: Hive) -> None:
    judged = await hive.judge([Ask(text="Migrate the billing database to the cloud without a backup")] * 3)
    assert len({decision_digest(j.decision) for j in judged}) == 1


async def test_personal_data_is_nowhere(hive: Hive, tmp_path: Path) -> None:
    secrets = ["529.982.247-25", "joana.silva@example.com", "4111 1111 1111 1111"]
    ask = Ask(
        text=f"Apagar a conta do cliente com CPF {secrets[0]}", context={"contact": secrets[1]}, constraints={"card": secrets[2]}
    )
    case = await hive.ask(ask, CALLER)
    assert {p.kind for p in case.understanding.pii} == {"cpf"} if case.understanding else False
    await hive.review("acme", case.id, reviewer="u-2", verdict=Outcome.REJECTED, comment=f"Fale com {secrets[1]}")
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, file.name


async def test_an_idempotency_key_gives_one_case_even_at_once(hive: Hive) -> None:
    ask = Ask(text="Generar un informe de ventas")
    cases = await asyncio.gather(*(hive.ask(ask, CALLER, key(ask)) for _ in range(8)))
    assert len({c.id for c in cases}) == 1
    assert len({c.decision.hash for c in cases if c.decision}) == 1
    other = Ask(text="Generar un informe de compras")
    with pytest.raises(IdempotencyConflictError):
        await hive.ask(other, CALLER, key(other))
    elsewhere = await hive.ask(other, Caller(tenant="other"), key(other))
    assert elsewhere.id not in {c.id for c in cases}


async def test_what_was_accepted_and_never_decided_is_decided_after_a_restart(settings: Settings) -> None:
    async with open_hive(settings, is_recovering=False) as first:
        intent, _ = first.parts.intake.intent(Ask(text="Fix the typo in the footer"), CALLER)
        await first.parts.stores.ledger.accept(intent, lease_s=0.001)
    async with open_hive(settings) as second:
        async with asyncio.timeout(30):
            async for event in second.events("acme", intent.id):
                last = event
        assert last.type == "decided"
        assert (await second.case("acme", intent.id)).status is CaseStatus.DECIDED


async def test_a_watcher_sees_every_step_in_order(hive: Hive) -> None:
    case = await hive.submit(Ask(text="Adicionar um filtro por data"), CALLER)
    seen = [event.type.value async for event in hive.events("acme", case.id)]
    assert seen == ["accepted", "understood", *["opinion"] * 5, "decided"]


async def test_a_silent_specialist_is_missing_and_never_a_yes(hive: Hive) -> None:
    class Silent:
        name = "behavior"

        async def opinion(self, brief: Brief, timeout_s: float) -> Opinion:
            raise SpecialistError("not today")

        def state(self) -> dict[str, object]:
            return {"name": self.name, "state": "open"}

        async def close(self) -> None: ...

    calm = Ask(text="Change the colour of the save button to green")
    assert (await hive.ask(calm, CALLER)).decision.outcome is Outcome.APPROVED  # type: ignore[union-attr]
    hive.parts.panel.specialists["behavior"] = Silent()  # type: ignore[assignment]
    decision = (await hive.ask(calm, CALLER)).decision
    assert decision is not None
    assert decision.degraded
    assert decision.quorum.missing == ("behavior",)
    assert decision.outcome is not Outcome.APPROVED


async def test_a_ledger_that_was_slow_leaves_the_specialists_less_of_the_deadline(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_s, allowed_s = 0.5, []
    accept = hive.parts.stores.ledger.accept

    async def accept_slowly(*args: Any, **options: Any) -> Any:
        await asyncio.sleep(slow_s)
        return await accept(*args, **options)

    class Patient:
        name = "behavior"

        async def opinion(self, brief: Brief, timeout_s: float) -> Opinion:
            allowed_s.append(timeout_s)
            raise SpecialistError

        def state(self) -> dict[str, object]:
            return {"name": self.name, "state": "closed"}

        async def close(self) -> None: ...

    hive.parts.panel.specialists["behavior"] = Patient()  # type: ignore[assignment]
    monkeypatch.setattr(hive.parts.stores.ledger, "accept", accept_slowly)
    await hive.ask(Ask(text="Change the colour of the save button to green"), CALLER)
    assert 0 < allowed_s[0] < 0.8 * (hive.settings.deadline_ms / 1e3 - slow_s)


async def test_reviews_move_trust_and_leave_the_queue(hive: Hive) -> None:
    case = await hive.ask(Ask(text="Turn off MFA for the finance team"), CALLER)
    waiting = await hive.cases(CaseQuery(tenant="acme", waiting=True))
    assert [c.id for c in waiting.items] == [case.id]
    await hive.review("acme", case.id, reviewer="u-2", verdict=Outcome.REJECTED, comment="No.")
    assert not (await hive.cases(CaseQuery(tenant="acme", waiting=True))).items
    assert hive.parts.judge.trust


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200b", "!!!", "\x00abc"])
async def test_what_is_no_text_is_refused(hive: Hive, text: str) -> None:
    with pytest.raises((TextRejectedError, ValueError)):
        await hive.ask(Ask(text=text), CALLER)


async def test_a_plan_that_goes_in_circles_is_refused_before_anything_is_recorded(hive: Hive) -> None:
    plan = Plan(tasks=(Task(id="a", depends_on=("b",)), Task(id="b", depends_on=("a",))))
    with pytest.raises(PlanError, match="circle"):
        await hive.ask(Ask(text="Migrate the database", plan=plan), CALLER)
    assert not (await hive.cases(CaseQuery(tenant="acme"))).items


async def test_a_hive_that_runs_learns_a_catalogue_that_somebody_else_imports(settings: Settings) -> None:
    ask = Ask(text="Restart falcao-azul tonight")
    async with open_hive(settings.model_copy(update={"models_interval_s": 0.1})) as hive:
        assert "falcao-azul" not in await systems_of(hive, ask)
        async with open_storage() as storage:
            graph = await storage.graph(settings.graph_url)
            await graph.put_entities([CatalogueEntity(kind="System", name="falcao-azul", owner="sales")])
        async with asyncio.timeout(30):
            while "falcao-azul" not in await systems_of(hive, ask):
                pass


async def systems_of(hive: Hive, ask: Ask) -> set[str]:
    (understanding,) = await hive.understand([ask.text], [None])
    return {entity.value for entity in understanding.entities if entity.type == "system"}
