"""Labelled texts → an intent model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from neural_hive.learning.intents.calibrate import expected_calibration_error, fit_temperature, probabilities
from neural_hive.learning.intents.linear import Recipe, fit_linear, read_corpus
from neural_hive.learning.intents.model import IntentModel, macro_f1
from neural_hive.learning.intents.options import Progress, TrainingOptions, silent
from neural_hive.learning.intents.parts import code, membership
from neural_hive.learning.intents.rehearse import Rehearsal, choose_part_weight, choose_recipe, rehearse
from neural_hive.learning.intents.rows import LabelledText, check_trainable, fingerprint
from neural_hive.learning.intents.scope import Sample, ScopeRule, area_under_roc, fit_scope, signals
from neural_hive.understanding.encoder import SentenceEncoder, load_encoder, one_blas_thread
from neural_hive.understanding.features import Floats, Integers
from neural_hive.understanding.language import LanguageIdentifier

_N_ENCODED = 256
#: Shares of the whole work at which its parts end; measured on MASSIVE.
_READ, _CHOSEN, _REHEARSED = 0.15, 0.30, 0.82


def train_intents(
    rows: Sequence[LabelledText],
    options: TrainingOptions | None = None,
    progress: Progress = silent,
    encoder: SentenceEncoder | None = None,
) -> IntentModel:
    """Learn to label texts, how sure to be, and when a text is none of them.

    The same rows, options and encoder give the same model to the last byte on one machine. Work is on one core.

    Args:
        rows: at least two labels with two rows each. Out-of-scope examples are not needed.
        options: see `TrainingOptions`.
        progress: told what is being done, and the share of the whole that is done.
        encoder: instead of loading the one that the options name.

    Raises:
        UsageError: the rows cannot be learnt from; the message says why.
    """
    options = options or TrainingOptions()
    check_trainable(rows)
    with one_blas_thread().limit():
        return _train(rows, options, progress, encoder or load_encoder(options.encoder))


def _train(rows: Sequence[LabelledText], options: TrainingOptions, progress: Progress, encoder: SentenceEncoder) -> IntentModel:
    labels = tuple(sorted({row.label for row in rows}))
    number = {label: at for at, label in enumerate(labels)}
    truth = np.asarray([number[row.label] for row in rows], dtype=np.int64)
    languages = _languages(rows)
    corpus = read_corpus([row.text for row in rows], _encode(encoder, rows, progress))
    recipe = choose_recipe(corpus, truth, options, _spread(progress, "Choosing", _READ, _CHOSEN))
    members = membership(labels)
    told = _spread(progress, "Rehearsing", _CHOSEN, _REHEARSED)
    rehearsal = rehearse(corpus, truth, members, recipe, options, lambda n_done: told(n_done / options.n_folds))
    part_weight = choose_part_weight(rehearsal, truth, members, options.part_weights)
    rehearsal = rehearsal.mixed(members, part_weight)
    temperature = fit_temperature(rehearsal.known.scored.scores, truth[rehearsal.known.rows])
    scope = _fit_scope(rehearsal, truth, languages, temperature, options.acceptance)
    progress("Learning", _REHEARSED)
    fitted = fit_linear(corpus, code(members)[truth], recipe)
    linear = fitted.model.mixed(np.vstack([np.eye(len(labels), dtype=np.float32), np.float32(part_weight) * members.T]))
    progress("Learnt", 1.0)
    manifest = _describe(rows, languages, options, recipe, part_weight) | {
        "metrics": _measure(rehearsal, truth, languages, temperature, scope),
        "encoder": {"name": options.encoder, "digest": encoder.digest},
    }
    return IntentModel(labels, fitted.views(corpus), linear, temperature, scope, encoder, manifest)


def _spread(progress: Progress, doing: str, start: float, stop: float) -> Any:
    def tell(share: float) -> None:
        progress(doing, start + share * (stop - start))

    return tell


def _encode(encoder: SentenceEncoder, rows: Sequence[LabelledText], progress: Progress) -> Floats:
    """Sentence vectors as the model will keep them: rounded to half precision before anything is learnt from them."""
    parts = []
    for start in range(0, len(rows), _N_ENCODED):
        progress("Reading", _READ * start / len(rows))
        parts.append(encoder.encode([row.text for row in rows[start : start + _N_ENCODED]]))
    return np.concatenate(parts).astype(np.float16).astype(np.float32)


def _languages(rows: Sequence[LabelledText]) -> list[str]:
    """The language of each row: as the data says, else as it reads, if no row of the data says it."""
    if any(row.language for row in rows):
        return [row.language for row in rows]
    identifier = LanguageIdentifier()
    return [identifier.identify(row.text).language for row in rows]


def _fit_scope(
    rehearsal: Rehearsal, truth: Integers, languages: Sequence[str], temperature: float, acceptance: float
) -> ScopeRule:
    known, unknown = rehearsal.known, rehearsal.unknown
    is_right = known.scored.scores.argmax(axis=1) == truth[known.rows]
    if not is_right.any():  # a handful of rows: what is in scope must be learnt from them all
        is_right[:] = True
    inside = Sample(signals(known.scored, temperature)[is_right], [languages[row] for row in known.rows[is_right]])
    outside = Sample(signals(unknown.scored, temperature), [languages[row] for row in unknown.rows])
    return fit_scope(inside, outside, acceptance)


def _measure(
    rehearsal: Rehearsal, truth: Integers, languages: Sequence[str], temperature: float, scope: ScopeRule
) -> dict[str, Any]:
    """Cross-validated numbers, on rows that the fold's model had not seen, among the classes that it knew."""
    known, actual = rehearsal.known, truth[rehearsal.known.rows]
    predicted = known.scored.scores.argmax(axis=1)
    is_right = rehearsal.is_right(truth)
    before, after = (probabilities(known.scored.scores, t).max(axis=1) for t in (1.0, temperature))
    inside, outside = (scope.score(signals(part.scored, temperature)) for part in (known, rehearsal.unknown))
    least = scope.threshold("")
    spoken = np.asarray(languages)[known.rows]
    return {
        "split": "cross-validation; each fold's model knows neither its rows nor an eighth or so of the classes",
        "accuracy": round(float(is_right.mean()), 4),
        "accuracy_by_language": {str(s): round(float(is_right[spoken == s].mean()), 4) for s in np.unique(spoken)},
        "macro_f1": round(macro_f1(actual, predicted), 4),
        "ece_before": round(expected_calibration_error(before, is_right), 4),
        "ece": round(expected_calibration_error(after, is_right), 4),
        "hidden_classes_auroc": round(area_under_roc(inside, outside), 4),
        "hidden_classes_recall": round(float((outside < least).mean()), 4) if len(outside) else None,
        "right_and_in_scope": round(float((is_right & (inside >= least)).mean()), 4),
    }


