"""A specialist in another process: asked in batches, within a deadline, at most so often, and never believed blindly."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from neural_hive.contracts import Brief, Opinion
from neural_hive.errors import SpecialistError
from neural_hive.pipeline.breaker import Breaker, BreakerRules, Permit, RetryBudget
from neural_hive.pipeline.connections import Post
from neural_hive.pipeline.courier import Courier
from neural_hive.pipeline.opinion_client import Address, OpinionClient, RefusedError

#: Share of an attempt's time limit from which an answer counts as slow.
SLOW_SHARE = 0.5
#: Longest pause before a retry, in seconds; the pause is drawn evenly from zero to it ("full jitter").
#: Source: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
MAX_PAUSE_S = 0.05
#: Ends of a traceparent whose trace is recorded: the last bit is set. Source: W3C Trace Context, section 3.2.2.5.
_RECORDED = tuple("13579bdf")
#: Share of the caller's time that is used; the rest is for handing the failure over before the caller gives up by itself.
_USED_SHARE = 0.98


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often to try.

    attempt_s: longest one attempt may take, in seconds. n_retries: attempts after the first, while the budget lasts.
    """

    attempt_s: float = 1.5
    n_retries: int = 1


@dataclass(frozen=True, slots=True)
class _Question:
    """A brief and the traceparent of the request that it is asked for."""

    brief: Brief
    trace: str


class RemoteSpecialist:
    """Implements `panel.Specialist` over HTTP."""

    def __init__(
        self,
        address: Address,
        patience: Patience,
        *,
        trace: Callable[[], str] = str,
        post: Post | None = None,
        clock: Callable[[], float] | None = None,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """trace: gives the traceparent of the work that the present task does, or an empty text.

        post, clock, dice: instead of the network, the loop's time and chance.
        """
        self.name, self._address, self._patience = address.name, address, patience
        self._trace, self._dice = trace, dice
        self._clock = clock or asyncio.get_running_loop().time
        self._client = OpinionClient(address, post)
        self._courier: Courier[_Question, Opinion] = Courier(self._send, patience.attempt_s)
        self._breaker = Breaker(BreakerRules(slow_s=SLOW_SHARE * patience.attempt_s), self._clock, dice)
        self._budget = RetryBudget()
        self._model = self._last_error = ""

    async def opinion(self, brief: Brief, timeout_s: float) -> Opinion:
        """As the port says; retries included, it takes no longer than `timeout_s`.

        Raises:
            SpecialistError: `reason` is timeout, error, garbage or open_breaker.
        """
        due_s = self._clock() + _USED_SHARE * timeout_s
        question = _Question(brief, self._trace())
        self._budget.on_call()
        n_left = self._patience.n_retries
        while True:
            try:
                return await self._attempt(question, due_s, is_retry=n_left < self._patience.n_retries)
            except SpecialistError as error:
                pause_s = self._dice() * MAX_PAUSE_S
                if n_left == 0 or not self._may_retry(error, due_s - pause_s):
                    raise
            n_left -= 1
            await asyncio.sleep(pause_s)

    def state(self) -> dict[str, object]:
        """As the port says; `last_error` is there if the last attempt failed."""
        told: dict[str, object] = {
            "name": self.name,
            "where": self._address.url,
            "model": self._model,
            "state": self._breaker.state.value,
        }
        return told | ({"last_error": self._last_error} if self._last_error else {})

    async def close(self) -> None:
        """Give up what is under way and close the connections."""
        await self._courier.close()
        await self._client.close()

    def _may_retry(self, error: SpecialistError, due_s: float) -> bool:
        is_hopeless = isinstance(error, RefusedError) or error.reason == "open_breaker"
        return not is_hopeless and self._clock() < due_s and self._budget.take()

    async def _attempt(self, question: _Question, due_s: float, *, is_retry: bool) -> Opinion:
        permit = self._breaker.enter()
        if permit is None:
            raise SpecialistError(f"{self.name}: it failed too often and is not asked for now", reason="open_breaker")
        time_s = min(self._patience.attempt_s, due_s - self._clock())
        try:
            opinion = await self._courier.carry(question, time_s, is_alone=is_retry)
        except TimeoutError:
            error = SpecialistError(self._address.say(f"no answer within {time_s:.3g} s"), reason="timeout")
            self._on_failure(error, permit, time_s)
            raise error from None
        except SpecialistError as error:
            self._on_failure(error, permit, time_s)
            raise
        except asyncio.CancelledError:
            permit.void()
            raise
        permit.good()
        self._model, self._last_error = opinion.model, ""
        return opinion

    def _on_failure(self, error: SpecialistError, permit: Permit, time_s: float) -> None:
        """Count a failed attempt. Running out of a time that was too short from the start is not the specialist's fault."""
        self._last_error = str(error)
        if error.reason != "timeout" or time_s >= SLOW_SHARE * self._patience.attempt_s:
            permit.bad()
        else:
            permit.void()

    async def _send(self, questions: Sequence[_Question], timeout_s: float) -> Sequence[Opinion]:
        """One request; it carries the trace of the first question whose trace is recorded, else the first."""
        trace = next((q.trace for q in questions if q.trace.endswith(_RECORDED)), questions[0].trace)
        return await self._client.ask([q.brief for q in questions], timeout_s, trace)
