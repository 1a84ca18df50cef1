"""The linear model over n-grams and meaning: what it reads, how it is fitted, how it scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_hive.learning.intents.landmarks import choose_landmarks, likeness, whitening
from neural_hive.learning.intents.solver import Features, fit_exactly, fit_outputs, sparse_matrix
from neural_hive.understanding.features import (
    VIEWS,
    Floats,
    Integers,
    NgramView,
    SparseRows,
    count,
    coverage,
    inverse_document_frequency,
    learn_vocabulary,
    weigh,
)

#: Texts that must hold an n-gram for it to count. A word said once is kept: it may be the only name of a thing.
_LEAST_TEXTS = {"words": 1, "pairs": 2, "chars": 2}
#: What the exact model counts for in the mean of both; chosen among 1/2 and 2/3 on rows of MASSIVE and BANKING77.
_EXACT_SHARE = 2 / 3
#: Rows of inner products that are worked out at once, so that the sparse ones need little memory.
_N_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model makes of n_texts.

    scores: float32 (n_texts, n_outputs), above 0 for an output that the text fits. nearest: float32 (n_texts,), likeness in
    (0, 1] to the most alike landmark. known: float32 (n_texts, n_views) in [0, 1], share of the n-grams that were seen in
    training.
    """

    scores: Floats
    nearest: Floats
    known: Floats


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights by view and landmark.

    An output is a class, or while training also a part that labels share. view_weights: per view float16 (float32 while
    training) (n_columns, n_outputs). landmarks: float32 (n_landmarks, n_dimensions). landmark_weights: float32
    (n_landmarks, n_outputs). bias: float32 (n_outputs,). sharpness: see `likeness`.
    """

    view_weights: tuple[NDArray[np.float16] | Floats, ...]
    landmarks: Floats
    landmark_weights: Floats
    bias: Floats
    sharpness: float

    def score(self, views: Sequence[tuple[SparseRows, Floats]], vectors: Floats) -> Scored:
        """Score texts given their weighted n-grams and coverage by view, and their sentence vectors."""
        kernel = likeness(vectors, self.landmarks, self.sharpness)
        scores = kernel @ self.landmark_weights
        scores += self.bias
        for (rows, _), weights in zip(views, self.view_weights, strict=True):
            for at, (start, stop) in enumerate(zip(rows.starts, rows.starts[1:], strict=False)):
                scores[at] += rows.values[start:stop] @ weights[rows.columns[start:stop]].astype(np.float32)
        return Scored(scores, kernel.max(axis=1), np.stack([known for _, known in views], axis=1))

    def averaged(self, other: LinearModel, share: float) -> LinearModel:
        """The model whose scores are (1 − share) × these + share × those of another over the same views."""
        ours, theirs = np.float32(1 - share), np.float32(share)
        pairs = zip(self.view_weights, other.view_weights, strict=True)
        return LinearModel(
            tuple(ours * own + theirs * others for own, others in pairs),
            np.vstack([self.landmarks, other.landmarks]),
            np.vstack([ours * self.landmark_weights, theirs * other.landmark_weights]),
            ours * self.bias + theirs * other.bias,
            self.sharpness,
        )

    def mixed(self, mixing: Floats) -> LinearModel:
        """The model whose outputs are sums of these: scores @ mixing, float32 (n_outputs, n_new_outputs). In half size."""
        views = tuple((weights @ mixing).astype(np.float16) for weights in self.view_weights)
        return LinearModel(views, self.landmarks, self.landmark_weights @ mixing, self.bias @ mixing, self.sharpness)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Training texts as numbers: per view all n-grams counted, and the sentence vectors.

    vocabularies, counts, totals: by view, see `count`. vectors: float32 (n_texts, n_dimensions).
    """

    vocabularies: tuple[dict[str, int], ...]
    counts: tuple[SparseRows, ...]
    totals: tuple[Floats, ...]
    vectors: Floats

    def take(self, rows: Integers) -> Corpus:
        """These texts only; the vocabularies stay whole."""
        counts = tuple(view.take(rows) for view in self.counts)
        return Corpus(self.vocabularies, counts, tuple(total[rows] for total in self.totals), self.vectors[rows])


