"""Logs: ours (structlog) and everybody else's (logging) as one stream of lines on stderr, without personal data."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict

from neural_hive.contracts import Case, Event, Opinion, Understanding
from neural_hive.observability.arrivals import ARRIVAL, Answered, loggable_id
from neural_hive.observability.lines import Writer, now, open_writer
from neural_hive.observability.observer import Observer
from neural_hive.observability.redaction import redact, summary_of, traceback_of

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
#: Fields that only the hive fills, from closed lists and ids: not looked through.
_SAFE = frozenset({"timestamp", "level", "logger", "request_id", "trace_id", "case_id", "duration_ms"})
_OWN = "neural_hive"
#: What hears what from which level on.
_HEARD_FROM = {
    "on_accepted": "debug",
    "on_resumed": "info",
    "on_understood": "debug",
    "on_opinion": "debug",
    "on_silence": "warning",
    "on_decided": "info",
    "on_failed": "warning",
    "on_published": "debug",
    "on_reviewed": "info",
    "on_answered": "warning",
}


def configure_logs(log_format: str = "auto", log_level: str = "info", stream: TextIO | None = None) -> Writer:
    """Send all logs of this process to stderr, from now on; calling it again replaces what was.

    Args:
        log_format: json, human, or auto: human on a terminal, JSON otherwise.
        log_level: least level of our own lines: debug, info, warning or error. Other packages' lines are told from
            warning on, whatever is set: at info, HTTP clients log addresses with what people searched for.
        stream: instead of stderr.
    """
    writer = open_writer(log_format, stream)
    root, own = logging.getLogger(), logging.getLogger(_OWN)
    for handler in [h for h in root.handlers if isinstance(h, _LineHandler)]:
        root.removeHandler(handler)
    root.addHandler(_LineHandler(writer))
    root.setLevel(max(logging.WARNING, LEVELS[log_level]))
    own.setLevel(LEVELS[log_level])
    logging.captureWarnings(True)
    threading.excepthook = _on_dead_thread
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, _as_extra],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    return writer


def log_listener() -> LogListener | None:
    """The observer that logs, where `configure_logs` was called; None elsewhere, as in a library's use of the hive."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _LineHandler):
            return LogListener(handler.writer, logging.getLogger(_OWN).getEffectiveLevel())
    return None


def announce(message: str) -> bool:
    """Write what the process says of itself (where it listens, that it ends) as a JSON line, if it logs so.

    Returns False, and writes nothing, where the caller should tell a person. message: of our own words and addresses.
    """
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _LineHandler) and handler.writer.is_json:
            handler.writer.write({"timestamp": now(), "level": "info", "logger": "neural_hive", "message": message})
            return True
    return False


def _as_extra(_logger: Any, _method: str, event: EventDict) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """structlog's last step: the event as logging's message, the rest beside it."""
    exc_info = event.pop("exc_info", None)
    message = event.pop("event", "")
    return (message,), {"exc_info": exc_info, "extra": {"hive_fields": event}}


def _on_dead_thread(dead: threading.ExceptHookArgs) -> None:
    name = dead.thread.name if dead.thread else ""
    structlog.get_logger(__name__).error("thread_died", thread=name, exc_info=dead.exc_value or False)


class _LineHandler(logging.Handler):
    """Writes records as lines; nothing in them is trusted."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self.writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self.writer.write(_fields(record))
        except Exception:  # noqa: BLE001 - a record that cannot be written must not end what it tells of
            self.writer.n_lost += 1


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    arrival = ARRIVAL.get()
    # A first line: asyncio repeats the whole error, with what it says, on the others.
    message = record.getMessage().partition("\n")[0]
    fields: dict[str, Any] = {
        "timestamp": now(),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": redact(message),
        "request_id": arrival.request_id,
        "trace_id": arrival.trace_id,
    }
    given: dict[str, Any] = getattr(record, "hive_fields", {})
    fields |= {name: value if name in _SAFE else _redacted(value) for name, value in given.items()}
    if given.get("request_id"):
        fields["request_id"] = loggable_id(str(given["request_id"]))
    if record.exc_info and record.exc_info[1] is not None:
        fields["exception"] = redact(traceback_of(record.exc_info[1]))
    return {name: value for name, value in fields.items() if value != ""}


def _redacted(value: Any) -> Any:
    """Numbers and flags as they are, the rest as text without personal data."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        masked = redact(str(value))
        return value if masked == str(value) else masked
    if isinstance(value, BaseException):
        return redact(summary_of(value))
    return redact(value if isinstance(value, str) else repr(value))


