"""Masked text → understanding: language, frame, domain, entities, signals, and whether there is something to judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path

import numpy as np

from neural_hive.contracts import Domain, PiiMention, Signal, Status, Understanding
from neural_hive.errors import ModelError
from neural_hive.understanding.domains import Beliefs, DomainModel
from neural_hive.understanding.encoder import SentenceEncoder, UseEncoder, one_blas_thread
from neural_hive.understanding.entities import EntityFinder
from neural_hive.understanding.frames import FrameReader, Reading
from neural_hive.understanding.keywords import keywords
from neural_hive.understanding.language import SUPPORTED, Heard, LanguageIdentifier

#: Concerns less likely than this are not told to the specialists.
MIN_SIGNAL = 0.05
#: Kinds of text that a hive judges.
IN_SCOPE = "in_scope"
#: Probability from which a text is taken to be of a kind that is not judged, and the reason that is given.
_REFUSALS = {
    "injection": (0.5, Status.OUT_OF_SCOPE, "instruction_to_the_hive"),
    "gibberish": (0.5, Status.NOT_UNDERSTOOD, "gibberish"),
    "off_topic": (0.5, Status.OUT_OF_SCOPE, "off_topic"),
    "greeting": (0.5, Status.OUT_OF_SCOPE, "off_topic"),
    "other_language": (0.6, Status.NOT_UNDERSTOOD, "unsupported_language"),
    "vague": (0.5, Status.AMBIGUOUS, "too_vague"),
}
#: Together, kinds that are not judged make a text not understood from this probability on.
_ALL_REFUSALS = 0.6
#: Below this probability of the best domain the text is ambiguous.
_MIN_DOMAIN = 0.22
#: The same for a text with no word of the vocabulary: with nothing to change in it, an even chance that it is talk is enough.
_WORDLESS_REFUSALS = 0.4
#: A language other than pt, en and es is believed from this probability and this many words on.
_OTHER_LANGUAGE, _OTHER_LANGUAGE_WORDS = 0.8, 4
#: Masked texts whose reading is kept, about 10 kB each.
MAX_KNOWN_TEXTS = 512
#: Kinds that a short request for a system is easily taken for ('turn on the …'), how sure the model must then be, and objects that
#: only a company's systems have.
_EVERYDAY_TALK, _SURE = frozenset({"off_topic", "greeting", "gibberish", "vague"}), 0.97
_OF_SYSTEMS = frozenset(
    [
        "ui",
        "text",
        "database",
        "schema",
        "server",
        "security_control",
        "audit_log",
        "backup",
        "secret",
        "access",
        "api",
        "service",
        "certificate",
        "cloud",
        "code",
        "dependency",
        "test_suite",
        "pipeline",
        "queue",
        "cache",
        "monitoring",
        "account",
        "customer",
        "money",
        "price",
        "contract",
        "regulation",
        "employee",
        "supplier",
    ]
)


#: Length of a vector that is kept: float16 (512,).
VECTOR_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Heading:
    """What goes in: the masked text, what was masked, the caller's word for the language, when it came."""

    text: str
    received_at: datetime
    pii: tuple[PiiMention, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """What comes out. vector: float16 little-endian (512,), L2-normalised, VECTOR_BYTES long; for finding similar cases."""

    understanding: Understanding
    vector: bytes


@dataclass(frozen=True, slots=True)
class _Known:
    """What a text says whenever and by whomever it is said. It is kept: the same words come again more often than one thinks."""

    heard: Heard
    reading: Reading
    beliefs: Beliefs
    vector: bytes


class Understander:
    """Everything that understanding needs, loaded once. `understand` is for one thread at a time."""

    def __init__(self, encoder: SentenceEncoder, model: DomainModel) -> None:
        self._encoder, self._model = encoder, model
        self._languages = LanguageIdentifier()
        self._frames = FrameReader()
        self._entities = EntityFinder()
        self._kept: dict[tuple[str, str | None], _Known] = {}
        self.models = {"encoder": encoder.digest[:16], "understanding": model.digest[:16]}

    def learn_names(self, names: Mapping[str, str]) -> None:
        """Know names of the caller's own as systems. names: name or alias in lower case → the system's name."""
        self._entities = EntityFinder(dict.fromkeys(names, "system"), names)

    def understand(self, headings: Sequence[Heading]) -> list[Understood]:
        """Understand texts; several at once cost less each. A text's result does not depend on its neighbours."""
        asked = [(h.text, h.language) for h in headings]
        known = {key: self._kept[key] for key in asked if key in self._kept}
        if missing := [key for key in dict.fromkeys(asked) if key not in known]:
            known |= zip(missing, self._read(missing), strict=True)
        for key in dict.fromkeys(asked):  # the least recently asked goes first
            self._kept.pop(key, None)
            self._kept[key] = known[key]
        while len(self._kept) > MAX_KNOWN_TEXTS:
            del self._kept[next(iter(self._kept))]
        return [self._understood(heading, known[key]) for heading, key in zip(headings, asked, strict=True)]

    def _read(self, asked: Sequence[tuple[str, str | None]]) -> Iterator[_Known]:
        """All that depends on nothing but the words, step by step for all texts: each step has the processor's caches to itself."""
        heard = [self._languages.identify(text, language) for text, language in asked]
        readings = [
            self._frames.read(text, one.language, is_mixed=one.is_mixed) for (text, _), one in zip(asked, heard, strict=True)
        ]
        with one_blas_thread().limit():
            vectors = self._encoder.encode([text for text, _ in asked])
            beliefs = self._model.believe(vectors, readings)
        return map(_Known, heard, readings, beliefs, (vector.astype("<f2").tobytes() for vector in vectors))

    def _understood(self, heading: Heading, known: _Known) -> Understood:
        return Understood(self._assemble(heading, known.heard, known.reading, known.beliefs), known.vector)

    def _assemble(self, heading: Heading, heard: Heard, reading: Reading, beliefs: Beliefs) -> Understanding:
        status, reasons = _status(heard, reading, beliefs)
        domain, confidence = _domain(beliefs, status)
        entities = self._entities.find(heading.text, heard.language, heading.received_at)
        return Understanding(
            language=heard.language,
            variant=heard.variant,
            domain=domain,
            classification=f"{domain}.{reading.frame.action}" if domain is not Domain.UNKNOWN else "unknown",
            confidence=round(confidence, 4),
            status=status,
            frame=reading.frame,
            entities=entities,
            pii=heading.pii,
            keywords=keywords(reading),
            domains=beliefs.domain,
            specialists=_leaders(beliefs, status),
            signals=_signals(beliefs),
            caution=beliefs.caution,
            reasons=reasons,
            models=self.models,
        )


def _status(heard: Heard, reading: Reading, beliefs: Beliefs) -> tuple[Status, tuple[str, ...]]:
    """Whether there is something to judge, and if not, why. Doubt speaks against judging."""
    if reading.is_instruction:
        return Status.OUT_OF_SCOPE, ("instruction_to_the_hive",)
    is_foreign = heard.language not in SUPPORTED and heard.language != "und"
    if is_foreign and heard.probability >= _OTHER_LANGUAGE and len(reading.words) >= _OTHER_LANGUAGE_WORDS:
        return Status.NOT_UNDERSTOOD, ("unsupported_language",)
    kind, probability = max(beliefs.kind.items(), key=lambda item: item[1])
    refused = 1.0 - beliefs.kind.get(IN_SCOPE, 0.0)
    if kind in _EVERYDAY_TALK and probability < _SURE and _is_about_systems(reading):
        return Status.UNDERSTOOD, ()
    if kind != IN_SCOPE and (probability >= _REFUSALS[kind][0] or refused >= _ALL_REFUSALS):
        return _REFUSALS[kind][1], (_REFUSALS[kind][2],)
    if refused >= _WORDLESS_REFUSALS and not reading.cue_words:
        kind = max(_REFUSALS, key=lambda name: beliefs.kind.get(name, 0.0))
        return _REFUSALS[kind][1], (_REFUSALS[kind][2],)
    if heard.language == "und" and not reading.cue_words:
        return Status.NOT_UNDERSTOOD, ("gibberish",)
    if _domain(beliefs, Status.UNDERSTOOD)[1] < _MIN_DOMAIN:
        return Status.AMBIGUOUS, ("low_confidence",)
    return Status.UNDERSTOOD, ()


def _is_about_systems(reading: Reading) -> bool:
    """True if something is asked for that is done to a company's systems: a frame is surer than a guess at the kind of text."""
    return any(not m.described and m.action != "read" and _OF_SYSTEMS.intersection(m.objects) for m in reading.frame.actions)


def _domain(beliefs: Beliefs, status: Status) -> tuple[Domain, float]:
    """The best domain and its probability; of those judged, the share among the seven."""
    if status in (Status.OUT_OF_SCOPE, Status.NOT_UNDERSTOOD):
        return Domain.UNKNOWN, max(1.0 - beliefs.kind.get(IN_SCOPE, 0.0), beliefs.domain.get(Domain.UNKNOWN, 0.0))
    if status is Status.AMBIGUOUS and beliefs.kind.get(IN_SCOPE, 0.0) < 0.5:
        return Domain.UNKNOWN, 1.0 - beliefs.kind.get(IN_SCOPE, 0.0)
    known = {d: p for d, p in beliefs.domain.items() if d != Domain.UNKNOWN}
    best = max(known, key=lambda d: known[d])
    return Domain(best), known[best] / max(1e-9, sum(known.values()))


def _leaders(beliefs: Beliefs, status: Status) -> dict[str, float]:
    """Probability that each specialist should lead; scaled down where it is not clear that anyone should."""
    scale = beliefs.kind.get(IN_SCOPE, 0.0) if status is not Status.UNDERSTOOD else 1.0
    return {name: round(p * scale, 4) for name, p in beliefs.specialist.items()}


def _signals(beliefs: Beliefs) -> tuple[Signal, ...]:
    found = [(c, p) for c, p in beliefs.concern.items() if p >= MIN_SIGNAL and c != "none"]
    return tuple(Signal(concern=c, probability=p) for c, p in sorted(found, key=lambda item: (-item[1], item[0])))


def load_understander(model: Path | None = None) -> Understander:
    """Encoder and domain model, checked against their hashes. Takes about a second.

    Args:
        model: folder of the domain model; None is the bundled one.

    Raises:
        ModelError: a model is missing or damaged.
    """
    bundled = Path(str(resources.files("neural_hive").joinpath("models", "understanding")))
    encoder, heads = UseEncoder(), DomainModel.load(model or bundled)
    if heads.manifest.get("encoder") != encoder.digest:
        raise ModelError(f"The model in {model or bundled} was trained on another sentence encoder; train it again.")
    return Understander(encoder, heads)


def encode_vector(vector: bytes) -> np.ndarray:
    """The stored vector as float32 (512,)."""
    return np.frombuffer(vector, dtype="<f2").astype(np.float32)
