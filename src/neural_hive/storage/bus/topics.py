"""The one table of Kafka topics and headers. Charts, code and docs take the names from here."""

from __future__ import annotations

from dataclasses import dataclass

#: First part of every topic's name, unless the bus URL names another.
DEFAULT_PREFIX = "hive"

#: What a topic's name ends with → what it carries.
TOPICS: dict[str, str] = {
    "events": "Every event of every case, keyed by case id.",
    "events.retry": "Events that a consumer group failed to handle and will get again; same partition as in `events`.",
    "events.dead": "Events that a consumer group gave up, with the reason of the last failure.",
}

#: Header → what it holds. All are UTF-8 text.
HEADERS: dict[str, str] = {
    "traceparent": "W3C trace context of the request that caused the event; left out when there is none.",
    "event-id": "The event's stable id, the same on every delivery.",
    "event-type": "accepted, understood, opinion, decided or reviewed.",
    "tenant": "Whose case.",
    "group": "Retry and dead letters: the consumer group that failed.",
    "failures": "Retry and dead letters: how often it failed.",
    "reason": "Retry and dead letters: why it failed the last time.",
}


@dataclass(frozen=True, slots=True)
class Topics:
    """The full names of the topics of one hive. Its consumer groups have the prefix too."""

    prefix: str
    events: str
    retry: str
    dead: str

    @property
    def all(self) -> tuple[str, str, str]:
        """Every name, in the order of the table."""
        return self.events, self.retry, self.dead


def topics(prefix: str = DEFAULT_PREFIX) -> Topics:
    """The topics of the hive with this prefix."""
    return Topics(prefix, *(f"{prefix}.{name}" for name in TOPICS))
