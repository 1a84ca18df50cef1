"""What one specialist reads (the brief) and what it answers (the opinion)."""

from __future__ import annotations

from pydantic import Field

from neural_hive.contracts.base import Outcome, Record, Score
from neural_hive.contracts.intent import PlanFacts
from neural_hive.contracts.understanding import Span, Understanding


class SystemContext(Record):
    """What the graph knows of a system the text mentions."""

    name: str = Field(description="The system's name in the catalogue.")
    owner: str = Field(default="", description="Who owns it.")
    lifecycle: str = Field(default="", description="production, experimental, deprecated, …")
    dependents: tuple[str, ...] = Field(default=(), description="Systems that directly depend on it.")
    blast_radius: int = Field(default=0, ge=0, description="Number of systems that depend on it, directly or not.")


class SimilarCase(Record):
    """A past case that resembles this one."""

    id: str = Field(description="Id of the case.")
    similarity: Score = Field(description="Similarity of the texts.")
    outcome: Outcome = Field(description="What was decided.")
    verdict: Outcome | None = Field(default=None, description="What a person said, if somebody reviewed it.")


class Brief(Record):
    """All that a specialist reads. Self-contained: a specialist needs nothing else to answer."""

    id: str = Field(description="Id of the intent.")
    text: str = Field(description="The recorded (masked) text.")
    answer_language: str = Field(description="Language to write in: pt, en or es.")
    understanding: Understanding = Field(description="What was understood.")
    plan: PlanFacts | None = Field(default=None, description="Facts of the plan, if there is one.")
    systems: tuple[SystemContext, ...] = Field(default=(), description="Systems mentioned, from the graph.")
    similar: tuple[SimilarCase, ...] = Field(default=(), description="Similar past cases, most similar first.")


class Finding(Record):
    """A concern seen in this case."""

    concern: str = Field(description="Id of the concern in the rubric.")
    title: str = Field(description="The concern, in the asker's language.")
    severity: Score = Field(description="How bad it would be.")
    likelihood: Score = Field(description="How likely it applies, after the safeguards that the text states.")
    evidence: tuple[Span, ...] = Field(description="Quoted words that point to it; never empty.")
    mitigated_by: tuple[str, ...] = Field(default=(), description="Safeguards already stated that lower it.")
    mitigations: tuple[str, ...] = Field(default=(), description="What would make it acceptable, in the asker's language.")
    reference: str = Field(default="", description="Where the concern comes from: a standard, law or book.")


class Opinion(Record):
    """One specialist's judgement."""

    specialist: str = Field(description="Who speaks.")
    relevance: Score = Field(description="Calibrated probability that this is the specialist's business.")
    risk: Score = Field(description="Noisy-OR of its findings' severity × likelihood.")
    confidence: Score = Field(description="How sure it is of its own judgement.")
    recommendation: Outcome = Field(description="What it would decide alone.")
    summary: str = Field(description="One or two sentences in the asker's language.")
    findings: tuple[Finding, ...] = Field(default=(), description="Concerns, most serious first.")
    model: str = Field(description="Name and content hash of the rubric.")
    duration_ms: float = Field(default=0.0, ge=0, description="Time it took, in milliseconds; not part of the decision's bytes.")
