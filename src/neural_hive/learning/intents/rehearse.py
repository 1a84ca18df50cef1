"""Rehearsal: models fitted on parts of the data show how sure they may be, and what an unknown request looks like."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neural_hive.learning.intents.calibrate import fit_temperature, log_loss
from neural_hive.learning.intents.linear import Corpus, Fitted, Recipe, Scored, fit_linear
from neural_hive.learning.intents.options import TrainingOptions
from neural_hive.learning.intents.parts import code
from neural_hive.understanding.features import Floats, Integers

#: Share of the classes that is hidden once, over all folds.
_HIDDEN_SHARE = 0.5
#: With fewer classes nothing can be hidden and still leave a choice.
_LEAST_CLASSES = 4
#: One in so many of the candidate rows is what candidates are compared on.
_ONE_COMPARED_IN = 3


@dataclass(frozen=True, slots=True)
class Part:
    """What one fold's model made of texts it had not seen.

    rows: int64 (n_texts,), which rows of the data. scored: of the classes, −∞ for those that were hidden. shared: float32
    (n_texts, n_parts), scores of the parts that labels share.
    """

    rows: Integers
    scored: Scored
    shared: Floats

    def mixed(self, members: Floats, weight: float) -> Part:
        """With the shared parts added to the classes that have them."""
        scores = self.scored.scores + np.float32(weight) * (self.shared @ members.T)
        return replace(self, scored=replace(self.scored, scores=scores))


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """known: rows of classes that the fold's model had learnt. unknown: rows of classes that were hidden from it."""

    known: Part
    unknown: Part

    def mixed(self, members: Floats, weight: float) -> Rehearsal:
        """With the shared parts added to the classes that have them."""
        return Rehearsal(self.known.mixed(members, weight), self.unknown.mixed(members, weight))

    def is_right(self, truth: Integers) -> NDArray[np.bool_]:
        """bool (n_known,): the best score is that of the row's class."""
        right: NDArray[np.bool_] = self.known.scored.scores.argmax(axis=1) == truth[self.known.rows]
        return right


def rehearse(
    corpus: Corpus,
    truth: Integers,
    members: Floats,
    recipe: Recipe,
    options: TrainingOptions,
    on_fold: Callable[[int], None],
) -> Rehearsal:
    """Cross-validate, hiding some classes from each fold's model.

    Args:
        corpus: n_texts rows.
        truth: int64 (n_texts,).
        members: float32 (n_classes, n_parts), see `membership`.
        recipe: of the linear model.
        options: folds and seed.
        on_fold: called with the number of folds done.
    """
    rng = np.random.default_rng(options.seed)
    fold_of = stratified_folds(truth, options.n_folds, rng)
    signs = code(members)
    known, unknown = [], []
    for fold, hidden in enumerate(_hidden_classes(len(members), options.n_folds, rng)):
        is_hidden, is_held_out = hidden[truth], fold_of == fold
        outputs = np.concatenate([~hidden, np.ones(members.shape[1], dtype=np.bool_)])
        rows = np.flatnonzero(~is_hidden & ~is_held_out)
        fitted = fit_linear(corpus.take(rows), signs[truth[rows]][:, outputs], recipe)
        known.append(_score(fitted, corpus, np.flatnonzero(~is_hidden & is_held_out), hidden))
        unknown.append(_score(fitted, corpus, np.flatnonzero(is_hidden), hidden))
        on_fold(fold + 1)
    return Rehearsal(_joined(known), _joined(unknown))


def stratified_folds(truth: Integers, n_folds: int, rng: np.random.Generator) -> Integers:
    """int64 (n_texts,): a fold for each text, each class spread evenly."""
    order = rng.permutation(len(truth))
    by_class = order[np.argsort(truth[order], kind="stable")]
    folds = np.empty(len(truth), dtype=np.int64)
    folds[by_class] = np.arange(len(truth)) % n_folds
    return folds


