"""What happens to an intent, in order: record, judge, record, tell. Whatever dies in between, `finish` takes it up again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from neural_hive.canonical import digest
from neural_hive.contracts import Ask, Caller, Case, CaseStatus, EventType, Intent, PiiMention, Record, Transcript
from neural_hive.errors import HiveError, UnavailableError
from neural_hive.pipeline.intake import Intake
from neural_hive.pipeline.judging import Judge, Judgement, Thought
from neural_hive.pipeline.listening import Listener
from neural_hive.pipeline.live import LiveEvents, event_of, opinion_event, understood_event
from neural_hive.ports import IdempotencyKey, Ledger
from neural_hive.understanding.privacy import mentions

#: After a decision is recorded, told to whoever files it away (the graph); must not raise.
OnJudged = Callable[[Case, Judgement], None]


_LATE = "The ledger did not answer in time; nothing was acknowledged. Send it again, with an Idempotency-Key."


class Pipeline:
    """The order of work for one intent."""

    def __init__(
        self,
        ledger: Ledger,
        intake: Intake,
        judge: Judge,
        live: LiveEvents,
        listener: Listener,
        *,
        deadline_s: float,
        lease_s: float,
        on_judged: OnJudged,
        has_workers: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """has_workers: whether somebody else judges what is left to be judged later; absent, it is judged here."""
        self._ledger, self._intake, self._judge, self._live, self._listener = ledger, intake, judge, live, listener
        self._deadline_s, self._lease_s, self._on_judged = deadline_s, lease_s, on_judged
        self._has_workers = has_workers
        self._working: dict[str, asyncio.Task[Case]] = {}

    @property
    def n_working(self) -> int:
        """Cases that are being judged in the background."""
        return len(self._working)

    async def ask(
        self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None, transcript: Transcript | None = None
    ) -> Case:
        """Record, judge, record; the decided case.

        Raises:
            UnavailableError: the ledger did not answer within the deadline. What it may have recorded is finished later.
        """
        due_s = time.perf_counter() + self._deadline_s
        async with self._in_time():
            return await self._ask(ask, caller, idempotency, transcript, due_s)

    async def _ask(
        self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None, transcript: Transcript | None, due_s: float
    ) -> Case:
        intent, pii = self._intake.intent(ask, caller, transcript)
        thought = self._judge.begin(intent, pii)  # while the ledger syncs; nothing of it leaves before the intent is durable
        try:
            case, is_existing = await self._accept(intent, idempotency)
        except BaseException:
            thought.drop()
            raise
        if not is_existing:
            return await self._finish(case, pii, thought, due_s)
        thought.drop()
        if case.status is CaseStatus.DECIDED:
            return case
        working = self._working.get(case.id)
        return await asyncio.shield(working) if working else await self.finish(case)

    async def submit(
        self, ask: Ask, caller: Caller, idempotency: IdempotencyKey | None = None, transcript: Transcript | None = None
    ) -> Case:
        """Record, and leave it to a worker or judge in the background; the accepted case, or the existing one as it is.

        Raises:
            UnavailableError: as `ask`.
        """
        async with self._in_time():
            is_left = self._has_workers is not None and await self._has_workers()
            intent, pii = self._intake.intent(ask, caller, transcript)
            if is_left:
                intent = intent.model_copy(update={"is_deferred": True})
            case, is_existing = await self._accept(intent, idempotency)
        if not is_existing and not is_left:
            task = asyncio.create_task(self._finish(case, pii), name=f"case {case.id}")
            self._working[case.id] = task
            task.add_done_callback(lambda done: self._forget(case.id, done))
        return case

    async def finish(self, case: Case) -> Case:
        """Finish a case that somebody accepted and nobody decided. Doing it twice decides once."""
        self._listener.on_resumed(case)
        return await self._finish(case, mentions(case.intent.text))

    async def drain(self, timeout_s: float) -> None:
        """Wait for background work, at most `timeout_s` seconds; what is left is finished by recovery."""
        if self._working:
            await asyncio.wait(list(self._working.values()), timeout=timeout_s)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline_s):
                yield
        except TimeoutError:
            raise UnavailableError(_LATE) from None

    async def _accept(self, intent: Intent, idempotency: IdempotencyKey | None) -> tuple[Case, bool]:
        """Record an intent; its case, and whether that was there before."""
        started = time.perf_counter()
        accepted = await self._ledger.accept(intent, _without_words(idempotency), lease_s=self._lease_s)
        if not accepted.is_existing:
            self._listener.on_accepted(accepted.case, time.perf_counter() - started)
            self._tell(intent, EventType.ACCEPTED, intent)
        return accepted.case, accepted.is_existing

    async def _finish(
        self, case: Case, pii: tuple[PiiMention, ...], thought: Thought | None = None, due_s: float | None = None
    ) -> Case:
        """due_s: when somebody who waits must have the decision, by `time.perf_counter`; nobody waits where it is None."""
        started = time.perf_counter()
        watched = self._live.is_watched
        try:
            judgement = await self._judge.judge(
                case.intent,
                pii,
                self._deadline_s if due_s is None else due_s - started,
                lambda u: self._live.publish(understood_event(case, u)) if watched(case.id) else None,
                lambda o: self._live.publish(opinion_event(case, o)) if watched(case.id) else None,
                thought=thought,
            )
            decided = await self._ledger.record_decision(case.id, judgement.understanding, judgement.opinions, judgement.decision)
        except HiveError as error:
            self._listener.on_failed(case.id, "finish", error)
            raise
        if decided.decision is not None and watched(case.id):
            self._tell(case.intent, EventType.DECIDED, decided.decision)
        self._listener.on_decided(decided, time.perf_counter() - started)
        self._on_judged(decided, judgement)
        return decided

    def _tell(self, intent: Intent, kind: EventType, part: Record) -> None:
        if self._live.is_watched(intent.id):
            self._live.publish(event_of(intent, kind, part.model_dump(mode="json")))

    def _forget(self, case_id: str, done: asyncio.Task[Case]) -> None:
        self._working.pop(case_id, None)
        if not done.cancelled() and isinstance(done.exception(), Exception) and not isinstance(done.exception(), HiveError):
            self._listener.on_failed(case_id, "background", done.exception())  # type: ignore[arg-type]


def _without_words(idempotency: IdempotencyKey | None) -> IdempotencyKey | None:
    """The key as it may be kept: a caller may have made it from somebody's name or number."""
    return idempotency and replace(idempotency, key=digest(idempotency.key.encode()))
