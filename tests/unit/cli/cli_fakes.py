"""A hive that answers without judging, and cases to show."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from neural_hive.contracts import (
    Ask,
    Caller,
    Case,
    CaseStatus,
    Decision,
    Domain,
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
from neural_hive.errors import AudioRejectedError, NotFoundError, TextRejectedError
from neural_hive.ports import CaseQuery

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SPECIALISTS = ("architecture", "behavior", "business", "evolution", "technical")
CASE_ID = "01934f3a-7c1e-7b42-9d0e-3f6c5a1b2d4e"

SAMPLES: dict[str, dict[str, Any]] = {
    "pt": {
        "text": "Apagar as contas inativas há mais de cinco anos",
        "explanation": "Uma pessoa deve decidir isto (risco 0,78). Principal preocupação: destruição irreversível "
        "de dados – “Apagar as contas”. Também: dever de retenção ou de apagamento.",
        "titles": ("destruição irreversível de dados", "dever de retenção ou de apagamento"),
        "conditions": (
            "Fazer uma cópia de segurança e testar a reposição.",
            "Definir um período de carência de 30 dias.",
        ),
        "dissent": ("comportamento diria “aprovado”: nada muda para quem usa o sistema.",),
    },
    "en": {
        "text": "Delete the accounts that have been inactive for more than five years",
        "explanation": "A person should decide this (risk 0.78). Main concern: irreversible destruction of data – "
        "“Delete the accounts”. Also: duty to retain or erase.",
        "titles": ("irreversible destruction of data", "duty to retain or erase"),
        "conditions": ("Make a backup and test that it can be restored.", "Set a grace period of 30 days."),
        "dissent": ("behavior would say “approved”: nothing changes for those who use the system.",),
    },
    "es": {
        "text": "Borrar las cuentas inactivas desde hace más de cinco años",
        "explanation": "Esto lo debe decidir una persona (riesgo 0,78). Principal preocupación: destrucción "
        "irreversible de datos – “Borrar las cuentas”. También: deber de conservar o suprimir.",
        "titles": ("destrucción irreversible de datos", "deber de conservar o suprimir"),
        "conditions": (
            "Hacer una copia de seguridad y probar su restauración.",
            "Fijar un periodo de gracia de 30 días.",
        ),
        "dissent": ("comportamiento diría «aprobado»: nada cambia para quien usa el sistema.",),
    },
}


def understood(text: str, language: str = "en") -> Understanding:
    """An understanding of any text."""
    return Understanding(
        language=language,
        domain=Domain.SECURITY,
        classification="security.destroy",
        confidence=0.9,
        status=Status.UNDERSTOOD,
        frame=Frame(action="destroy"),
        keywords=tuple(text.split()[:3]),
    )


def opinion(specialist: str, language: str = "en", risk: float = 0.2) -> Opinion:
    """One specialist's opinion; risky ones have findings."""
    sample = SAMPLES[language]
    quote = " ".join(sample["text"].split()[:3])
    findings = [
        Finding(
            concern=f"concern-{n}",
            title=title,
            severity=0.9 - 0.2 * n,
            likelihood=0.8,
            evidence=(Span(quote=quote, start=0, end=len(quote)),),
            reference="GDPR, art. 17",
        )
        for n, title in enumerate(sample["titles"])
    ]
    return Opinion(
        specialist=specialist,
        relevance=0.4,
        risk=risk,
        confidence=0.8,
        recommendation=Outcome.NEEDS_REVIEW if risk > 0.5 else Outcome.APPROVED,
        summary="…",
        findings=tuple(findings) if risk > 0.5 else (),
        model=f"{specialist}-1@0123456789ab",
    )


def decided(outcome: Outcome = Outcome.NEEDS_REVIEW, language: str = "en") -> Decision:
    """A decision with everything in it."""
    sample = SAMPLES[language]
    return Decision(
        outcome=outcome,
        primary="technical",
        risk=0.78,
        risk_band="high",
        confidence=0.83,
        agreement=0.61,
        dissent=sample["dissent"],
        conditions=sample["conditions"],
        guardrails=("irreversible-destruction",),
        quorum=Quorum(asked=5, answered=5),
        explanation=sample["explanation"],
        hash="a" * 64,
        previous_hash="0" * 64,
    )