def _hidden_classes(n_classes: int, n_folds: int, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """For each fold, bool (n_classes,): the classes its model must not know. No class is hidden twice."""
    order = rng.permutation(n_classes)
    n_hidden = max(1, round(_HIDDEN_SHARE * n_classes / n_folds)) if n_classes >= _LEAST_CLASSES else 0
    for fold in range(n_folds):
        hidden = np.zeros(n_classes, dtype=np.bool_)
        hidden[order[fold * n_hidden : (fold + 1) * n_hidden]] = True
        yield hidden


def _score(fitted: Fitted, corpus: Corpus, rows: Integers, hidden: NDArray[np.bool_]) -> Part:
    scored = fitted.score(corpus.take(rows))
    n_learnt = int((~hidden).sum())
    scores: Floats = np.full((len(rows), len(hidden)), -np.inf, dtype=np.float32)
    scores[:, ~hidden] = scored.scores[:, :n_learnt]
    return Part(rows, replace(scored, scores=scores), scored.scores[:, n_learnt:])


def _joined(parts: Sequence[Part]) -> Part:
    scored = Scored(*(np.concatenate([getattr(p.scored, name) for p in parts]) for name in ("scores", "nearest", "known")))
    return Part(np.concatenate([p.rows for p in parts]), scored, np.concatenate([p.shared for p in parts]))


def choose_part_weight(rehearsal: Rehearsal, truth: Integers, members: Floats, weights: Sequence[float]) -> float:
    """The weight of the shared parts with the least log loss on known rows, each at its best temperature."""
    if not members.shape[1]:
        return 0.0
    losses = [_log_loss(rehearsal.mixed(members, weight).known, truth) for weight in weights]
    return weights[losses.index(min(losses))]


def _log_loss(known: Part, truth: Integers) -> float:
    actual = truth[known.rows]
    return log_loss(known.scored.scores, actual, fit_temperature(known.scored.scores, actual))


def choose_recipe(corpus: Corpus, truth: Integers, options: TrainingOptions, on_try: Callable[[float], None]) -> Recipe:
    """The recipe whose model labels unseen rows best.

    The first candidates of the options are kept unless another is better by more than one standard error of the
    difference. Source: Breiman et al. 1984, "Classification and regression trees" (the one-standard-error rule).
    """
    is_exact = len(truth) <= options.n_exact
    first = options.penalties[0], options.meaning_weights[0]
    default = Recipe(*first, options.n_landmarks, options.sharpness, options.seed, is_exact)
    others = [replace(default, meaning_weight=weight) for weight in options.meaning_weights[1:]]
    others += [replace(default, penalty=penalty) for penalty in options.penalties[1:]]
    rng = np.random.default_rng(options.seed)
    rows = np.sort(rng.permutation(len(truth))[: options.n_choice_rows])
    is_compared = stratified_folds(truth[rows], _ONE_COMPARED_IN, rng) == 0
    train, test = rows[~is_compared], rows[is_compared]
    classes, numbered = np.unique(truth[train], return_inverse=True)
    if len(classes) < 2 or not len(test):
        return default
    signs = code(np.zeros((len(classes), 0), dtype=np.float32))[numbered]
    best, best_right = default, np.zeros(0, dtype=np.bool_)
    for at, recipe in enumerate([default, *others]):
        scored = fit_linear(corpus.take(train), signs, recipe).score(corpus.take(test))
        right = classes[scored.scores.argmax(axis=1)] == truth[test]
        if recipe is default or _is_clearly_better(right, best_right):
            best, best_right = recipe, right
        on_try((at + 1) / (len(others) + 1))
    return best


def _is_clearly_better(right: NDArray[np.bool_], than: NDArray[np.bool_]) -> bool:
    won, lost = int((right & ~than).sum()), int((than & ~right).sum())
    return won - lost > math.sqrt(won + lost)
