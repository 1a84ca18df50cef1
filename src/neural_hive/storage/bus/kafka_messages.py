"""Kafka messages: what an event becomes, and what is read back from a message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from neural_hive.canonical import canonical_json
from neural_hive.contracts import Event

#: Longest reason that a header carries, in characters.
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Headers:
    """What the headers of a message say of a failure; the defaults are those of a message that never failed."""

    group: str = ""
    n_failures: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send. partition: chosen by the key when it is None."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    partition: int | None = None

    def arguments(self) -> dict[str, Any]:
        """As the producer takes it."""
        return {
            "topic": self.topic,
            "key": self.key,
            "value": self.value,
            "headers": list(self.headers),
            "partition": self.partition,
        }


def encode(event: Event, topic: str) -> Message:
    """The message that carries `event`: canonical JSON, keyed by case."""
    named = {"event-id": event.id, "event-type": event.type.value, "tenant": event.tenant, "traceparent": event.trace}
    headers = tuple((name, value.encode()) for name, value in named.items() if value)
    return Message(topic, event.case_id.encode(), canonical_json(event.model_dump(mode="json")), headers)


def failure(message: Message, failed: Headers, partition: int | None = None) -> Message:
    """`message` with the headers of a failure, for a partition of its topic."""
    reason = failed.reason[:MAX_REASON]
    named = {"group": failed.group, "failures": str(failed.n_failures), "reason": reason}
    more = tuple((name, value.encode(errors="replace")) for name, value in named.items())
    return replace(message, headers=message.headers + more, partition=partition)


def headers_of(record: ConsumerRecord) -> Headers:
    """What the headers of a message that was read say of a failure."""
    named = {name: value.decode(errors="replace") for name, value in record.headers}
    failures = named.get("failures", "0")
    return Headers(named.get("group", ""), int(failures) if failures.isdecimal() else 0, named.get("reason", ""))


def read_event(value: bytes | None) -> Event | None:
    """The event of a message, or None when it holds none."""
    try:
        return Event.model_validate_json(value or b"")
    except ValidationError:
        return None
