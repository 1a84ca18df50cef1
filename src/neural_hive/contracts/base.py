"""What all records share: frozen, closed, and every score a finite number in [0, 1]."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer


class Record(BaseModel):
    """An immutable record that crosses a boundary; unknown fields are an error, NaN and infinities too."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=False)


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs a time zone; write it as 2026-01-31T12:00:00Z")
    return value.astimezone(UTC)


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


#: An aware time in UTC, written as `2026-01-31T12:00:00.000000Z`.
UtcTime = Annotated[datetime, AfterValidator(_utc), PlainSerializer(_iso, when_used="json")]
#: A score in [0, 1]; what it scores is in the field's name.
Score = Annotated[float, Field(ge=0.0, le=1.0)]


class Outcome(StrEnum):
    """What the hive decides, and what a specialist recommends, from most to least permissive."""

    APPROVED = "approved"
    CONDITIONAL = "conditional"
    NEEDS_REVIEW = "needs_review"
    REJECTED = "rejected"


#: Least permissive last: `SEVERITY_ORDER.index` compares two outcomes.
SEVERITY_ORDER: tuple[Outcome, ...] = (
    Outcome.APPROVED,
    Outcome.CONDITIONAL,
    Outcome.NEEDS_REVIEW,
    Outcome.REJECTED,
)


class Language(StrEnum):
    """The languages the hive is equally good at."""

    PT = "pt"
    EN = "en"
    ES = "es"


class Domain(StrEnum):
    """What part of a company's life an intent belongs to; `unknown` means the hive has no business judging it."""

    BUSINESS = "business"
    TECHNICAL = "technical"
    INFRASTRUCTURE = "infrastructure"
    SECURITY = "security"
    BEHAVIOR = "behavior"
    OPERATIONAL = "operational"
    COMPLIANCE = "compliance"
    UNKNOWN = "unknown"


class SpecialistName(StrEnum):
    """The five experts."""

    BUSINESS = "business"
    TECHNICAL = "technical"
    BEHAVIOR = "behavior"
    EVOLUTION = "evolution"
    ARCHITECTURE = "architecture"