def _describe(
    rows: Sequence[LabelledText], languages: Sequence[str], options: TrainingOptions, recipe: Recipe, part_weight: float
) -> dict[str, Any]:
    return {
        "name": options.name,
        "version": options.version,
        "description": options.description,
        "created_from": {
            "rows_sha256": fingerprint(rows),
            "n_rows": len(rows),
            "n_labels": len({row.label for row in rows}),
            "rows_by_language": dict(sorted(Counter(languages).items())),
            "license": options.data_license,
        },
        "features": {
            "views": {
                "words": "1-2 words, TF-IDF",
                "pairs": "2 words with at most 2 between them, TF-IDF",
                "chars": "2-5 characters within a word, TF-IDF",
            },
            "meaning": _meaning(recipe),
            "penalty": recipe.penalty,
            "meaning_weight": recipe.meaning_weight,
            "part_weight": part_weight,
            "seed": options.seed,
            "n_folds": options.n_folds,
            "acceptance": options.acceptance,
        },
    }


def _meaning(recipe: Recipe) -> str:
    landmarks = f"squared hinge on the likeness to {recipe.n_landmarks} landmarks at most, Nyström, sharpness {recipe.sharpness}"
    if recipe.is_exact:
        return f"{landmarks}, averaged with least squares on the likeness to every training text"
    return landmarks
