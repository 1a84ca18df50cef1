"""Asks all specialists at once and takes what comes within the deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from neural_hive.contracts import Brief, Opinion
from neural_hive.errors import HiveError, SpecialistError
from neural_hive.pipeline.listening import Listener
from neural_hive.specialists.engine import Facts, judge
from neural_hive.specialists.rubric import Rubric


class Specialist(Protocol):
    """One expert, wherever it lives."""

    name: str

    async def opinion(self, brief: Brief, timeout_s: float) -> Opinion:
        """Its opinion.

        Raises:
            SpecialistError: none that can be used came within `timeout_s`.
        """

    def state(self) -> dict[str, object]:
        """Where it is, which rubric it has, how it is."""

    async def close(self) -> None:
        """Let go of what it holds."""


class LocalSpecialist:
    """An expert in this process: a rubric and the engine."""

    def __init__(self, rubric: Rubric) -> None:
        self.name, self.rubric = rubric.specialist, rubric

    async def opinion(self, brief: Brief, timeout_s: float) -> Opinion:
        """Judged here and now; about a tenth of a millisecond."""
        return judge(self.rubric, brief)

    def opinion_now(self, brief: Brief, facts: Facts) -> Opinion:
        """The same, with what all of them need worked out once."""
        return judge(self.rubric, brief, facts)

    def state(self) -> dict[str, object]:
        """As the port says."""
        return {
            "name": self.name,
            "where": "inprocess://",
            "model": self.rubric.name,
            "concerns": [
                {"id": c.id, "severity": c.severity, "reference": c.reference, "title": dict(c.title)}
                for c in self.rubric.concerns
            ],
            "state": "closed",
        }

    async def close(self) -> None:
        """Nothing is held."""


class Panel:
    """The specialists of one hive."""

    def __init__(self, specialists: Mapping[str, Specialist], listener: Listener) -> None:
        self.specialists = dict(sorted(specialists.items()))
        self._listener = listener

    async def opinions(self, brief: Brief, deadline_s: float) -> AsyncIterator[Opinion]:
        """Opinions as they come, until all have answered or failed or `deadline_s` seconds are over."""
        local = [s for s in self.specialists.values() if isinstance(s, LocalSpecialist)]
        remote = [s for s in self.specialists.values() if not isinstance(s, LocalSpecialist)]
        tasks = [asyncio.create_task(self._ask(s, brief, deadline_s)) for s in remote]
        try:
            facts = Facts.of(brief)
            for specialist in local:
                opinion = self._ask_here(specialist, brief, facts)
                if opinion is not None:
                    yield opinion
            for task in asyncio.as_completed(tasks) if tasks else ():
                opinion = await task
                if opinion is not None:
                    yield opinion
        finally:
            for task in tasks:
                task.cancel()

    def _ask_here(self, specialist: LocalSpecialist, brief: Brief, facts: Facts) -> Opinion | None:
        started = time.perf_counter()
        try:
            opinion = specialist.opinion_now(brief, facts)
        except (HiveError, ValueError, ArithmeticError) as error:
            self._missed(brief, specialist, error, started)
            return None
        return self._heard(brief, opinion, started)

    async def _ask(self, specialist: Specialist, brief: Brief, deadline_s: float) -> Opinion | None:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(deadline_s):
                opinion = await specialist.opinion(brief, deadline_s)
            if opinion.specialist != specialist.name:
                raise SpecialistError(f"{specialist.name} answered as {opinion.specialist}", reason="garbage")
        except (HiveError, TimeoutError, ValueError, ArithmeticError) as error:
            self._missed(brief, specialist, error, started)
            return None
        return self._heard(brief, opinion, started)

    def _missed(self, brief: Brief, specialist: Specialist, error: Exception, started: float) -> None:
        reason = "timeout" if isinstance(error, TimeoutError) else getattr(error, "reason", "error")
        self._listener.on_silence(brief.id, specialist.name, reason, time.perf_counter() - started)

    def _heard(self, brief: Brief, opinion: Opinion, started: float) -> Opinion:
        duration_s = time.perf_counter() - started
        self._listener.on_opinion(brief.id, opinion, duration_s)
        return opinion.model_copy(update={"duration_ms": round(duration_s * 1e3, 3)})

    async def close(self) -> None:
        """Let go of all specialists."""
        for specialist in self.specialists.values():
            await specialist.close()
