"""The decision, a person's review, and the case that holds everything."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from neural_hive.contracts.base import Outcome, Record, Score, UtcTime
from neural_hive.contracts.intent import Intent
from neural_hive.contracts.opinion import Opinion
from neural_hive.contracts.understanding import Understanding


class Quorum(Record):
    """Who was asked and who answered."""

    asked: int = Field(ge=0, description="Number of specialists asked.")
    answered: int = Field(ge=0, description="Number that gave a usable opinion in time.")
    missing: tuple[str, ...] = Field(default=(), description="Names of those that did not, sorted.")


class Decision(Record):
    """The hive's judgement."""

    outcome: Outcome = Field(description="approved, conditional, needs_review or rejected.")
    primary: str = Field(description="Specialist whose business it mainly is, or 'none'.")
    risk: Score = Field(description="Pooled risk with the severity floor.")
    risk_band: Literal["low", "medium", "high", "critical"] = Field(
        description="low < 0.4 ≤ medium < 0.7 ≤ high < 0.9 ≤ critical."
    )
    confidence: Score = Field(description="How sure the hive is of this outcome.")
    agreement: Score = Field(description="1 when all specialists see the same risk, towards 0 as they differ.")
    dissent: tuple[str, ...] = Field(default=(), description="Who would decide otherwise and why, in the asker's language.")
    conditions: tuple[str, ...] = Field(default=(), description="What must be true to go ahead, in the asker's language.")
    guardrails: tuple[str, ...] = Field(default=(), description="Ids of the guardrails that forced the outcome.")
    quorum: Quorum = Field(description="Who was asked and who answered.")
    degraded: bool = Field(default=False, description="True if something did not work and the decision was tightened for it.")
    explanation: str = Field(description="The reasons, in the asker's language.")
    models: dict[str, str] = Field(default_factory=dict, description="Content hashes of rubrics, policy and models.")
    hash: str = Field(default="", description="SHA-256 of the ledger entry, 64 hex digits; empty until recorded.")
    previous_hash: str = Field(default="", description="Hash of the entry before it; empty until recorded.")


class Review(Record):
    """A person's verdict on a case."""

    id: str = Field(description="UUIDv7.")
    reviewer: str = Field(max_length=120, description="Who decided, as the token names them.")
    verdict: Outcome = Field(description="What the person decided.")
    comment: str = Field(default="", max_length=4000, description="Why, with personal data masked.")
    created_at: UtcTime = Field(description="When, UTC.")


class CaseStatus(StrEnum):
    """Where a case is."""

    ACCEPTED = "accepted"
    DECIDED = "decided"


class Case(Record):
    """Intent, understanding, opinions, decision and reviews: the unit that is stored, read and replayed."""

    id: str = Field(description="UUIDv7; equal to the intent's id.")
    status: CaseStatus = Field(description="accepted (recorded, being judged) or decided.")
    intent: Intent = Field(description="What was asked.")
    understanding: Understanding | None = Field(default=None, description="What was understood.")
    opinions: tuple[Opinion, ...] = Field(
        default=(), description="One per specialist that answered, in the order of their names."
    )
    decision: Decision | None = Field(default=None, description="The judgement.")
    reviews: tuple[Review, ...] = Field(default=(), description="Verdicts by people, oldest first.")
    decided_at: UtcTime | None = Field(default=None, description="When it was decided, UTC.")


class Page(Record):
    """One page of cases, newest first."""

    items: tuple[Case, ...] = Field(description="The cases.")
    next_cursor: str | None = Field(default=None, description="Pass as `cursor` for the next page; null at the end.")


class Verification(Record):
    """What `ledger verify` found."""

    ok: bool = Field(description="True if every entry and every link is intact.")
    checked: int = Field(ge=0, description="Number of entries checked.")
    first_broken: Annotated[str | None, Field(description="Id of the first entry that is not as it was written.")] = None
    reason: Annotated[str | None, Field(description="What is wrong with it.")] = None
