"""Cases as a hive would judge them, written by hand: what the console's tests look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from uuid_utils import uuid7

from neural_hive.contracts import (
    Case,
    CaseStatus,
    Channel,
    Decision,
    Domain,
    Entity,
    Environment,
    Finding,
    Frame,
    Intent,
    Opinion,
    Outcome,
    PiiMention,
    Quorum,
    Reversibility,
    Review,
    Scope,
    Segment,
    SimilarCase,
    Span,
    Status,
    SystemContext,
    Transcript,
    Understanding,
)

GENESIS = "0" * 64
NOW = datetime(2026, 11, 23, 15, 4, tzinfo=UTC)
DELETE_PT = "Apagar as contas inativas há mais de cinco anos e avisar ‹person-1› pelo ‹email-1›"
SPECIALISTS = ("architecture", "behavior", "business", "evolution", "technical")


def span(text: str, quote: str) -> Span:
    """Where `quote` stands in `text`."""
    start = text.index(quote)
    return Span(quote=quote, start=start, end=start + len(quote))


def finding(
    text: str, quote: str, title: str, harm: tuple[float, float], mitigations: Sequence[str] = (), reference: str = ""
) -> Finding:
    """A finding with one quote; harm is (severity, likelihood)."""
    return Finding(
        concern="-".join(title.lower().split()[:3]),
        title=title,
        severity=harm[0],
        likelihood=harm[1],
        evidence=(span(text, quote),),
        mitigations=tuple(mitigations),
        reference=reference,
    )


def opinion(name: str, risk: float, confidence: float, said: Outcome, summary: str, findings: Sequence[Finding] = ()) -> Opinion:
    """One specialist's opinion."""
    return Opinion(
        specialist=name,
        relevance=0.35 + risk / 2,
        risk=risk,
        confidence=confidence,
        recommendation=said,
        summary=summary,
        findings=tuple(findings),
        model=f"{name}-1@{sha256(name.encode()).hexdigest()[:12]}",
        duration_ms=0.8,
    )


def delete_opinions(text: str = DELETE_PT) -> list[Opinion]:
    """What the five say about deleting old accounts."""
    return [
        opinion(
            "architecture",
            0.58,
            0.71,
            Outcome.CONDITIONAL,
            "Vejo uma preocupação: dados apagados sem caminho de volta.",
            [
                finding(
                    text,
                    "Apagar as contas",
                    "A operação apaga dados e não tem caminho de volta",
                    (0.85, 0.68),
                    [
                        "Fazer e testar uma cópia de segurança antes",
                        "Apagar em lotes, com um ponto de paragem entre eles",
                    ],
                    "AWS Well-Architected, REL09-BP01",
                ),
            ],
        ),
        opinion(
            "behavior",
            0.31,
            0.62,
            Outcome.APPROVED,
            "Vejo uma preocupação menor: pessoas que voltam e já não encontram a conta.",
            [
                finding(
                    text,
                    "contas inativas",
                    "As pessoas perdem o acesso sem aviso",
                    (0.5, 0.62),
                    ["Avisar trinta dias antes e oferecer a reativação"],
                    "WCAG 2.2, 2.2.6",
                ),
            ],
        ),
        opinion(
            "business",
            0.79,
            0.88,
            Outcome.NEEDS_REVIEW,
            "Vejo duas preocupações; a mais pesada: apagar dados pessoais sem política de retenção declarada.",
            [
                finding(
                    text,
                    "há mais de cinco anos",
                    "Não há uma política de retenção que diga este prazo",
                    (0.8, 0.82),
                    [
                        "Indicar a política de retenção e o prazo legal que se aplica",
                        "Obter por escrito o parecer do encarregado de proteção de dados",
                    ],
                    "LGPD art. 16; RGPD art. 5(1)(e)",
                ),
                finding(
                    text,
                    "contas",
                    "O pedido não diz quem é o responsável",
                    (0.55, 0.5),
                    ["Nomear um responsável pela mudança"],
                    "ISO/IEC 25010:2023",
                ),
            ],
        ),
        opinion(
            "evolution",
            0.22,
            0.55,
            Outcome.APPROVED,
            "Nada aqui me preocupa: uma limpeza que se repete devia ser automatizada.",
        ),
        opinion(
            "technical",
            0.66,
            0.8,
            Outcome.NEEDS_REVIEW,
            "Vejo uma preocupação: uma eliminação em massa sem simulação.",
            [
                finding(
                    text,
                    "Apagar as contas inativas",
                    "Eliminação em massa sem simulação nem limite",
                    (0.8, 0.75),
                    ["Correr primeiro uma simulação e conferir o número de contas", "Pôr um limite por execução"],
                    "OWASP ASVS 5.0, 2.4",
                ),
            ],
        ),
    ]