def read_corpus(texts: Sequence[str], vectors: Floats) -> Corpus:
    """Count every n-gram of the texts."""
    vocabularies = tuple(learn_vocabulary(texts, view) for view in VIEWS)
    counted = [count(texts, view, vocabulary) for view, vocabulary in zip(VIEWS, vocabularies, strict=True)]
    return Corpus(vocabularies, tuple(c for c, _ in counted), tuple(t for _, t in counted), vectors)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one linear model is fitted: see `TrainingOptions` for the meaning of each number."""

    penalty: float
    meaning_weight: float
    n_landmarks: int
    sharpness: float
    seed: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Fitted:
    """A linear model and the columns of the corpus that it knows.

    kept: per view bool (n_columns,). idf: per view float32 (n_kept,).
    """

    model: LinearModel
    kept: tuple[NDArray[np.bool_], ...]
    idf: tuple[Floats, ...]

    def score(self, corpus: Corpus) -> Scored:
        """Score other rows of the corpus that the model was fitted on."""
        return self.model.score(self._views(corpus), corpus.vectors)

    def _views(self, corpus: Corpus) -> list[tuple[SparseRows, Floats]]:
        counts = [view.keep(kept) for view, kept in zip(corpus.counts, self.kept, strict=True)]
        known = [coverage(view, total) for view, total in zip(counts, corpus.totals, strict=True)]
        return [(weigh(view, idf), share) for view, idf, share in zip(counts, self.idf, known, strict=True)]

    def views(self, corpus: Corpus) -> tuple[NgramView, ...]:
        """The featurisers of the model, for texts from outside the corpus."""
        vocabularies = [_kept_ngrams(*pair) for pair in zip(corpus.vocabularies, self.kept, strict=True)]
        return tuple(NgramView(*view) for view in zip(VIEWS, vocabularies, self.idf, strict=True))


def _kept_ngrams(vocabulary: dict[str, int], kept: NDArray[np.bool_]) -> dict[str, int]:
    return {ngram: at for at, ngram in enumerate(ngram for ngram, column in vocabulary.items() if kept[column])}


def fit_linear(corpus: Corpus, signs: Floats, recipe: Recipe) -> Fitted:
    """Fit on all rows of `corpus`.

    Args:
        corpus: n_texts rows.
        signs: float32 (n_texts, n_outputs), +1 or −1: what each output should say of each text.
        recipe: penalty, weights, landmarks.
    """
    frequencies = [view.document_frequency() for view in corpus.counts]
    kept = tuple(f >= _LEAST_TEXTS[view] for view, f in zip(VIEWS, frequencies, strict=True))
    idf = tuple(
        inverse_document_frequency(len(signs), frequency[wanted]) for frequency, wanted in zip(frequencies, kept, strict=True)
    )
    weighed = [weigh(view.keep(k), i) for view, k, i in zip(corpus.counts, kept, idf, strict=True)]
    model = _fit_stepwise(weighed, corpus.vectors, signs, recipe)
    if recipe.is_exact:
        model = model.averaged(_fit_exactly(weighed, corpus.vectors, signs, recipe), _EXACT_SHARE)
    return Fitted(model, kept, idf)


def _fit_exactly(weighed: Sequence[SparseRows], vectors: Floats, signs: Floats, recipe: Recipe) -> LinearModel:
    """Least squares; every training text is a landmark."""
    meaning = np.float32(recipe.meaning_weight**2)
    gram = likeness(vectors, vectors, recipe.sharpness)
    gram *= meaning
    gram += 1  # the constant, whose weight is the bias
    views = [sparse_matrix(view) for view in weighed]
    for view in views:
        columns = view.T.tocsr()
        for start in range(0, len(gram), _N_AT_ONCE):
            gram[start : start + _N_AT_ONCE] += (view[start : start + _N_AT_ONCE] @ columns).toarray()
    shares = fit_exactly(gram, signs, recipe.penalty)
    return LinearModel(tuple(view.T @ shares for view in views), vectors, meaning * shares, shares.sum(axis=0), recipe.sharpness)


def _fit_stepwise(weighed: Sequence[SparseRows], vectors: Floats, signs: Floats, recipe: Recipe) -> LinearModel:
    """Squared hinge loss; some training texts are landmarks."""
    landmarks = choose_landmarks(vectors, recipe.n_landmarks, np.random.default_rng(recipe.seed))
    basis = whitening(landmarks, recipe.sharpness) * np.float32(recipe.meaning_weight)
    meaning = likeness(vectors, landmarks, recipe.sharpness) @ basis
    weights = fit_outputs(Features(_side_by_side(weighed), meaning), signs, recipe.penalty)
    sizes = np.cumsum([view.n_columns for view in weighed])
    *view_weights, rest = np.split(weights, sizes)
    landmark_weights: Floats = np.matmul(basis, rest[:-1], dtype=np.float32)
    return LinearModel(tuple(view_weights), landmarks, landmark_weights, rest[-1].copy(), recipe.sharpness)


def _side_by_side(views: Sequence[SparseRows]) -> SparseRows:
    """The columns of all views, one view after the other."""
    first, *others = views
    for other in others:
        order = np.argsort(np.concatenate([first.row_of, other.row_of]), kind="stable")
        columns = np.concatenate([first.columns, other.columns + first.n_columns])[order]
        values = np.concatenate([first.values, other.values])[order]
        first = SparseRows(first.starts + other.starts, columns, values, first.n_columns + other.n_columns)
    return first
