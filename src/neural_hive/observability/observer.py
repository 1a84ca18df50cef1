"""What can be observed, and the fan-out that lets several observers hear it as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from neural_hive.contracts import Case, Event, Opinion, Transcript, Understanding
from neural_hive.observability.arrivals import Answered

logger = structlog.get_logger(__name__)

#: Everything that observers hear, by method.
HEARD = (
    "on_accepted",
    "on_resumed",
    "on_understood",
    "on_opinion",
    "on_silence",
    "on_decided",
    "on_failed",
    "on_published",
    "on_reviewed",
    "on_heard",
    "on_answered",
)
#: A failing observer is logged at its first failure and then at every so-many-th.
_LOGGED_EVERY = 1_000


class Observer:
    """Hears nothing; observers override what they want to hear. A twin of `pipeline.listening.Listener`, and more.

    Called on the event loop, on the hot path: must not block. What it raises is contained by `Listeners`.
    """

    def on_accepted(self, case: Case, duration_s: float) -> None:
        """The intent is recorded. duration_s: cleaning, masking and recording."""

    def on_resumed(self, case: Case) -> None:
        """A case that somebody accepted and nobody decided is taken up again."""

    def on_understood(self, case_id: str, understanding: Understanding, duration_s: float) -> None:
        """The text is understood. duration_s: waiting for a batch included."""

    def on_opinion(self, case_id: str, opinion: Opinion, duration_s: float) -> None:
        """A specialist answered."""

    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None:
        """A specialist gave no usable answer. reason: timeout, error, garbage or open_breaker."""

    def on_decided(self, case: Case, duration_s: float) -> None:
        """The decision is recorded. duration_s: from acceptance to record."""

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """A stage failed; recovery will take the case up again."""

    def on_published(self, events: Sequence[Event], duration_s: float) -> None:
        """The bus has these events."""

    def on_reviewed(self, case: Case) -> None:
        """A person's verdict, the last of the case's reviews, is recorded."""

    def on_heard(self, transcript: Transcript) -> None:
        """A recording was transcribed."""

    def on_answered(self, answered: Answered) -> None:
        """An HTTP request was answered."""

    def hears(self, event: str) -> bool:
        """Whether it wants to be called for `event`, a name of HEARD; asked once."""
        return getattr(type(self), event) is not getattr(Observer, event)


class Listeners:
    """Several observers as one. One that raises is contained, counted, and does not keep the others from hearing."""

    def __init__(self, *observers: Observer) -> None:
        self.n_failures: dict[str, int] = {type(o).__name__: 0 for o in observers}
        for event in HEARD:
            setattr(self, f"_{event}", tuple(getattr(o, event) for o in observers if o.hears(event)))

    _on_accepted: tuple[Callable[..., None], ...]
    _on_resumed: tuple[Callable[..., None], ...]
    _on_understood: tuple[Callable[..., None], ...]
    _on_opinion: tuple[Callable[..., None], ...]
    _on_silence: tuple[Callable[..., None], ...]
    _on_decided: tuple[Callable[..., None], ...]
    _on_failed: tuple[Callable[..., None], ...]
    _on_published: tuple[Callable[..., None], ...]
    _on_reviewed: tuple[Callable[..., None], ...]
    _on_heard: tuple[Callable[..., None], ...]
    _on_answered: tuple[Callable[..., None], ...]

    def on_accepted(self, case: Case, duration_s: float) -> None:
        """As `Observer.on_accepted`."""
        self._tell(self._on_accepted, case, duration_s)

    def on_resumed(self, case: Case) -> None:
        """As `Observer.on_resumed`."""
        self._tell(self._on_resumed, case)

    def on_understood(self, case_id: str, understanding: Understanding, duration_s: float) -> None:
        """As `Observer.on_understood`."""
        self._tell(self._on_understood, case_id, understanding, duration_s)

    def on_opinion(self, case_id: str, opinion: Opinion, duration_s: float) -> None:
        """As `Observer.on_opinion`."""
        self._tell(self._on_opinion, case_id, opinion, duration_s)

    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None:
        """As `Observer.on_silence`."""
        self._tell(self._on_silence, case_id, specialist, reason, duration_s)

    def on_decided(self, case: Case, duration_s: float) -> None:
        """As `Observer.on_decided`."""
        self._tell(self._on_decided, case, duration_s)

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """As `Observer.on_failed`."""
        self._tell(self._on_failed, case_id, stage, error)

    def on_published(self, events: Sequence[Event], duration_s: float) -> None:
        """As `Observer.on_published`."""
        self._tell(self._on_published, events, duration_s)

    def on_reviewed(self, case: Case) -> None:
        """As `Observer.on_reviewed`."""
        self._tell(self._on_reviewed, case)

    def on_heard(self, transcript: Transcript) -> None:
        """As `Observer.on_heard`."""
        self._tell(self._on_heard, transcript)

    def on_answered(self, answered: Answered) -> None:
        """As `Observer.on_answered`."""
        self._tell(self._on_answered, answered)

    def _tell(self, hearers: tuple[Callable[..., None], ...], *said: Any) -> None:
        for hear in hearers:
            try:
                hear(*said)
            except Exception as error:  # noqa: BLE001 - whoever watches must never break the work it watches
                self._contain(hear, error)

    def _contain(self, hear: Any, error: Exception) -> None:
        name = type(hear.__self__).__name__
        self.n_failures[name] += 1
        if self.n_failures[name] % _LOGGED_EVERY == 1:
            logger.error("listener_failed", listener=name, heard=hear.__name__, exc_info=error)
