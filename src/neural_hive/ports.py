"""What the hive needs from outside, by role.

The docstrings are the specification; `tests/contract` runs every promise on every product.

All methods are coroutines and safe to call concurrently. Unless a method says otherwise, a failed call raises
`StorageError` and retrying it is safe. `ping` raises within two seconds when the product cannot do its job.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from neural_hive.contracts import (
    Case,
    Decision,
    Event,
    Intent,
    Opinion,
    Outcome,
    Page,
    Review,
    SimilarCase,
    SystemContext,
    Understanding,
    Verification,
)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's promise that two requests are one.

    key: the caller's word, 1 to 200 characters. body_digest: SHA-256 of the canonical request body.
    """

    key: str
    body_digest: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to `Ledger.accept`: the case, and whether it was already there (same key, same body)."""

    case: Case
    is_existing: bool


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which cases to list. `text` matches words of the recorded text; `waiting` keeps those that wait for a person."""

    tenant: str
    limit: int = 50
    cursor: str | None = None
    outcome: Outcome | None = None
    domain: str | None = None
    text: str | None = None
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class CaseCount:
    """How many cases of one period had one outcome.

    period: number of the period, from 0. risk_sum: of their risks. n_reviewed: those with a verdict of a person;
    n_agreed: those whose last verdict is their outcome.
    """

    period: int
    outcome: Outcome
    n: int
    risk_sum: float
    n_reviewed: int
    n_agreed: int


class Ledger(Protocol):
    """The append-only, hash-chained record of cases, reviews and their events.

    Chain: every accepted intent, decision and review is one entry
    `{seq, kind, case_id, tenant, at, body, previous_hash}`; `hash` is the SHA-256 of the entry's canonical JSON;
    `previous_hash` of the first entry is 64 zeros. Entries are never
    changed or removed. Each append also puts its events into the outbox in the same transaction.
    """

    async def accept(self, intent: Intent, idempotency: IdempotencyKey | None = None, *, lease_s: float = 30.0) -> Accepted:
        """Record an intent before anything is done with it.

        Durable (synced) on return. The caller holds the case's lease for `lease_s` seconds. With an idempotency key
        that this tenant has used for the same body, returns the case as it is now and records nothing. The same
        intent twice is one case too, and a key that comes with it belongs to that case from then on. Neither
        changes the lease of a case that was there. An idempotency key is kept as long as its case.

        Raises:
            IdempotencyConflictError: the tenant used the key for another body. Do not retry.
            ConflictError: the id exists already with another content. Do not retry.
            UsageError: JSON cannot carry it (a lone surrogate, a number beyond 64 bits). Do not retry.
            OverloadedError: too much waits to be written. Retry after a while.
        """

    async def record_decision(
        self, case_id: str, understanding: Understanding, opinions: Sequence[Opinion], decision: Decision
    ) -> Case:
        """Record the decision of an accepted case, once. Durable on return.

        The returned case carries `decision.hash` and `decision.previous_hash` of its entry, whatever they were, and the
        opinions in the order of their specialists' names. If the case is already decided, records nothing and returns
        the case as first decided.

        Raises:
            NotFoundError: no such case.
        """

    async def add_review(self, tenant: str, case_id: str, review: Review) -> Case:
        """Append a person's verdict to a decided case. Durable on return. The same review id twice is recorded once.

        Raises:
            NotFoundError: no such case for this tenant.
            ConflictError: the case is not decided yet.
        """

    async def get(self, tenant: str, case_id: str) -> Case:
        """The case as recorded. Raises NotFoundError for another tenant's case too."""

    async def find(self, query: CaseQuery) -> Page:
        """Cases of one tenant, newest first (by id). A cursor from one page continues exactly after it.

        `text` finds the cases whose text has all its words, whatever their case and accents. `waiting` keeps the cases
        that were decided needs_review and whose last verdict, if any, says so too. At most 500 cases a page.
        """

    async def tally(self, tenant: str, since: datetime, period: timedelta) -> Sequence[CaseCount]:
        """How the decided cases of a tenant that were accepted at or after `since` were decided, by period and outcome.

        Periods are equally long and begin at `since`; those without a case are left out. Cases whose id is older than
        `since` may be left out. Nothing is sampled.
        """

    async def claim_unfinished(self, limit: int, lease_s: float) -> Sequence[Case]:
        """Accepted cases whose lease has run out, oldest first; each is leased to the caller for `lease_s` seconds.

        Two callers never get the same case while its lease holds. Used by recovery; finishing is idempotent anyway.
        """

    async def verify(self) -> Verification:
        """Read every entry and check hashes, links, order, and that each stored case equals its entries.

        `first_broken` is the number of an entry, in decimal; absent when what is damaged is not an entry. Others may
        write meanwhile. What nothing in the ledger itself can show is a history written anew from some entry on:
        compare a hash that somebody holds.
        """

    async def ping(self) -> None:
        """Raise if the ledger cannot be written."""


