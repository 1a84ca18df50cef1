"""What the gateway needs of a hive. `neural_hive.hive.Hive` has it; tests bring their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from neural_hive.contracts import Ask, Caller, Case, Event, Outcome, Page, Transcript, Verification
from neural_hive.ports import Cache, CaseCount, CaseQuery, IdempotencyKey, Related
from neural_hive.settings import Settings

if TYPE_CHECKING:
    from neural_hive.understanding.speech.streaming import Heard


class JudgingHive(Protocol):
    """A hive that is open. Every method raises `HiveError` where it cannot do its work; nothing else."""

    @property
    def settings(self) -> Settings:
        """What the hive was opened with."""

    @property
    def cache(self) -> Cache:
        """Where rate limits are counted, shared by all replicas."""

    async def ask(self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None) -> Case:
        """Record, judge, record; the decided case. With a known key, the case it belongs to."""

    async def submit(self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None) -> Case:
        """Record, and judge later; the accepted case. With a known key, the case it belongs to."""

    async def case(self, tenant: str, case_id: str) -> Case:
        """The case as recorded. Raises NotFoundError for another tenant's case too."""

    async def cases(self, query: CaseQuery) -> Page:
        """Cases of one tenant, newest first."""

    async def tally(self, tenant: str, since: datetime, period: timedelta) -> Sequence[CaseCount]:
        """Decided cases of one tenant by period and outcome. See `Ledger.tally`."""

    async def review(self, tenant: str, case_id: str, *, reviewer: str, verdict: Outcome, comment: str) -> Case:
        """Record a person's verdict; the case with it."""

    def events(self, tenant: str, case_id: str) -> AsyncIterator[Event]:
        """What happened to the case, then what happens; ends after `decided`. NotFoundError comes at the first step."""

    async def related(self, tenant: str, case_id: str) -> Related:
        """What is near the case in the graph."""

    async def verify(self) -> Verification:
        """Check the whole ledger."""

    def export(self, tenant: str | None) -> AsyncIterator[dict[str, Any]]:
        """Every ledger entry, in order, as `chain.export_row`; of one tenant if one is named."""

    def models(self) -> Mapping[str, str]:
        """Content hashes of everything that judges, by name, 16 hex digits each."""

    def specialists(self) -> list[dict[str, Any]]:
        """Name, place, model, concerns and state of each specialist."""

    async def readiness(self) -> dict[str, Any]:
        """`{"ready": bool, "dependencies": {name: {"status": "ok" | "degraded", "detail": str}}}`."""

    async def metrics(self) -> bytes:
        """All metrics in Prometheus' text format."""


class ListeningHive(JudgingHive, Protocol):
    """A hive that can also hear."""

    async def transcribe(
        self, audio: bytes, *, language: str | None, vocabulary: Sequence[str] = (), word_times: bool = False
    ) -> Transcript:
        """What was said. Raises UnavailableError without a speech model, AudioRejectedError for no recording."""

    async def ask(
        self,
        ask: Ask,
        caller: Caller,
        idempotency: IdempotencyKey | None = None,
        transcript: Transcript | None = None,
    ) -> Case:
        """As `JudgingHive.ask`; the transcript is recorded with the intent."""

    async def submit(
        self,
        ask: Ask,
        caller: Caller,
        idempotency: IdempotencyKey | None = None,
        transcript: Transcript | None = None,
    ) -> Case:
        """As `JudgingHive.submit`; the transcript is recorded with the intent."""

    def listen(
        self, chunks: AsyncIterator[bytes], *, language: str | None = None, vocabulary: Sequence[str] = ()
    ) -> AsyncIterator[Heard]:
        """What is being said in 16-bit PCM, mono, 16 kHz, as it is said. Raises as `transcribe`."""