def case(
    language: str = "en", outcome: Outcome = Outcome.NEEDS_REVIEW, *, text: str = "", reviews: tuple[Review, ...] = ()
) -> Case:
    """A decided case."""
    text = text or SAMPLES[language]["text"]
    return Case(
        id=CASE_ID,
        status=CaseStatus.DECIDED,
        intent=Intent(id=CASE_ID, text=text, received_at=NOON),
        understanding=understood(text, language),
        opinions=tuple(opinion(name, language, 0.81 if name == "technical" else 0.15) for name in SPECIALISTS),
        decision=decided(outcome, language),
        reviews=reviews,
        decided_at=NOON,
    )


def transcript(text: str) -> Transcript:
    """What was heard."""
    return Transcript(
        text=text,
        raw_text=text,
        has_speech=bool(text),
        language="pt",
        language_probability=0.98,
        duration_s=2.5,
        compute_s=0.1,
        confidence=0.9,
        avg_logprob=-0.2,
    )


@dataclass
class Judged:
    """What a batch gives for each text."""

    understanding: Understanding
    opinions: Sequence[Opinion]
    decision: Decision


@dataclass
class FakeHive:
    """Answers at once, refuses a blank text, remembers what it was asked."""

    asked: list[Ask] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    reviews: list[tuple[str, str, Outcome, str]] = field(default_factory=list)
    verification: Verification = field(default_factory=lambda: Verification(ok=True, checked=3))
    n_waiting: int = 1
    tenants: list[str] = field(default_factory=list)

    async def ask(self, ask: Ask, caller: Caller, *, transcript: Transcript | None = None) -> Case:
        self.asked.append(ask)
        self.callers.append(caller)
        return case(ask.language or "en", text=ask.text)

    async def judge(self, asks: Sequence[Ask]) -> list[Judged]:
        self.batches.append(len(asks))
        for ask in asks:
            if not ask.text.strip():
                raise TextRejectedError("The text is empty; say what should change.")
        return [Judged(understood(ask.text), [opinion(name) for name in SPECIALISTS], decided()) for ask in asks]

    async def understand(self, texts: Sequence[str], languages: Sequence[str | None]) -> list[Understanding]:
        return [understood(text, language or "en") for text, language in zip(texts, languages, strict=True)]

    async def case(self, tenant: str, case_id: str) -> Case:
        self.tenants.append(tenant)
        if case_id != CASE_ID:
            raise NotFoundError
        return case()

    async def cases(self, query: CaseQuery) -> Page:
        self.tenants.append(query.tenant)
        start = int(query.cursor or 0)
        stop = min(self.n_waiting, start + query.limit)
        items = tuple(case() for _ in range(start, stop))
        return Page(items=items, next_cursor=str(stop) if stop < self.n_waiting else None)

    async def review(self, tenant: str, case_id: str, *, reviewer: str, verdict: Outcome, comment: str) -> Case:
        self.tenants.append(tenant)
        self.reviews.append((case_id, reviewer, verdict, comment))
        return case(reviews=(Review(id="r", reviewer=reviewer, verdict=verdict, comment=comment, created_at=NOON),))

    async def verify(self) -> Verification:
        return self.verification

    async def export(self, tenant: str | None) -> AsyncIterator[dict[str, Any]]:
        for seq in (1, 2):
            yield {"entry": {"seq": seq, "tenant": tenant or "default"}, "hash": "a" * 64}

    async def transcribe(
        self, audio: bytes, *, language: str | None = None, progress: Callable[[float], None] | None = None
    ) -> Transcript:
        if audio == b"noise":
            raise AudioRejectedError
        if progress:
            progress(0.5)
        return transcript(audio.decode())
