"""Cases to observe, and logging put back as it was."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from neural_hive.contracts import (
    Case,
    CaseStatus,
    Channel,
    Decision,
    Domain,
    Frame,
    Intent,
    Opinion,
    Outcome,
    Quorum,
    Review,
    Status,
    Understanding,
)
from neural_hive.observability.arrivals import ARRIVAL, NOWHERE

CASE_ID = "01934f3a-7c1e-7b42-9d0e-3f6c5a1b2d4e"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECRET_TEXT = "Apagar a conta de Joaquina Albuquerque"


def an_understanding(**changes: Any) -> Understanding:
    """An understanding of any text."""
    fields = {
        "language": "pt",
        "domain": Domain.SECURITY,
        "classification": "security.destroy",
        "confidence": 0.9,
        "status": Status.UNDERSTOOD,
        "frame": Frame(action="destroy"),
    }
    return Understanding(**(fields | changes))


def an_opinion(specialist: str = "technical") -> Opinion:
    """An opinion of any specialist."""
    return Opinion(
        specialist=specialist, relevance=0.4, risk=0.2, confidence=0.8, recommendation=Outcome.APPROVED, summary="…", model="m"
    )


def a_case(trace: str = "", **decision: Any) -> Case:
    """A decided and reviewed case."""
    fields = {
        "outcome": Outcome.NEEDS_REVIEW,
        "primary": "technical",
        "risk": 0.78,
        "risk_band": "high",
        "confidence": 0.83,
        "agreement": 0.61,
        "quorum": Quorum(asked=5, answered=5),
        "explanation": SECRET_TEXT,
    }
    return Case(
        id=CASE_ID,
        status=CaseStatus.DECIDED,
        intent=Intent(id=CASE_ID, channel=Channel.API, text=SECRET_TEXT, received_at=NOON, trace=trace),
        understanding=an_understanding(),
        opinions=(an_opinion(),),
        decision=Decision(**(fields | decision)),
        reviews=(Review(id="r", reviewer="ana", verdict=Outcome.REJECTED, comment=SECRET_TEXT, created_at=NOON),),
        decided_at=NOON,
    )


@pytest.fixture
def make_case() -> Callable[..., Case]:
    """Makes cases."""
    return a_case


@pytest.fixture
def make_understanding() -> Callable[..., Understanding]:
    """Makes understandings."""
    return an_understanding


@pytest.fixture
def make_opinion() -> Callable[..., Opinion]:
    """Makes opinions."""
    return an_opinion


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    """No handler, level, hook or arrival of a test is left for the next one."""
    root, own = logging.getLogger(), logging.getLogger("neural_hive")
    before = list(root.handlers), root.level, own.level, threading.excepthook, warnings.showwarning
    ARRIVAL.set(NOWHERE)
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level, own.level, threading.excepthook, warnings.showwarning = before
    logging.getLogger().manager._clear_cache()
    structlog.reset_defaults()
    ARRIVAL.set(NOWHERE)
