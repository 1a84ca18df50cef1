"""Every metric that a hive emits, in one table. `docs/reference/metrics.md` is generated from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: What a label says when its value is none of those it lists.
OTHER = "other"

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
#: Seconds of work per second of sound.
REAL_TIME = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class Kind(StrEnum):
    """Prometheus' kinds."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Label:
    """One label. values: all it can say, beside `other`; empty where the installation decides (`bounded_by`)."""

    name: str
    values: tuple[str, ...] = ()
    bounded_by: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric. name: without the prefix `hive_`; units are in it. buckets: of a histogram, ascending."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()


ROUTE = Label("route", bounded_by="route templates; `unmatched` without one")
METHOD = Label("method", ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))
STATUS_CLASS = Label("status", ("1xx", "2xx", "3xx", "4xx", "5xx", "gone"))
SPECIALIST = Label("specialist", bounded_by="specialists of this hive")
OUTCOME = Label("outcome", ("approved", "conditional", "needs_review", "rejected"))
VERDICT = Label("verdict", ("approved", "conditional", "needs_review", "rejected"))
LANGUAGE = Label("language", ("pt", "en", "es", OTHER))
REASONS = ("gibberish", "off_topic", "instruction_to_the_hive", "unsupported_language", "too_vague", "low_confidence")
STAGE = Label("stage", ("finish", "background", "recovery", "outbox", "filing", "worker", "catalogue", "trust", "models", OTHER))

TABLE: tuple[Row, ...] = (
    Row("build_info", Kind.GAUGE, "1; the labels say what runs.", (Label("version", bounded_by="one a process"), Label("python", bounded_by="one a process"))),
    Row("model_info", Kind.GAUGE, "1; the labels say which rubric, policy or model judges.", (Label("name", bounded_by="models of this hive"), Label("digest", bounded_by="one a model"))),
    Row("http_requests_total", Kind.COUNTER, "HTTP requests answered, by class of status; `gone`: the client went away.", (ROUTE, METHOD, STATUS_CLASS)),
    Row("http_request_seconds", Kind.HISTOGRAM, "From the first byte read to the end of the answer, in seconds; streams until they end.", (ROUTE, METHOD, STATUS_CLASS), SECONDS),
    Row("refusals_total", Kind.COUNTER, "Requests answered with a problem, by its code; `rate-limited` and `overloaded` are load that was shed.", (Label("code", bounded_by="codes of problems"),)),
    Row("intents_accepted_total", Kind.COUNTER, "Intents recorded, by channel.", (Label("channel", ("api", "voice", "cli", "console", "batch")),)),
    Row("accept_seconds", Kind.HISTOGRAM, "Cleaning, masking and recording an intent, in seconds.", (), SECONDS),
    Row("cases_resumed_total", Kind.COUNTER, "Cases that one process accepted and another, or a later one, finished."),
    Row("understanding_seconds", Kind.HISTOGRAM, "Understanding a text, waiting for a batch included, in seconds.", (), SECONDS),
    Row("understanding_status_total", Kind.COUNTER, "Understandings by status and language.", (Label("status", ("understood", "ambiguous", "not_understood", "out_of_scope")), LANGUAGE)),
    Row("understanding_abstentions_total", Kind.COUNTER, "Why texts were not simply understood; one text may have several reasons.", (Label("reason", REASONS),)),
    Row("opinion_seconds", Kind.HISTOGRAM, "One specialist's answer, or waiting for it in vain, as the hive sees it, in seconds.", (SPECIALIST,), SECONDS),
    Row("specialist_failures_total", Kind.COUNTER, "Specialists that gave no usable answer, by reason.", (SPECIALIST, Label("reason", ("timeout", "error", "garbage", "open_breaker")))),
    Row("specialist_opinion_seconds", Kind.HISTOGRAM, "Judging one brief in a specialist's own process, in seconds.", (SPECIALIST,), SECONDS),
    Row("breaker_state", Kind.GAUGE, "1 for the state that a specialist's breaker is in, 0 for the others.", (SPECIALIST, Label("state", ("closed", "half_open", "open", OTHER)))),
    Row("decisions_total", Kind.COUNTER, "Decisions recorded, by outcome and whether something did not work.", (OUTCOME, Label("degraded", ("false", "true")))),
    Row("decision_seconds", Kind.HISTOGRAM, "From recorded intent to recorded decision, in seconds.", (), SECONDS),
    Row("decision_risk", Kind.HISTOGRAM, "Risk of decisions.", (), SCORES),
    Row("decision_confidence", Kind.HISTOGRAM, "Confidence of decisions.", (), SCORES),
    Row("guardrails_total", Kind.COUNTER, "Decisions that a guardrail forced.", (Label("guardrail", bounded_by="guardrails of this hive"),)),
    Row("reviews_total", Kind.COUNTER, "Verdicts by people, beside what the hive had decided.", (OUTCOME, VERDICT)),
    Row("stage_failures_total", Kind.COUNTER, "Stages that failed; recovery takes the case up again.", (STAGE,)),
    Row("events_published_total", Kind.COUNTER, "Events that the bus has taken."),
    Row("publish_seconds", Kind.HISTOGRAM, "Publishing one round of events, in seconds.", (), SECONDS),
    Row("queue_depth", Kind.GAUGE, "What waits: texts to be understood, cases judged in the background, events in the outbox, cases to be filed in the graph.", (Label("queue", ("understanding", "background", "outbox", "filing")),)),
    Row("cases_unfiled_total", Kind.COUNTER, "Decided cases that were never filed in the graph, because too many waited for it: they are whole, and missing among similar cases."),
    Row("transcription_seconds", Kind.HISTOGRAM, "Transcribing one recording, in seconds.", (), (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)),
    Row("transcription_real_time_factor", Kind.HISTOGRAM, "Seconds of work per second of sound.", (), REAL_TIME),
    Row("listener_failures_total", Kind.COUNTER, "Failures of what observes (logs, metrics, traces); the work itself went on.", (Label("listener", bounded_by="observers of this process"),)),
)  # fmt: skip

#: What prometheus_client says of the process, on Linux. Source: Prometheus, "Writing client libraries", process metrics.
PROCESS: tuple[tuple[str, Kind, str], ...] = (
    ("process_cpu_seconds_total", Kind.COUNTER, "Processor time used, in seconds."),
    ("process_max_fds", Kind.GAUGE, "Most files that may be open."),
    ("process_open_fds", Kind.GAUGE, "Files that are open."),
    ("process_resident_memory_bytes", Kind.GAUGE, "Memory in use, in bytes."),
    ("process_start_time_seconds", Kind.GAUGE, "When the process started, in seconds since 1970."),
    ("process_virtual_memory_bytes", Kind.GAUGE, "Address space in use, in bytes."),
)