def delete_understanding(text: str = DELETE_PT) -> Understanding:
    """What is understood of it."""
    who, mail, years = span(text, "‹person-1›"), span(text, "‹email-1›"), span(text, "cinco anos")
    return Understanding(
        language="pt",
        variant="pt-BR",
        domain=Domain.COMPLIANCE,
        classification="compliance.retention",
        confidence=0.87,
        status=Status.UNDERSTOOD,
        frame=Frame(
            action="destroy",
            objects=("account",),
            scope=Scope.ALL,
            environment=Environment.PRODUCTION,
            reversibility=Reversibility.IRREVERSIBLE,
            safeguards=("notice",),
        ),
        entities=(Entity(type="duration", value="P5Y", start=years.start, end=years.end, confidence=0.97),),
        pii=(
            PiiMention(kind="person", start=who.start, end=who.end),
            PiiMention(kind="email", start=mail.start, end=mail.end),
        ),
        keywords=("contas", "inativas", "apagar"),
    )


def delete_decision() -> Decision:
    """What is decided about it."""
    return Decision(
        outcome=Outcome.NEEDS_REVIEW,
        primary="business",
        risk=0.74,
        risk_band="high",
        confidence=0.81,
        agreement=0.63,
        dissent=("Comportamento diria “aprovado”: vejo uma preocupação menor.",),
        conditions=(
            "Indicar a política de retenção e o prazo legal que se aplica",
            "Fazer e testar uma cópia de segurança antes",
            "Correr primeiro uma simulação e conferir o número de contas",
            "Nomear um responsável pela mudança",
        ),
        guardrails=("irreversible-destruction",),
        quorum=Quorum(asked=5, answered=5),
        explanation="Uma pessoa deve decidir isto (risco 0,74). Principal preocupação: não há uma política de retenção "
        "que diga este prazo – “há mais de cinco anos”. Também: a operação apaga dados e não tem caminho de volta.",
        models={f"rubric.{name}": sha256(name.encode()).hexdigest() for name in SPECIALISTS},
    )


#: (text, language, domain, outcome, risk, days ago) of simpler cases.
_SIMPLE = (
    (
        "Make the buttons on the checkout page bigger; people on phones miss them",
        "en",
        Domain.BEHAVIOR,
        Outcome.APPROVED,
        0.12,
        0,
    ),
    (
        "Migrar la base de pagos al nuevo clúster esta noche, con copia de seguridad y sin cortes",
        "es",
        Domain.INFRASTRUCTURE,
        Outcome.CONDITIONAL,
        0.52,
        0,
    ),
    ("Turn off two-factor login for the finance team until Monday", "en", Domain.SECURITY, Outcome.REJECTED, 0.93, 1),
    ("me manda as vendas de março por loja? pode ser em excel mesmo", "pt", Domain.BUSINESS, Outcome.APPROVED, 0.08, 1),
    (
        "Compartir la base de clientes con la agencia de publicidad",
        "es",
        Domain.COMPLIANCE,
        Outcome.NEEDS_REVIEW,
        0.78,
        2,
    ),
    (
        "Upgrade the invoice service to Java 21 and drop the old connector",
        "en",
        Domain.TECHNICAL,
        Outcome.CONDITIONAL,
        0.44,
        2,
    ),
    (
        "Trocar o fornecedor de e-mail em todas as lojas até sexta",
        "pt",
        Domain.OPERATIONAL,
        Outcome.CONDITIONAL,
        0.49,
        3,
    ),
    ("Grant the new analysts read access to the orders table", "en", Domain.SECURITY, Outcome.CONDITIONAL, 0.41, 4),
    ("Escribir pruebas para el cálculo de descuentos", "es", Domain.TECHNICAL, Outcome.APPROVED, 0.05, 4),
    (
        "Desligar os logs de auditoria em produção, estão a ocupar muito disco",
        "pt",
        Domain.SECURITY,
        Outcome.REJECTED,
        0.91,
        5,
    ),
    (
        "Raise the price of the annual plan by 8% for new customers",
        "en",
        Domain.BUSINESS,
        Outcome.NEEDS_REVIEW,
        0.67,
        6,
    ),
    ("asdf qwer zxcv", "en", Domain.UNKNOWN, Outcome.NEEDS_REVIEW, 0.5, 7),
    ("Documentar el proceso de alta de proveedores", "es", Domain.BUSINESS, Outcome.APPROVED, 0.03, 8),
    ("Aumentar o limite de pedidos da API para parceiros", "pt", Domain.INFRASTRUCTURE, Outcome.APPROVED, 0.27, 9),
)


def sample_cases(tenant: str = "default") -> list[Case]:
    """A ledger's worth of decided cases, oldest first, chained."""
    cases: list[Case] = []
    previous = GENESIS
    for text, language, domain, outcome, risk, days_ago in reversed(_SIMPLE):
        case = _simple(tenant, (text, language, domain), outcome, risk, NOW - timedelta(days=days_ago, hours=days_ago % 5))
        cases.append(sealed(case, previous))
        previous = cases[-1].decision.hash  # type: ignore[union-attr]
    cases.append(sealed(_with_reviews(delete_case(tenant)), previous))
    return cases


