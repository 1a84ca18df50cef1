"""The observer that keeps the metrics of one process, as `metric_table` lists them."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from neural_hive import __version__
from neural_hive.contracts import Case, Event, Opinion, Transcript, Understanding
from neural_hive.observability.arrivals import Answered
from neural_hive.observability.instruments import Child, Families
from neural_hive.observability.metric_table import OTHER, TABLE
from neural_hive.observability.observer import Observer

_LANGUAGES = frozenset({"pt", "en", "es"})
_STATES = ("closed", "half_open", "open")


class Metrics(Observer):
    """Counts and measures. Every series that the hot path needs is looked up once, when the process starts or sees it
    first."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._of = of = Families(TABLE)
        self._registry.register(of)
        ProcessCollector(registry=self._registry)
        of["build_info"].of(__version__, platform.python_version()).set(1)
        self._accept_s, self._understanding_s = of["accept_seconds"].of(), of["understanding_seconds"].of()
        self._decision_s, self._publish_s = of["decision_seconds"].of(), of["publish_seconds"].of()
        self._risk, self._confidence = of["decision_risk"].of(), of["decision_confidence"].of()
        self._opinion_s = of["opinion_seconds"]
        self._accepted, self._decisions = of["intents_accepted_total"], of["decisions_total"]
        self._status, self._reasons = of["understanding_status_total"], of["understanding_abstentions_total"]
        self._answers: dict[tuple[str, str, int], tuple[Child, Child]] = {}

    def on_accepted(self, case: Case, duration_s: float) -> None:
        """An intent is recorded."""
        self._accepted.of(case.intent.channel.value).add()
        self._accept_s.observe(duration_s)

    def on_resumed(self, case: Case) -> None:
        """A case is taken up again."""
        self._of["cases_resumed_total"].of().add()

    def on_understood(self, case_id: str, understanding: Understanding, duration_s: float) -> None:
        """A text is understood."""
        language = understanding.language if understanding.language in _LANGUAGES else OTHER
        self._status.of(understanding.status.value, language).add()
        self._understanding_s.observe(duration_s)
        for reason in understanding.reasons:
            self._reasons.of(reason).add()

    def on_opinion(self, case_id: str, opinion: Opinion, duration_s: float) -> None:
        """A specialist answered."""
        self._opinion_s.of(opinion.specialist).observe(duration_s)

    def on_silence(self, case_id: str, specialist: str, reason: str, duration_s: float) -> None:
        """A specialist gave no usable answer."""
        self._of["specialist_failures_total"].of(specialist, reason).add()
        self._opinion_s.of(specialist).observe(duration_s)

    def on_decided(self, case: Case, duration_s: float) -> None:
        """A decision is recorded."""
        self._decision_s.observe(duration_s)
        decision = case.decision
        if decision is not None:
            self._decisions.of(decision.outcome.value, "true" if decision.degraded else "false").add()
            self._risk.observe(decision.risk)
            self._confidence.observe(decision.confidence)
            for guardrail in decision.guardrails:
                self._of["guardrails_total"].of(guardrail).add()

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        """A stage failed."""
        self._of["stage_failures_total"].of(stage).add()

    def on_published(self, events: Sequence[Event], duration_s: float) -> None:
        """The bus has taken events."""
        self._of["events_published_total"].of().add(len(events))
        self._publish_s.observe(duration_s)

    def on_reviewed(self, case: Case) -> None:
        """A person gave a verdict."""
        if case.decision is not None and case.reviews:
            self._of["reviews_total"].of(case.decision.outcome.value, case.reviews[-1].verdict.value).add()

    def on_heard(self, transcript: Transcript) -> None:
        """A recording was transcribed."""
        self._of["transcription_seconds"].of().observe(transcript.compute_s)
        if transcript.duration_s > 0:
            self._of["transcription_real_time_factor"].of().observe(transcript.compute_s / transcript.duration_s)

    def on_answered(self, answered: Answered) -> None:
        """An HTTP request was answered."""
        key = (answered.route, answered.method, answered.status)
        count, seconds = self._answers.get(key) or self._new_answer(*key)
        count.add()
        seconds.observe(answered.duration_s)
        if answered.problem:
            self._of["refusals_total"].of(answered.problem).add()

    def _new_answer(self, route: str, method: str, status: int) -> tuple[Child, Child]:
        labels = (route or "unmatched", method, f"{status // 100}xx" if status else "gone")
        children = self._of["http_requests_total"].of(*labels), self._of["http_request_seconds"].of(*labels)
        # A counter's first increase is only seen if it was there at zero before: the first failure must count.
        self._of["http_requests_total"].of(labels[0], method, "5xx")
        if len(self._answers) < 1_000:
            self._answers[route, method, status] = children
        return children

    def judged(self, specialist: str, duration_s: float) -> None:
        """A specialist judged one brief in its own process."""
        self._of["specialist_opinion_seconds"].of(specialist).observe(duration_s)

    def set_depths(self, **depths: int) -> None:
        """What waits, by queue; what is not named is not known now and is not shown."""
        self._of["queue_depth"].replace(((queue,), depth) for queue, depth in depths.items())

    def set_unfiled(self, n: int) -> None:
        """How many decided cases of this process were never filed in the graph."""
        self._of["cases_unfiled_total"].of().set(n)

    def set_breakers(self, states: Mapping[str, str]) -> None:
        """State of each specialist's breaker: closed, half_open or open."""
        self._of["breaker_state"].replace(
            ((name, each), float(each == state)) for name, state in states.items() for each in _STATES
        )

    def set_models(self, digests: Mapping[str, str]) -> None:
        """What judges, with its content hash."""
        self._of["model_info"].replace((pair, 1.0) for pair in digests.items())

    def set_failures(self, failures: Iterable[tuple[str, int]]) -> None:
        """How often each observer failed."""
        self._of["listener_failures_total"].replace(((name,), n) for name, n in failures)

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)
