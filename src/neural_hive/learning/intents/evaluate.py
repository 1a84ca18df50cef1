"""How good a model is on rows with known labels, in scope and out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_hive.errors import UsageError
from neural_hive.learning.intents.calibrate import (
    Doubles,
    expected_calibration_error,
    probabilities,
    reliability,
)
from neural_hive.learning.intents.model import Answer, IntentModel, macro_f1
from neural_hive.learning.intents.options import Progress, silent
from neural_hive.learning.intents.rows import LabelledText, fingerprint
from neural_hive.learning.intents.scope import area_under_roc

_N_BATCH = 256
_N_CURVE = 60
_N_CONFUSIONS = 200

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """Every row with what the model said of it; the arrays have one item per row.

    truth: the row's label. label: the model's. confidence, raw_confidence: after and before temperature scaling.
    is_accepted: the model's `in_scope`. scope_score: see `Answer`. is_outside: the row is out of scope.
    """

    truth: NDArray[np.str_]
    label: NDArray[np.str_]
    language: NDArray[np.str_]
    confidence: Doubles
    raw_confidence: Doubles
    is_accepted: Flags
    scope_score: Doubles
    is_outside: Flags

    def where(self, chosen: Flags) -> Judged:
        """Some of the rows."""
        return Judged(*(getattr(self, name)[chosen] for name in self.__slots__))

    @property
    def is_right(self) -> Flags:
        """The label is the row's."""
        right: Flags = self.truth == self.label
        return right


def evaluate(
    model: IntentModel, rows: Sequence[LabelledText], oos_label: str | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Measure the model; plain JSON data.

    Args:
        model: the model.
        rows: with labels of the model, or `oos_label`.
        oos_label: label of rows that are out of scope: the model should refuse them.
        progress: told the share of the rows that is done.

    Raises:
        UsageError: there are no rows, or none in scope.
    """
    judged = judge(model, rows, oos_label, progress)
    inside, outside = judged.where(~judged.is_outside), judged.where(judged.is_outside)
    if not len(inside.truth):
        raise UsageError("No row is in scope; check --label-field and --oos-label.")
    unknown = Counter(str(label) for label in inside.truth if label not in model.labels)
    return {
        "model": {key: model.manifest.get(key) for key in ("name", "version", "digest")},
        "data": {"rows_sha256": fingerprint(rows), "n_rows": len(rows), "n_out_of_scope": len(outside.truth)},
        **summary(inside),
        "macro_f1": _digits(macro_f1(inside.truth, inside.label)),
        "ece_before": _digits(expected_calibration_error(inside.raw_confidence, inside.is_right)),
        "by_language": {str(name): summary(inside.where(inside.language == name)) for name in np.unique(inside.language)},
        "out_of_scope": _scope(inside, outside) if len(outside.truth) else None,
        "by_label": [_by_label(inside, str(label)) for label in np.unique(inside.truth)],
        "confusions": _confusions(inside),
        "labels_unknown_to_the_model": dict(sorted(unknown.items())),
        "reliability": [asdict(b) for b in reliability(inside.confidence, inside.is_right)],
        "reliability_before": [asdict(b) for b in reliability(inside.raw_confidence, inside.is_right)],
    }


def judge(model: IntentModel, rows: Sequence[LabelledText], oos_label: str | None, progress: Progress) -> Judged:
    """Ask the model about every row."""
    answers: list[Answer] = []
    raw: list[Doubles] = []
    for start in range(0, len(rows), _N_BATCH):
        progress("Measuring", start / len(rows))
        batch = rows[start : start + _N_BATCH]
        texts = [row.text for row in batch]
        scored = model.score(texts)
        raw.append(probabilities(scored.scores, 1.0).max(axis=1))
        answers += model.answers(scored, texts, [row.language for row in batch])
    progress("Measuring", 1.0)
    return Judged(
        truth=np.asarray([row.label for row in rows], dtype=np.str_),
        label=np.asarray([answer.label for answer in answers], dtype=np.str_),
        language=np.asarray([row.language for row in rows], dtype=np.str_),
        confidence=np.asarray([answer.confidence for answer in answers]),
        raw_confidence=np.concatenate(raw) if raw else np.zeros(0),
        is_accepted=np.asarray([answer.in_scope for answer in answers], dtype=np.bool_),
        scope_score=np.asarray([answer.scope_score for answer in answers]),
        is_outside=np.asarray([row.label == oos_label for row in rows], dtype=np.bool_),
    )


def summary(inside: Judged) -> dict[str, Any]:
    """n, accuracy, calibration error, the share accepted, and the share that is both right and accepted."""
    return {
        "n": len(inside.truth),
        "accuracy": _digits(inside.is_right.mean()),
        "ece": _digits(expected_calibration_error(inside.confidence, inside.is_right)),
        "accepted": _digits(inside.is_accepted.mean()),
        "right_and_accepted": _digits((inside.is_right & inside.is_accepted).mean()),
    }


def _scope(inside: Judged, outside: Judged) -> dict[str, Any]:
    """Recall of out-of-scope rows where the model draws its line, and along all other lines it could draw."""
    both = np.concatenate([inside.scope_score, outside.scope_score])
    lines = np.unique(np.quantile(both, np.linspace(0, 1, _N_CURVE)))
    curve = [
        {
            "right_and_accepted": _digits((inside.is_right & (inside.scope_score >= line)).mean()),
            "recall": _digits((outside.scope_score < line).mean()),
        }
        for line in lines
    ]
    refused = int((~outside.is_accepted).sum())
    precision = refused / max(1, refused + int((~inside.is_accepted).sum()))
    return {
        "n": len(outside.truth),
        "recall": _digits((~outside.is_accepted).mean()),
        "precision": _digits(precision),
        "auroc": _digits(area_under_roc(inside.scope_score, outside.scope_score)),
        "curve": curve,
    }


def _by_label(inside: Judged, label: str) -> dict[str, Any]:
    is_there, is_said = inside.truth == label, inside.label == label
    hits = int((is_there & is_said).sum())
    return {
        "label": label,
        "n": int(is_there.sum()),
        "precision": _digits(hits / max(1, int(is_said.sum()))),
        "recall": _digits(hits / max(1, int(is_there.sum()))),
        "f1": _digits(2 * hits / max(1, int(is_said.sum()) + int(is_there.sum()))),
    }


def _confusions(inside: Judged) -> list[dict[str, Any]]:
    """The pairs that are mixed up, most often first."""
    wrong = ~inside.is_right
    pairs = Counter(zip(map(str, inside.truth[wrong]), map(str, inside.label[wrong]), strict=True))
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return [{"label": truth, "taken_for": label, "n": n} for (truth, label), n in ordered[:_N_CONFUSIONS]]


def _digits(value: Any) -> float:
    return round(float(value), 4)
