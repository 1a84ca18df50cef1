"""What happened to a case, in the past tense; carried by the outbox, the bus and the SSE stream."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from neural_hive.contracts.base import Record, UtcTime


class EventType(StrEnum):
    """Kinds of event, in the order they happen."""

    ACCEPTED = "accepted"
    UNDERSTOOD = "understood"
    OPINION = "opinion"
    DECIDED = "decided"
    REVIEWED = "reviewed"


class Event(Record):
    """One thing that happened to a case. Delivered at least once; `id` tells duplicates apart."""

    id: str = Field(description="Stable id, the same on every delivery.")
    type: EventType = Field(description="What happened.")
    tenant: str = Field(description="Whose case.")
    case_id: str = Field(description="Which case; also the partition key, so that one case's events stay in order.")
    at: UtcTime = Field(description="When it happened, UTC.")
    data: dict[str, Any] = Field(default_factory=dict, description="Part of the case that the event is about; masked.")
    trace: str = Field(default="", description="W3C traceparent of the request that caused it, or empty.")
