"""Events of cases as they happen, for whoever watches in this process; and the same events rebuilt from a recorded case."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from neural_hive.contracts import Case, Event, EventType, Intent, Opinion, Understanding


class LiveEvents:
    """Hands events to watchers. Publishing without a watcher costs a dictionary lookup."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, list[asyncio.Queue[Event]]] = defaultdict(list)

    def is_watched(self, case_id: str) -> bool:
        """True if somebody watches the case here."""
        return case_id in self._queues

    def watch(self, case_id: str) -> asyncio.Queue[Event]:
        """A queue that gets every event of the case from now on; give it back with `leave`."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._queues[case_id].append(queue)
        return queue

    def leave(self, case_id: str, queue: asyncio.Queue[Event]) -> None:
        """Stop watching."""
        self._queues[case_id].remove(queue)
        if not self._queues[case_id]:
            del self._queues[case_id]

    def publish(self, event: Event) -> None:
        """Hand an event to all who watch its case."""
        for queue in self._queues.get(event.case_id, ()):
            queue.put_nowait(event)


def event_of(intent: Intent, kind: EventType, data: dict[str, Any], at: datetime | None = None, part: str = "") -> Event:
    """An event with the id that the outbox gives the same event."""
    suffix = f":{part}" if part else ""
    return Event(
        id=f"{intent.id}:{kind}{suffix}",
        type=kind,
        tenant=intent.tenant,
        case_id=intent.id,
        at=at or datetime.now(UTC),
        data=data,
        trace=intent.trace,
    )


def understood_event(case: Case, understanding: Understanding) -> Event:
    """The text is understood."""
    return event_of(
        case.intent,
        EventType.UNDERSTOOD,
        understanding.model_dump(mode="json"),
        case.decided_at,
    )


def opinion_event(case: Case, opinion: Opinion) -> Event:
    """A specialist answered."""
    return event_of(
        case.intent,
        EventType.OPINION,
        opinion.model_dump(mode="json"),
        case.decided_at,
        opinion.specialist,
    )


def past_events(case: Case) -> list[Event]:
    """What a recorded case tells of its past, in order."""
    events = [event_of(case.intent, EventType.ACCEPTED, case.intent.model_dump(mode="json"), case.intent.received_at)]
    if case.decision is not None and case.understanding is not None:
        events.append(understood_event(case, case.understanding))
        events += [opinion_event(case, o) for o in case.opinions]
        events.append(event_of(case.intent, EventType.DECIDED, case.decision.model_dump(mode="json"), case.decided_at))
    return events
