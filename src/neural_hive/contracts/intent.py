"""What someone asked for: the intent, its optional plan, and the transcript if it was spoken."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from neural_hive.contracts.base import Language, Record, Score, UtcTime


class Channel(StrEnum):
    """How an intent came in."""

    API = "api"
    VOICE = "voice"
    CLI = "cli"
    CONSOLE = "console"
    BATCH = "batch"


class Task(Record):
    """One step of a plan."""

    id: str = Field(min_length=1, max_length=80, description="Name of the task, unique within its plan.")
    title: str = Field(default="", max_length=400, description="What the task does, for people.")
    depends_on: tuple[str, ...] = Field(default=(), description="Ids of the tasks that must end before this one starts.")
    duration_minutes: float = Field(default=0.0, ge=0, le=5_256_000, description="Expected duration, in minutes.")
    cost: float = Field(default=0.0, ge=0, le=1e12, description="Expected cost, in the plan's currency.")


class Plan(Record):
    """Tasks that carry out an intent, with what each waits for."""

    tasks: tuple[Task, ...] = Field(min_length=1, max_length=500, description="The tasks, in any order.")
    currency: str = Field(default="", max_length=3, description="ISO 4217 code of the costs, or empty.")


class PlanFacts(Record):
    """What the graph of a plan says, computed once and read by every specialist."""

    n_tasks: int = Field(ge=1, description="Number of tasks.")
    total_minutes: float = Field(ge=0, description="Sum of all durations, in minutes.")
    critical_path: tuple[str, ...] = Field(description="Task ids of the longest chain, first to last.")
    critical_minutes: float = Field(ge=0, description="Duration of the critical path, in minutes.")
    parallelism: float = Field(
        ge=1, description="Total over critical duration (or tasks over depth when no durations): how much can run at once."
    )
    max_fan_in: int = Field(ge=0, description="Most tasks that any one task waits for.")
    max_fan_in_task: str = Field(description="The task that waits for the most others; empty if none waits.")
    total_cost: float = Field(ge=0, description="Sum of all costs, in the plan's currency.")


class Word(Record):
    """One word of a transcript."""

    text: str = Field(description="The word as heard.")
    start_s: float = Field(ge=0, description="Start, in seconds from the start of the recording.")
    end_s: float = Field(ge=0, description="End, in seconds from the start of the recording.")
    confidence: Score = Field(description="Calibrated probability that the word is right.")


class Segment(Record):
    """A stretch of speech without a long pause."""

    text: str = Field(description="What was said.")
    start_s: float = Field(ge=0, description="Start, in seconds.")
    end_s: float = Field(ge=0, description="End, in seconds.")
    avg_logprob: float = Field(le=0, description="Mean natural log-probability per token.")
    words: tuple[Word, ...] = Field(default=(), description="Words, where they were asked for.")


class Transcript(Record):
    """What the speech model heard. No speech is a value: `text` is empty and `has_speech` false."""

    text: str = Field(description="The corrected text, segments joined by spaces.")
    raw_text: str = Field(default="", description="The text before vocabulary correction; equal to `text` if nothing changed.")
    has_speech: bool = Field(description="False for silence, noise and music.")
    language: str = Field(description="Language heard: pt, en, es, or another code that is not supported.")
    language_probability: Score = Field(description="Probability of that language.")
    duration_s: float = Field(ge=0, description="Length of the recording, in seconds.")
    compute_s: float = Field(ge=0, description="Time spent on it, decoding included, in seconds.")
    confidence: Score = Field(description="Calibrated probability that the transcript is right.")
    avg_logprob: float = Field(le=0, description="Mean natural log-probability per token; 0 without speech.")
    segments: tuple[Segment, ...] = Field(default=(), description="Segments in order.")
    model: str = Field(default="", description="Name and content hash of the model.")


class Ask(Record):
    """What a caller sends: the body of `POST /api/v1/intents`. Nothing of it is stored before it is masked."""

    text: str = Field(min_length=1, description="What is wanted, in Portuguese, English or Spanish.")
    language: Language | None = Field(default=None, description="The text's language, if the caller knows it.")
    plan: Plan | None = Field(default=None, description="Tasks that carry it out.")
    context: dict[str, Any] = Field(default_factory=dict, description="Free facts that help to judge it.")
    constraints: dict[str, Any] = Field(default_factory=dict, description="Limits, e.g. deadline or budget.")


class Caller(Record):
    """Who asks, as the entry point knows it."""

    tenant: str = Field(default="default", min_length=1, max_length=80, description="Whose cases; from the token.")
    actor: str = Field(default="", max_length=120, description="Who; from the token.")
    channel: Channel = Field(default=Channel.API, description="How it came in.")
    trace: str = Field(default="", max_length=64, description="W3C traceparent of the request, or empty.")


class Intent(Record):
    """What someone asked for, as recorded: personal data is already masked in every text of it."""

    id: str = Field(description="UUIDv7, also the id of the case.")
    tenant: str = Field(default="default", min_length=1, max_length=80, description="Whose case it is; from the caller's token.")
    actor: str = Field(default="", max_length=120, description="Who asked, as the token names them; pseudonymous.")
    channel: Channel = Field(default=Channel.API, description="How it came in.")
    text: str = Field(min_length=1, description="The text with personal data replaced by typed placeholders.")
    language: Language | None = Field(
        default=None, description="The caller's word about the language, or the ear's, if there is one."
    )
    plan: Plan | None = Field(default=None, description="Tasks that came with the intent.")
    context: dict[str, Any] = Field(
        default_factory=dict, description="Free facts from the caller, masked; specialists may quote them."
    )
    constraints: dict[str, Any] = Field(
        default_factory=dict, description="Limits the caller sets, masked, e.g. deadline or budget."
    )
    transcript: Transcript | None = Field(default=None, description="What was heard, when it was spoken; masked like the text.")
    vault: dict[str, str] = Field(
        default_factory=dict,
        exclude_if=lambda kept: not kept,
        description="Placeholder → its value under HIVE_VAULT_KEY, base64; absent where no key is set.",
    )
    is_deferred: bool = Field(default=False, description="True if it was left to be judged by a worker.")
    received_at: UtcTime = Field(description="When the hive received it, UTC.")
    trace: str = Field(default="", max_length=64, description="W3C traceparent of the request that brought it, or empty.")
