"""Several observers as one."""

from __future__ import annotations

from neural_hive.observability.observer import HEARD, Listeners, Observer
from neural_hive.pipeline.listening import Listener


class Deaf(Observer):
    """Hears nothing."""


class Broken(Observer):
    """Fails at what it hears."""

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """Fails."""
        raise ValueError("of its own")


class Noting(Observer):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """Notes the stage."""
        self.heard.append(stage)


def test_it_is_what_the_pipeline_talks_to() -> None:
    listener: Listener = Listeners()
    assert all(hasattr(listener, event) and hasattr(Observer, event) for event in HEARD)
    spoken = {name for name in vars(Listener) if name.startswith("on_")}
    assert spoken <= set(HEARD)


def test_one_that_raises_is_counted_and_keeps_nobody_from_hearing() -> None:
    noting = Noting()
    listeners = Listeners(Broken(), noting)
    for _ in range(3):
        listeners.on_failed("c", "outbox", OSError())
    assert noting.heard == ["outbox"] * 3
    assert listeners.n_failures == {"Broken": 3, "Noting": 0}


def test_who_does_not_listen_is_not_called() -> None:
    listeners = Listeners(Deaf(), Noting())
    assert not listeners._on_decided
    assert len(listeners._on_failed) == 1
