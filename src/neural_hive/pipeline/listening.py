"""What the pipeline tells whoever listens: one call per stage, with units in the names. A listener must not raise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from neural_hive.contracts import Case, Event, Opinion, Understanding


class Listener(Protocol):
    """Hears what happens to intents; observability implements it."""

    def on_accepted(self, case: Case, duration_s: float) -> None:
        """The intent is recorded. duration_s: cleaning, masking and recording."""

    def on_resumed(self, case: Case) -> None:
        """A case that somebody accepted and nobody decided is taken up again, by the task that calls this."""

    def on_understood(self, case_id: str, understanding: Understanding, duration_s: float) -> None:
        """The text is understood. duration_s: waiting for a batch included."""

    def on_opinion(self, case_id: str, opinion: Opinion, duration_s: float) -> None:
        """A specialist answered."""

    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None:
        """A specialist gave no usable answer. reason: timeout, error, garbage or open_breaker."""

    def on_decided(self, case: Case, duration_s: float) -> None:
        """The decision is recorded. duration_s: from arrival to record."""

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """A stage failed; recovery will take the case up again."""

    def on_published(self, events: Sequence[Event], duration_s: float) -> None:
        """The bus has these events."""


class Silence:
    """A listener that hears nothing."""

    def on_accepted(self, case: Case, duration_s: float) -> None: ...
    def on_resumed(self, case: Case) -> None: ...
    def on_understood(self, case_id: str, understanding: Understanding, duration_s: float) -> None: ...
    def on_opinion(self, case_id: str, opinion: Opinion, duration_s: float) -> None: ...
    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None: ...
    def on_decided(self, case: Case, duration_s: float) -> None: ...
    def on_failed(self, case_id: str, stage: str, error: Exception) -> None: ...
    def on_published(self, events: Sequence[Event], duration_s: float) -> None: ...