class LogListener(Observer):
    """One line per decision; more from debug on, less above info. Writes ids, scores and words from closed lists only."""

    def __init__(self, writer: Writer, level: int) -> None:
        """level: least level that is written, as `logging` counts."""
        self._writer, self._level = writer, level

    def hears(self, event: str) -> bool:
        """What is below the level is not even called."""
        return event in _HEARD_FROM and LEVELS[_HEARD_FROM[event]] >= self._level

    def on_accepted(self, case: Case, duration_s: float) -> None:
        """An intent is recorded."""
        self._write("debug", "accepted", case.id, duration_s, channel=case.intent.channel.value)

    def on_resumed(self, case: Case) -> None:
        """A case is taken up again."""
        self._write("info", "resumed", case.id, None)

    def on_understood(self, case_id: str, understanding: Understanding, duration_s: float) -> None:
        """A text is understood."""
        self._write(
            "debug",
            "understood",
            case_id,
            duration_s,
            status=understanding.status.value,
            language=understanding.language,
            domain=understanding.domain.value,
        )

    def on_opinion(self, case_id: str, opinion: Opinion, duration_s: float) -> None:
        """A specialist answered."""
        said = {"specialist": opinion.specialist, "recommendation": opinion.recommendation.value, "risk": opinion.risk}
        self._write("debug", "opinion", case_id, duration_s, **said)

    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None:
        """A specialist gave no usable answer."""
        self._write("warning", "specialist_silent", case_id, duration_s, specialist=specialist, reason=reason)

    def on_decided(self, case: Case, duration_s: float) -> None:
        """A decision is recorded: the one line of a case at level info. Written out, because every case pays for it."""
        arrival, decision, understanding = ARRIVAL.get(), case.decision, case.understanding
        if decision is None or understanding is None:
            return
        fields = {
            "timestamp": now(),
            "level": "info",
            "logger": "neural_hive.case",
            "message": "decided",
            "request_id": arrival.request_id,
            "trace_id": arrival.trace_id,
            "case_id": case.id,
            "duration_ms": round(duration_s * 1e3, 3),
            "outcome": decision.outcome.value,
            "risk": decision.risk,
            "confidence": decision.confidence,
            "primary": decision.primary,
            "domain": understanding.domain.value,
            "language": understanding.language,
        }
        if decision.degraded or decision.guardrails:
            fields |= {"degraded": decision.degraded, "guardrails": decision.guardrails, "missing": decision.quorum.missing}
        self._writer.write(fields)

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """A stage failed."""
        self._write("warning", "stage_failed", case_id, None, stage=stage, error=redact(summary_of(error)))

    def on_published(self, events: Sequence[Event], duration_s: float) -> None:
        """The bus has events."""
        self._write("debug", "published", "", duration_s, n_events=len(events))

    def on_reviewed(self, case: Case) -> None:
        """A person gave a verdict."""
        self._write("info", "reviewed", case.id, None, verdict=case.reviews[-1].verdict.value)

    def on_answered(self, answered: Answered) -> None:
        """A request was answered: a line for failures of ours, and for all at debug."""
        is_ours = answered.status >= 500
        if is_ours or self._level <= logging.DEBUG:
            said = {"method": answered.method, "route": answered.route, "status": answered.status, "problem": answered.problem}
            self._write("warning" if is_ours else "debug", "answered", "", answered.duration_s, **said)

    def _write(self, level: str, message: str, case_id: str, duration_s: float | None, **more: Any) -> None:
        arrival = ARRIVAL.get()
        fields: dict[str, Any] = {
            "timestamp": now(),
            "level": level,
            "logger": "neural_hive.case" if case_id else "neural_hive.http" if "route" in more else "neural_hive.events",
            "message": message,
            "request_id": arrival.request_id,
            "trace_id": arrival.trace_id,
            "case_id": case_id,
            "duration_ms": None if duration_s is None else round(duration_s * 1e3, 3),
        } | more
        self._writer.write({name: value for name, value in fields.items() if value not in ("", None)})