class Outbox(Protocol):
    """Events that were recorded with their case and wait to be published: the ledger's product and transaction."""

    async def pending(self, limit: int) -> Sequence[Event]:
        """Oldest unpublished events in order of recording; each case's events in order.

        Ids: `case:accepted`, `case:understood`, `case:opinion:specialist`, `case:decided`, `case:reviewed:review id`.
        An event's data is its part of the case: the intent, the understanding, an opinion, the decision with its
        hashes, the review.
        """

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        """Forget events that the bus has durably taken. Unknown ids are ignored."""

    async def depth(self) -> int:
        """Number of events that wait."""

    async def discard(self) -> None:
        """Forget every event that waits now; for a bus that nobody hears."""


class EventBus(Protocol):
    """Events between processes. At-least-once; the events of one case arrive in order."""

    async def publish(self, events: Sequence[Event]) -> None:
        """Durable on return, as far as the product can be; all or an error. Retrying may deliver twice."""

    async def is_heard(self) -> bool:
        """False if what is published now would reach nobody, now or later: then publishing can be left out."""

    def subscribe(self, group: str) -> AsyncIterator[Delivery]:
        """Events for a consumer group, each delivered to one member; undone deliveries come again.

        Ends when the iterator is closed; what this member was given and has not settled then goes to another one. A new
        group starts with the events published after this call. A group without a member for a day may be forgotten.
        Call it where an event loop runs.
        """

    async def ping(self) -> None:
        """Raise if events cannot be published."""


class Delivery(Protocol):
    """One event handed to a consumer."""

    event: Event

    async def done(self) -> None:
        """The work is durable; do not deliver this again to the group."""

    async def failed(self, reason: str) -> None:
        """Deliver again later; after five failures the event goes to the dead letters with its reason."""


class Cache(Protocol):
    """Short-lived values. Losing them costs time, never correctness."""

    async def get(self, key: str) -> bytes | None:
        """The value, or None if absent or expired."""

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep a value for at most `ttl_s` seconds."""

    async def delete(self, key: str) -> None:
        """Forget a value; absent is fine."""

    async def increment(self, key: str, ttl_s: float) -> int:
        """Add one atomically and return the new count; the first increment starts the time to live."""

    async def ping(self) -> None:
        """Raise if the cache cannot be used."""


@dataclass(frozen=True, slots=True)
class CatalogueEntity:
    """One entity of a Backstage-format catalogue.

    kind: Component, System, Resource, API, Group or Domain. aliases: other names in use. depends_on: entities' names.
    """

    name: str
    kind: str
    title: str = ""
    owner: str = ""
    lifecycle: str = ""
    aliases: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Related:
    """What is near a case in the graph: similar cases, and the systems it mentions."""

    similar: tuple[SimilarCase, ...]
    systems: tuple[SystemContext, ...]


class KnowledgeGraph(Protocol):
    """Systems, who owns them, what depends on what, which case mentions which, and which cases are alike."""

    async def put_entities(self, entities: Sequence[CatalogueEntity]) -> int:
        """Insert or replace catalogue entities by name, with their edges; returns how many.

        Dependencies on unknown names are kept as names.
        """

    async def names(self) -> dict[str, str]:
        """Every name, title and alias in lower case → entity name. For finding mentions in a text.

        Where two entities share one, a name wins over a title, a title over an alias.
        """

    async def systems(self, names: Sequence[str]) -> Sequence[SystemContext]:
        """Context of the named entities, in the order given; unknown names are left out. Cycles are fine."""

    async def link_case(self, case: Case, systems: Sequence[str], vector: bytes) -> None:
        """Remember a decided case, what it mentions and its sentence vector.

        vector: float16 little-endian, 512 × 2 bytes, L2-normalised.

        Idempotent per case; a later call updates outcome, verdict and mentions, and keeps the first vector.

        Raises:
            ConflictError: the case is not decided yet.
        """

    async def similar(self, tenant: str, vector: bytes, limit: int, *, exclude: str = "") -> Sequence[SimilarCase]:
        """Cases of the tenant most like the vector by cosine, from 0.6 up, most similar first; ties: last linked first.

        Exact up to a hundred cases; above that a product may search approximately.
        """

    async def related(self, tenant: str, case_id: str, limit: int = 5) -> Related:
        """What is near a linked case. Empty for a case that was never linked."""

    async def ping(self) -> None:
        """Raise if the graph cannot be read."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A model as a registry knows it: name, version, SHA-256 of its content, metrics, and where its files are."""

    name: str
    version: str
    digest: str
    metrics: dict[str, float]
    path: Path


class ModelRegistry(Protocol):
    """Trained models by name and alias.

    fallbacks: name → why the bundled model serves instead of the registry's; empty while all is well.
    """

    fallbacks: dict[str, str]

    async def champion(self, name: str) -> ModelVersion:
        """The version to serve. Files are local and checked against `digest` on return.

        Raises:
            ModelError: there is none, or it does not match its digest.
        """

    async def register(self, name: str, path: Path, metrics: dict[str, float], tags: dict[str, Any]) -> ModelVersion:
        """Add a version (not yet champion). The same content twice is one version."""

    async def promote(self, name: str, version: str) -> None:
        """Make a version the champion.

        Raises:
            NotFoundError: there is no such version.
        """

    async def ping(self) -> None:
        """Raise if the registry cannot be read."""