def delete_case(tenant: str = "default") -> Case:
    """The full case, decided, not yet sealed."""
    intent = accepted_intent(DELETE_PT, tenant)
    return Case(
        id=intent.id,
        status=CaseStatus.DECIDED,
        intent=intent,
        understanding=delete_understanding(),
        opinions=tuple(delete_opinions()),
        decision=delete_decision(),
        decided_at=NOW,
    )


def accepted_intent(text: str, tenant: str = "default", channel: Channel = Channel.CONSOLE, at: datetime = NOW) -> Intent:
    """An intent as recorded."""
    return Intent(id=str(uuid7()), tenant=tenant, actor="", channel=channel, text=text, received_at=at)


def heard(text: str) -> Transcript:
    """A transcript of `text`."""
    words = Segment(text=text, start_s=0, end_s=4.2, avg_logprob=-0.21)
    return Transcript(
        text=text,
        raw_text=text,
        has_speech=True,
        language="pt",
        language_probability=0.99,
        duration_s=4.2,
        compute_s=0.12,
        confidence=0.93,
        avg_logprob=-0.21,
        segments=(words,),
        model="whisper-base@1a2b",
    )


def sealed(case: Case, previous: str) -> Case:
    """The case with its hashes."""
    assert case.decision is not None
    digest = sha256(f"{previous}{case.id}".encode()).hexdigest()
    return case.model_copy(update={"decision": case.decision.model_copy(update={"hash": digest, "previous_hash": previous})})


def similar_to(cases: Sequence[Case]) -> tuple[SimilarCase, ...]:
    """Two of the cases, as the graph would find them."""
    found = [case for case in cases if case.decision is not None][:2]
    return tuple(
        SimilarCase(
            id=case.id,
            similarity=0.83 - n / 10,
            outcome=case.decision.outcome,
            verdict=case.reviews[-1].verdict if case.reviews else None,
        )
        for n, case in enumerate(found)
        if case.decision is not None
    )


SYSTEMS = (
    SystemContext(
        name="accounts-service",
        owner="team-identity",
        lifecycle="production",
        dependents=("checkout", "billing", "support-portal", "newsletter"),
        blast_radius=11,
    ),
    SystemContext(name="crm", owner="team-sales", lifecycle="production", dependents=("newsletter", "reports"), blast_radius=4),
)


def _with_reviews(case: Case) -> Case:
    return case.model_copy(update={"reviews": ()})


def _simple(tenant: str, what: tuple[str, str, Domain], outcome: Outcome, risk: float, at: datetime) -> Case:
    text, language, domain = what
    intent = accepted_intent(text, tenant, at=at)
    is_clear = domain is not Domain.UNKNOWN
    understanding = Understanding(
        language=language,
        domain=domain,
        classification=f"{domain}.change",
        confidence=0.9 if is_clear else 0.2,
        status=Status.UNDERSTOOD if is_clear else Status.NOT_UNDERSTOOD,
        frame=Frame(action="modify" if is_clear else "none"),
        reasons=() if is_clear else ("gibberish",),
    )
    conditions = ("Name an owner", "Test the way back first") if outcome in (Outcome.CONDITIONAL, Outcome.NEEDS_REVIEW) else ()
    bands = (("low", 0.4), ("medium", 0.7), ("high", 0.9), ("critical", 1.1))
    decision = Decision(
        outcome=outcome,
        primary="technical",
        risk=risk,
        risk_band=next(name for name, end in bands if risk < end),  # type: ignore[arg-type]
        confidence=0.8,
        agreement=0.75,
        conditions=conditions,
        quorum=Quorum(asked=5, answered=4, missing=("evolution",)),
        degraded=True,
        explanation=f"Main concern: what happens to “{text[:24]}” (risk {risk}).",
    )
    first_words = text.split()[0]
    concern = finding(text, first_words, "It is not said how to undo it", (0.6, min(1.0, risk + 0.1)), ["Say how to undo it"])
    opinions = tuple(
        opinion(name, risk * 0.9, 0.7, outcome, "I see one concern.", [concern]) for name in SPECIALISTS if name != "evolution"
    )
    reviews = ()
    if outcome is Outcome.CONDITIONAL:
        verdict = Outcome.CONDITIONAL if risk > 0.45 else Outcome.REJECTED
        reviews = (
            Review(
                id=str(uuid7()),
                reviewer="ana",
                verdict=verdict,
                comment="The owner signed off." if risk > 0.45 else "Not before the audit.",
                created_at=at,
            ),
        )
    return Case(
        id=intent.id,
        status=CaseStatus.DECIDED,
        intent=intent,
        understanding=understanding,
        opinions=opinions,
        decision=decision,
        reviews=reviews,
        decided_at=at,
    )
