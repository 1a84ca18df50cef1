"""What the bodies of entries hold, and how cases and events are read back. Pure; for every ledger product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError

from neural_hive.canonical import canonical_json
from neural_hive.contracts import (
    Case,
    CaseStatus,
    Decision,
    Event,
    EventType,
    Intent,
    Opinion,
    Outcome,
    Record,
    Review,
    Understanding,
)
from neural_hive.errors import StorageError, UsageError
from neural_hive.storage.ledger.chain import Draft, Entry, EntryKind


class Judgement(Record):
    """The body of a decided entry; the decision's own hashes are empty in it, because they are the entry's."""

    understanding: Understanding
    opinions: tuple[Opinion, ...]
    decision: Decision


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a case needs of its decided entry. `body` is the JSON of a Judgement, `at` as in the entry."""

    body: str | bytes
    hash: str
    previous_hash: str
    at: str


@dataclass(frozen=True, slots=True)
class CaseRows:
    """A case as its entries hold it: accepted body, decided entry if any, bodies of the reviews in order."""

    accepted: str | bytes
    decided: Sealed | None = None
    reviews: tuple[str | bytes, ...] = ()


def body(record: Record) -> bytes:
    """The canonical JSON of a record.

    Raises:
        UsageError: it holds something that JSON cannot carry, such as a lone surrogate or a number beyond 64 bits.
    """
    try:
        return canonical_json(record.model_dump(mode="json"))
    except (TypeError, ValueError) as error:
        raise UsageError(f"This cannot be recorded as JSON ({error}); correct the text, context or constraints.") from error


def judgement(understanding: Understanding, opinions: Iterable[Opinion], decision: Decision) -> Judgement:
    """What a decided entry holds: the opinions in the order of their specialists' names, decision without hashes."""
    ordered = tuple(sorted(opinions, key=lambda opinion: opinion.specialist))
    unsealed = decision.model_copy(update={"hash": "", "previous_hash": ""})
    return Judgement(understanding=understanding, opinions=ordered, decision=unsealed)


def utc_text(at: datetime) -> str:
    """`at` as entries write it: `2026-01-31T12:00:00.000000Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def waits_for_a_person(outcome: str, last_verdict: str | None) -> bool:
    """Whether a decided case is in the review queue: it needs review and nobody has said anything else yet."""
    return outcome == Outcome.NEEDS_REVIEW and last_verdict in (None, Outcome.NEEDS_REVIEW)


def case_from(rows: CaseRows) -> Case:
    """The case that its entries describe.

    Raises:
        StorageError: an entry does not hold what it should; it was damaged or changed.
    """
    try:
        intent = Intent.model_validate_json(rows.accepted)
        reviews = tuple(Review.model_validate_json(text) for text in rows.reviews)
        if rows.decided is None:
            return Case(id=intent.id, status=CaseStatus.ACCEPTED, intent=intent, reviews=reviews)
        judged = Judgement.model_validate_json(rows.decided.body)
    except ValidationError as error:
        raise StorageError("A case in the ledger is not as it was recorded; run `hive ledger verify`.") from error
    return decided_case(intent, judged, rows.decided, reviews)


def decided_case(intent: Intent, judged: Judgement, sealed: Sealed, reviews: Sequence[Review] = ()) -> Case:
    """A decided case, with the hashes of its decided entry in the decision."""
    hashes = {"hash": sealed.hash, "previous_hash": sealed.previous_hash}
    return Case(
        id=intent.id,
        status=CaseStatus.DECIDED,
        intent=intent,
        understanding=judged.understanding,
        opinions=judged.opinions,
        decision=judged.decision.model_copy(update=hashes),
        reviews=tuple(reviews),
        decided_at=datetime.fromisoformat(sealed.at),
    )


def event_part(kind: EventType, detail: str = "") -> str:
    """An event's id after `case:`: its type, then `:specialist` for an opinion and `:review id` for a review."""
    return f"{kind}:{detail}" if detail else kind.value


def decided_event_parts(opinions: Iterable[Opinion]) -> list[str]:
    """The events that a decision brings, in order, each as its `event_part`."""
    names = sorted(opinion.specialist for opinion in opinions)
    spoken = [event_part(EventType.OPINION, name) for name in names]
    return [event_part(EventType.UNDERSTOOD), *spoken, event_part(EventType.DECIDED)]


def events(entry: Entry, trace: str) -> Iterator[Event]:
    """The events that an entry stands for, in order, each with its part of the case. trace: of the case's intent."""
    draft, data = entry.draft, orjson.loads(entry.draft.body)
    match draft.kind:
        case EntryKind.ACCEPTED:
            yield _event(draft, trace, EventType.ACCEPTED, data)
        case EntryKind.REVIEWED:
            yield _event(draft, trace, EventType.REVIEWED, data, data["id"])
        case _:
            yield _event(draft, trace, EventType.UNDERSTOOD, data["understanding"])
            for opinion in data["opinions"]:
                yield _event(draft, trace, EventType.OPINION, opinion, opinion["specialist"])
            hashes = {"hash": entry.hash, "previous_hash": entry.previous_hash}
            yield _event(draft, trace, EventType.DECIDED, data["decision"] | hashes)


def _event(draft: Draft, trace: str, kind: EventType, data: dict[str, Any], detail: str = "") -> Event:
    return Event(
        id=f"{draft.case_id}:{event_part(kind, detail)}",
        type=kind,
        tenant=draft.tenant,
        case_id=draft.case_id,
        at=datetime.fromisoformat(draft.at),
        data=data,
        trace=trace,
    )
