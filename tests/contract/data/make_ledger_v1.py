"""The recipe of ledger-v1.db and ledger-v1.jsonl: `python tests/contract/data/make_ledger_v1.py`, run once per format.

They prove that a ledger written by this format opens in every later release. Never make them again with a later one:
add a recipe and a pair of files for the new format instead.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import apsw

from neural_hive.contracts import (
    ActionMention,
    Channel,
    Decision,
    Domain,
    Entity,
    Environment,
    Finding,
    Frame,
    Intent,
    Language,
    Mood,
    Opinion,
    Outcome,
    PiiMention,
    Plan,
    Quorum,
    Reversibility,
    Review,
    Scope,
    Segment,
    Signal,
    Span,
    SpecialistName,
    Status,
    Task,
    Transcript,
    Understanding,
    Word,
)
from neural_hive.ports import IdempotencyKey
from neural_hive.storage.ledger.chain import export_line
from neural_hive.storage.ledger.sqlite import SqliteLedger, open_sqlite_ledger

HERE = Path(__file__).parent
TARGET = HERE / "ledger-v1.db"
AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TEXT = "Apagar agora todas as contas inativas de [EMAIL_1] em produção, sem backup"
IDS = [f"019c1414-0000-7000-8000-00000000000{n}" for n in range(4)]


def span(quote: str) -> Span:
    start = TEXT.index(quote)
    return Span(quote=quote, start=start, end=start + len(quote))


def transcript() -> Transcript:
    word = Word(text="Apagar", start_s=0.1, end_s=0.5, confidence=0.98)
    segment = Segment(text=TEXT, start_s=0.0, end_s=4.2, avg_logprob=-0.21, words=(word,))
    return Transcript(
        text=TEXT,
        raw_text=TEXT.lower(),
        has_speech=True,
        language="pt",
        language_probability=0.99,
        duration_s=4.2,
        compute_s=0.1,
        confidence=0.93,
        avg_logprob=-0.21,
        segments=(segment,),
        model="whisper-base@d01c3014",
    )


def intents() -> list[Intent]:
    plan = Plan(tasks=(Task(id="a"), Task(id="b", depends_on=("a",), duration_minutes=90.0, cost=12.5)), currency="EUR")
    rich = Intent(
        id=IDS[0],
        actor="ana",
        channel=Channel.VOICE,
        text=TEXT,
        language=Language.PT,
        plan=plan,
        context={"ticket": 7, "nested": [1.5, None, True, "ação \N{GRINNING FACE}"], "tiny": 1e-9, "huge": 1e300},
        constraints={"deadline": "2026-12-31"},
        transcript=transcript(),
        received_at=AT,
    )
    plain = [Intent(id=case_id, tenant="other", text=f"Plain {case_id}", received_at=AT) for case_id in IDS[1:]]
    return [rich, *plain]


def understanding() -> Understanding:
    apagar = ActionMention(action="destroy", objects=("data", "account"), evidence=span("Apagar"))
    frame = Frame(
        action="destroy",
        objects=("data",),
        scope=Scope.ALL,
        environment=Environment.PRODUCTION,
        safeguards=("approval",),
        waived=("backup",),
        reversibility=Reversibility.IRREVERSIBLE,
        mood=Mood.REQUEST,
        urgent=True,
        actions=(apagar,),
        evidence=(span("em produção"),),
    )
    return Understanding(
        language="pt",
        variant="pt-BR",
        domain=Domain.COMPLIANCE,
        classification="compliance.destroy",
        confidence=0.91,
        status=Status.UNDERSTOOD,
        frame=frame,
        entities=(Entity(type="environment", value="production", start=57, end=65, confidence=0.9),),
        pii=(PiiMention(kind="email", start=42, end=51),),
        keywords=("contas", "inativas"),
        domains={"compliance": 0.91, "unknown": 0.00005},
        specialists={"business": 0.8},
        signals=(Signal(concern="business.retention", probability=0.97),),
        reasons=(),
        models={"encoder": "0" * 64},
    )


def opinions() -> list[Opinion]:
    finding = Finding(
        concern="business.retention",
        title="Prazo de retenção",
        severity=0.95,
        likelihood=0.9,
        evidence=(span("Apagar"),),
        mitigated_by=("approval",),
        mitigations=("Definir o prazo de retenção",),
        reference="LGPD, art. 16",
    )
    return [
        Opinion(
            specialist=name,
            relevance=0.5,
            risk=0.855,
            confidence=0.8,
            recommendation=Outcome.REJECTED,
            summary="Perda irreversível.",
            findings=(finding,),
            model=f"rubric-{name}@0",
            duration_ms=1.25,
        )
        for name in SpecialistName
    ]


def decision(outcome: Outcome) -> Decision:
    return Decision(
        outcome=outcome,
        primary="business",
        risk=0.87,
        risk_band="high",
        confidence=0.9,
        agreement=1e-7,
        dissent=("behavior: aprovaria.",),
        conditions=("Definir o prazo de retenção",),
        guardrails=("irreversible-destruction",),
        quorum=Quorum(asked=5, answered=4, missing=("behavior",)),
        degraded=True,
        explanation="Perda irreversível.",
        models={"policy": "1" * 64},
    )


async def fill(ledger: SqliteLedger) -> None:
    for intent in intents():
        await ledger.accept(intent, IdempotencyKey(f"key-{intent.id}", "a" * 64), lease_s=0.0)
    for case_id, outcome in zip(IDS, (Outcome.NEEDS_REVIEW, Outcome.APPROVED, Outcome.CONDITIONAL), strict=False):
        await ledger.record_decision(case_id, understanding(), opinions(), decision(outcome))
    review = Review(id="019c1414-0000-7000-8000-0000000000ff", reviewer="rui", verdict=Outcome.REJECTED, created_at=AT)
    await ledger.add_review("default", IDS[0], review)
    await ledger.mark_published([event.id for event in await ledger.pending(6)])


async def export(ledger: SqliteLedger) -> bytes:
    return b"".join([export_line(row) + b"\n" async for row in ledger.export()])


async def make() -> bytes:
    async with open_sqlite_ledger(f"sqlite:///{TARGET}") as ledger:
        await fill(ledger)
        return await export(ledger)


def main() -> None:
    assert not TARGET.exists(), f"{TARGET} exists; a released format is not written again"
    (HERE / "ledger-v1.jsonl").write_bytes(asyncio.run(make()))
    connection = apsw.Connection(str(TARGET))
    connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    connection.close()


if __name__ == "__main__":
    main()
