"""The request that the present work is done for, and what became of it. Follows the work through tasks by itself."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from neural_hive.observability.redaction import redact

#: UUIDs, and ids with fewer digits than any identifier of a person has.
_PLAIN_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|(?:[^0-9]*[0-9]){0,7}[^0-9]*")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where work comes from.

    request_id: safe to log. trace: W3C traceparent that the work belongs to, or empty. parent: the tracer's context for
    spans of the work; None if they are not recorded. span: the request's own span, if it is recorded.
    """

    request_id: str = ""
    trace: str = ""
    parent: Any = None
    span: Any = None

    @property
    def trace_id(self) -> str:
        """32 hex digits, or empty. Source: W3C Trace Context, section 3.2.2."""
        return self.trace[3:35]


def is_sampled(trace: str) -> bool:
    """Whether the spans of a traceparent's trace are recorded. Source: W3C Trace Context, section 3.2.2.5."""
    return bool(trace) and bool(int(trace[-2:], 16) & 1)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answered request, for logs and metrics.

    route: the template, e.g. /api/v1/intents/{case_id}; empty if none matched. status: 0 if the client went away.
    problem: code of the problem that was answered, or empty.
    """

    method: str
    route: str
    status: int
    duration_s: float
    request_id: str
    trace: str
    problem: str = ""


#: Nothing arrived: work that the process does by itself.
NOWHERE = Arrival()
#: The request that the present task works for.
ARRIVAL: ContextVar[Arrival] = ContextVar("hive_arrival", default=NOWHERE)


def loggable_id(request_id: str) -> str:
    """A caller's request id as it may be logged: a caller may have made it from somebody's number."""
    return request_id if _PLAIN_ID.fullmatch(request_id) else redact(request_id)
