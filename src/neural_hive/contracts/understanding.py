"""What the hive understood: language, domain, frame, entities, PII kinds, calibrated confidence; or that it did not."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from neural_hive.contracts.base import Domain, Record, Score


class Status(StrEnum):
    """Whether there is something to judge."""

    UNDERSTOOD = "understood"
    AMBIGUOUS = "ambiguous"
    NOT_UNDERSTOOD = "not_understood"
    OUT_OF_SCOPE = "out_of_scope"


class Scope(StrEnum):
    """How much of the object is meant."""

    ONE = "one"
    SOME = "some"
    ALL = "all"
    UNKNOWN = "unknown"


class Environment(StrEnum):
    """Where it is to happen."""

    PRODUCTION = "production"
    STAGING = "staging"
    TEST = "test"
    DEVELOPMENT = "development"
    UNKNOWN = "unknown"


class Reversibility(StrEnum):
    """Whether it can be undone."""

    REVERSIBLE = "reversible"
    HARD = "hard"
    IRREVERSIBLE = "irreversible"
    UNKNOWN = "unknown"


class Mood(StrEnum):
    """What the text does: asks for something, reports a problem, asks a question, or wishes."""

    REQUEST = "request"
    REPORT = "report"
    QUESTION = "question"
    WISH = "wish"


class Span(Record):
    """A stretch of the recorded text. `text[start:end]` is `quote`; offsets count Unicode code points."""

    quote: str = Field(description="The words themselves.")
    start: int = Field(ge=0, description="First code point.")
    end: int = Field(ge=0, description="One past the last code point.")


class ActionMention(Record):
    """One thing the text wants done (or not done), with the words that say so."""

    action: str = Field(description="Word of the frame vocabulary, e.g. destroy, disable, create.")
    negated: bool = Field(default=False, description="True for 'do not delete': nothing is deleted.")
    described: bool = Field(
        default=False,
        description="True when it is only spoken of: a button's name, a past event, what a reported fault does.",
    )
    objects: tuple[str, ...] = Field(default=(), description="Kinds of object it is done to, e.g. data, backup, ui.")
    evidence: Span = Field(description="The words that say it.")


class Frame(Record):
    """What is to be done. The main action is the first of `actions` that is not negated."""

    action: str = Field(default="none", description="Main action, a word of the frame vocabulary, or none.")
    objects: tuple[str, ...] = Field(default=(), description="Kinds of object of the main action.")
    scope: Scope = Field(default=Scope.UNKNOWN, description="One, some or all of them.")
    environment: Environment = Field(default=Environment.UNKNOWN, description="Where.")
    safeguards: tuple[str, ...] = Field(default=(), description="Safeguards the text states, e.g. backup, approval.")
    waived: tuple[str, ...] = Field(default=(), description="Safeguards the text refuses, e.g. 'without a backup'.")
    negation: bool = Field(default=False, description="True if the main verb is negated: the text asks not to do it.")
    reversibility: Reversibility = Field(default=Reversibility.UNKNOWN, description="Whether it can be undone.")
    mood: Mood = Field(default=Mood.REQUEST, description="Request, report of a problem, question or wish.")
    protective: bool = Field(default=False, description="True if it strengthens a protection: turns on a control, makes backups.")
    urgent: bool = Field(default=False, description="True if the text presses for haste.")
    actions: tuple[ActionMention, ...] = Field(default=(), description="Every action mentioned, in order.")
    evidence: tuple[Span, ...] = Field(default=(), description="Words behind scope, environment, safeguards and waivers.")


class Entity(Record):
    """A thing the text names."""

    type: str = Field(
        description="system, technology, person, organisation, place, date, duration, money, percentage, quantity, environment, user_group."
    )
    value: str = Field(
        description="Normalised value: ISO 8601 for dates and durations, '1234.56 EUR' for money, the name otherwise."
    )
    start: int = Field(ge=0, description="First code point in the recorded text.")
    end: int = Field(ge=0, description="One past the last code point.")
    confidence: Score = Field(description="How sure, calibrated where a model decides.")


class PiiMention(Record):
    """Personal data that was masked; the value itself is nowhere."""

    kind: str = Field(description="cpf, cnpj, nif_pt, nif_es, nie_es, ssn, iban, card, phone, email, ip, person, …")
    start: int = Field(ge=0, description="First code point of the placeholder in the recorded text.")
    end: int = Field(ge=0, description="One past its last code point.")


class Signal(Record):
    """A concern that the classifier believes is present."""

    concern: str = Field(description="Id of the concern.")
    probability: Score = Field(description="Calibrated probability.")


class Understanding(Record):
    """What the hive understood of one intent."""

    language: str = Field(
        description="pt, en or es; another ISO 639-1 code when the text is in none of them, 'und' if it cannot be told."
    )
    variant: str = Field(default="", description="pt-BR, pt-PT or empty when it cannot be told.")
    domain: Domain = Field(description="One of the seven domains, or unknown.")
    classification: str = Field(description="Subcategory within the domain, written domain.action, or 'unknown'.")
    confidence: Score = Field(description="Calibrated probability that the domain is right.")
    status: Status = Field(description="Whether there is something to judge.")
    frame: Frame = Field(description="What is to be done.")
    entities: tuple[Entity, ...] = Field(default=(), description="Things the text names, in order.")
    pii: tuple[PiiMention, ...] = Field(default=(), description="What was masked, in order.")
    keywords: tuple[str, ...] = Field(default=(), description="Up to eight content words, most telling first.")
    domains: dict[str, Score] = Field(default_factory=dict, description="Calibrated probability of each domain.")
    specialists: dict[str, Score] = Field(
        default_factory=dict, description="Calibrated probability that each specialist should lead."
    )
    signals: tuple[Signal, ...] = Field(default=(), description="Concerns with probability of at least 0.05, most likely first.")
    caution: dict[str, Score] = Field(
        default_factory=dict,
        description="Calibrated probability that a careful person would let it go, take care (conditions), or stop it.",
    )
    reasons: tuple[str, ...] = Field(
        default=(),
        description="Why it is not simply understood: gibberish, off_topic, instruction_to_the_hive, unsupported_language, too_vague, low_confidence.",
    )
    models: dict[str, str] = Field(default_factory=dict, description="Content hashes of the models that were used.")
