"""A trained intent model: texts in, labels with a calibrated confidence out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from neural_hive.errors import UsageError
from neural_hive.learning.intents.calibrate import Doubles, probabilities
from neural_hive.learning.intents.linear import LinearModel, Scored
from neural_hive.learning.intents.rows import language_of
from neural_hive.learning.intents.scope import ANY_LANGUAGE, ScopeRule, signals
from neural_hive.understanding.encoder import SentenceEncoder, one_blas_thread
from neural_hive.understanding.features import NgramView
from neural_hive.understanding.language import LanguageIdentifier

#: Texts that are read together.
_N_BATCH = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """label: the most likely intent. confidence: probability that it is right, in [0, 1], given that the text is in scope.

    scope_score: how surely it is in scope; `in_scope` says whether that reaches the threshold of its language.
    """

    label: str
    confidence: float
    in_scope: bool
    scope_score: float


@dataclass(frozen=True)
class IntentModel:
    """Labels texts. Safe to use from several threads.

    labels: sorted. views: featurisers in the order of `linear`'s weights. temperature: see `fit_temperature`.
    manifest: everything known about the model, see `artefact`.
    """

    labels: tuple[str, ...]
    views: tuple[NgramView, ...]
    linear: LinearModel
    temperature: float
    scope: ScopeRule
    encoder: SentenceEncoder
    manifest: Mapping[str, Any]

    def score(self, texts: Sequence[str]) -> Scored:
        """Raw scores and what the scope rule looks at."""
        with one_blas_thread().limit():
            vectors = self.encoder.encode(texts)
            return self.linear.score([view.transform(texts) for view in self.views], vectors)

    def label(self, texts: Sequence[str], languages: Sequence[str] | None = None) -> list[Answer]:
        """One answer per text, in order.

        Args:
            texts: any length, also empty texts.
            languages: ISO 639-1 of each text, empty where unknown: then it is identified, if it matters.
        """
        answers: list[Answer] = []
        for start in range(0, len(texts), _N_BATCH):
            batch = texts[start : start + _N_BATCH]
            said = languages[start : start + _N_BATCH] if languages is not None else [""] * len(batch)
            answers += self.answers(self.score(batch), batch, said)
        return answers

    def answers(self, scored: Scored, texts: Sequence[str], languages: Sequence[str]) -> list[Answer]:
        """What the scores of these texts mean."""
        chances: Doubles = probabilities(scored.scores, self.temperature)
        best = chances.argmax(axis=1)
        scope_scores = self.scope.score(signals(scored, self.temperature))
        return [
            Answer(self.labels[b], float(row[b]), bool(s >= self._threshold(text, language)), float(s))
            for b, row, s, text, language in zip(best, chances, scope_scores, texts, languages, strict=True)
        ]

    def _threshold(self, text: str, language: str) -> float:
        if not language and len(self.scope.thresholds) > 2:
            language = self._identifier.identify(text).language
        return self.scope.threshold(language or ANY_LANGUAGE)

    @cached_property
    def _identifier(self) -> LanguageIdentifier:
        return LanguageIdentifier()


def classify(model: IntentModel, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Label rows {"id", "text", "language"?} in their order: {"id", "label", "confidence", "in_scope"}.

    Raises:
        UsageError: a row has no text; the rows before its batch are already given.
    """
    waiting = iter(rows)
    while batch := list(islice(waiting, _N_BATCH)):
        texts = [_text(row) for row in batch]
        for row, answer in zip(batch, model.label(texts, [language_of(dict(row)) for row in batch]), strict=True):
            yield {"id": row.get("id"), **row_of(answer)}


def row_of(answer: Answer) -> dict[str, Any]:
    """The published part of an answer; the confidence with four digits."""
    return {"label": answer.label, "confidence": round(answer.confidence, 4), "in_scope": answer.in_scope}


def _text(row: Mapping[str, Any]) -> str:
    text = row.get("text")
    if not isinstance(text, str):
        raise UsageError(f'Row {row.get("id")!r} has no "text".')
    return text


def macro_f1(truth: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any]) -> float:
    """Mean F1 over the classes that are in `truth`, in [0, 1]."""
    scores = []
    for label in np.unique(truth):
        hits = int(((truth == label) & (predicted == label)).sum())
        scores.append(2 * hits / (int((truth == label).sum()) + int((predicted == label).sum())))
    return float(np.mean(scores)) if scores else 0.0
