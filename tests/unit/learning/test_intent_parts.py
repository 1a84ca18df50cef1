"""Solver, calibration, scope and rehearsal, against answers worked out another way."""

from __future__ import annotations

import numpy as np
import pytest

from neural_hive.learning.intents.calibrate import (
    expected_calibration_error,
    fit_temperature,
    log_loss,
    probabilities,
    reliability,
)
from neural_hive.learning.intents.landmarks import choose_landmarks, likeness, whitening
from neural_hive.learning.intents.linear import Recipe, Scored, fit_linear, read_corpus
from neural_hive.learning.intents.model import macro_f1
from neural_hive.learning.intents.parts import code, membership, parts_of
from neural_hive.learning.intents.rehearse import _hidden_classes, stratified_folds
from neural_hive.learning.intents.scope import ANY_LANGUAGE, Sample, ScopeRule, area_under_roc, fit_scope, signals
from neural_hive.learning.intents.solver import Features, fit_exactly, fit_outputs
from neural_hive.understanding.features import SparseRows


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def units(rng: np.random.Generator, n: int, n_dimensions: int = 8) -> np.ndarray:
    x = rng.normal(size=(n, n_dimensions)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_the_solver_finds_the_minimum(rng: np.random.Generator) -> None:
    x = units(rng, 200)
    truth = (x @ rng.normal(size=(8, 3))).argmax(axis=1)
    nothing = SparseRows(np.zeros(201, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), 0)
    signs = np.where(truth[:, None] == np.arange(3), 1, -1).astype(np.float32)
    weights = fit_outputs(Features(nothing, x), signs, 0.5)
    design = np.column_stack([x, np.ones(200)]).astype(np.float64)
    slack = np.maximum(1 - signs * (design @ weights), 0)
    slope = -2 * design.T @ (signs * slack) + 2 * 0.5 * weights
    assert np.abs(slope).max() < 0.05 * np.abs(2 * design.T @ signs).max()


def test_the_exact_solver_finds_the_minimum(rng: np.random.Generator) -> None:
    x = units(rng, 60, n_dimensions=80)
    signs = np.where(rng.normal(size=(60, 3)) > 0, 1, -1).astype(np.float32)
    weights = x.T @ fit_exactly(x @ x.T, signs, 0.5)
    slope = x.T @ (x @ weights - signs) + 0.5 * weights
    assert np.abs(slope).max() < 1e-4 * np.abs(x.T @ signs).max()


def test_an_exact_model_scores_its_texts_as_its_equations_say(rng: np.random.Generator) -> None:
    texts = [
        f"{verb} {thing} {place}" for verb in ("turn on", "dim") for thing in ("lamp", "fan") for place in ("here", "up", "now")
    ]
    signs = np.where(rng.normal(size=(len(texts), 3)) > 0, 1, -1).astype(np.float32)
    corpus, penalty, meaning_weight = read_corpus(texts, units(rng, len(texts))), 0.7, 1.5
    both = fit_linear(corpus, signs, Recipe(penalty, meaning_weight, 4, 2.0, 0, is_exact=True))
    stepwise = fit_linear(corpus, signs, Recipe(penalty, meaning_weight, 4, 2.0, 0, is_exact=False))
    scores = 1.5 * both.score(corpus).scores - 0.5 * stepwise.score(corpus).scores  # of the exact one, two thirds of the mean
    shares = 1.5 * both.model.landmark_weights[4:] / meaning_weight**2
    assert np.allclose(scores, signs - penalty * shares, atol=1e-3)  # (G + penalty) shares = signs


def test_sparse_and_dense_columns_mean_the_same(rng: np.random.Generator) -> None:
    x = units(rng, 60)
    signs = np.where(rng.normal(size=(60, 3)) > 0, 1, -1).astype(np.float32)
    starts = np.arange(0, 60 * 8 + 1, 8)
    sparse = SparseRows(starts, np.tile(np.arange(8), 60), x.ravel(), 8)
    nothing = SparseRows(np.zeros(61, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), 0)
    one = fit_outputs(Features(sparse, np.zeros((60, 0), dtype=np.float32)), signs, 1.0)
    other = fit_outputs(Features(nothing, x), signs, 1.0)
    assert np.allclose(one, other, atol=1e-3)


def test_whitened_landmarks_reproduce_the_likeness(rng: np.random.Generator) -> None:
    x = units(rng, 40)
    landmarks = choose_landmarks(np.vstack([x, x]), 40, rng)
    assert len(landmarks) == 40, "a text that stands twice is one landmark"
    features = likeness(x, landmarks, 2.0) @ whitening(landmarks, 2.0)
    assert np.allclose(features @ features.T, likeness(x, x, 2.0), atol=2e-3)


def test_the_temperature_undoes_a_known_scaling(rng: np.random.Generator) -> None:
    logits = rng.normal(size=(4_000, 5)).astype(np.float32) * 2
    chances = probabilities(logits, 1.0)
    truth = np.asarray([rng.choice(5, p=row) for row in chances])
    temperature = fit_temperature(logits * np.float32(0.25), truth)
    assert temperature == pytest.approx(0.25, rel=0.1)
    assert log_loss(logits * np.float32(0.25), truth, temperature) < log_loss(logits * np.float32(0.25), truth, 1.0)


@pytest.mark.parametrize("n", [3, 20, 1_000])
def test_right_answers_teach_no_more_certainty_than_their_number(n: int) -> None:
    truth = np.arange(n) % 3
    scores = np.where(truth[:, None] == np.arange(3), 1, -1).astype(np.float32)
    confidence = probabilities(scores, fit_temperature(scores, truth)).max(axis=1)
    assert confidence == pytest.approx(n / (n + 1), abs=1e-4), "Laplace's rule of succession, one wrong answer assumed"


def test_probabilities_sum_to_one_and_hidden_classes_have_none() -> None:
    chances = probabilities(np.asarray([[3.0, 1.0, -np.inf], [900.0, -900.0, 0.0]], dtype=np.float32), 0.1)
    assert np.allclose(chances.sum(axis=1), 1)
    assert chances[0, 2] == 0


def test_calibration_error_by_hand() -> None:
    confidence = np.asarray([0.9, 0.9, 0.9, 0.9, 0.1, 0.1])
    is_right = np.asarray([True, True, True, False, False, False])
    assert expected_calibration_error(confidence, is_right) == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.1)
    assert [b.n for b in reliability(confidence, is_right)] == [2, 4]
    assert expected_calibration_error(np.zeros(0), np.zeros(0, dtype=np.bool_)) == 0


def test_macro_f1_by_hand() -> None:
    truth, said = np.asarray(["a", "a", "b", "b"]), np.asarray(["a", "b", "b", "c"])
    assert macro_f1(truth, said) == pytest.approx((2 * 1 / 3 + 2 * 1 / 4) / 2)


def test_area_under_the_curve_by_hand() -> None:
    assert area_under_roc(np.asarray([3.0, 2.0]), np.asarray([1.0, 2.0])) == pytest.approx((1 + 1 + 1 + 0.5) / 4)
    assert area_under_roc(np.zeros(0), np.ones(3)) == 0.5


def test_signals_rise_with_likelihood() -> None:
    scores = np.asarray([[2.0, -1.0, -1.0], [0.1, 0.0, -0.1]], dtype=np.float32)
    found = signals(Scored(scores, np.asarray([0.9, 0.3], np.float32), np.asarray([[1, 1], [0.5, 0.2]], np.float32)), 0.2)
    assert found.shape == (2, 6)
    assert (found[0] > found[1]).all()


def test_the_scope_rule_keeps_the_promised_share_in_every_language(rng: np.random.Generator) -> None:
    inside = rng.normal(2, 1, size=(2_000, 6))
    inside[1_000:] -= 1.5
    sample = Sample(inside, ["pt"] * 1_000 + ["es"] * 1_000)
    rule = fit_scope(sample, Sample(rng.normal(-2, 1, size=(500, 6)), ["pt"] * 500), 0.97)
    scores = rule.score(inside)
    assert (scores[:1_000] >= rule.threshold("pt")).mean() == pytest.approx(0.97, abs=0.002)
    assert (scores[1_000:] >= rule.threshold("es")).mean() == pytest.approx(0.97, abs=0.002)
    assert rule.threshold("fr") == rule.thresholds[ANY_LANGUAGE]
    assert (rule.weights >= 0).all()


def test_a_signal_that_points_the_wrong_way_is_left_out(rng: np.random.Generator) -> None:
    inside, outside = rng.normal(1, 1, size=(500, 6)), rng.normal(-1, 1, size=(500, 6))
    inside[:, 0], outside[:, 0] = outside[:, 0].copy(), inside[:, 0].copy()
    rule = fit_scope(Sample(inside, [""] * 500), Sample(outside, [""] * 500), 0.95)
    assert rule.weights[0] == 0
    assert (rule.weights[1:] > 0).all()


def test_without_hidden_classes_every_signal_counts(rng: np.random.Generator) -> None:
    rule = fit_scope(Sample(rng.normal(size=(50, 6)), [""] * 50), Sample(np.zeros((0, 6)), []), 0.9)
    assert isinstance(rule, ScopeRule)
    assert np.allclose(rule.weights, 1 / 6)


def test_labels_share_words() -> None:
    assert parts_of("card_PaymentFee-2") == {"card", "payment", "fee", "2"}
    members = membership(["alarm_set", "alarm_query", "calendar_set"])
    assert members.tolist() == [[1, 1], [1, 0], [0, 1]]  # alarm, set
    assert code(members)[0].tolist() == [1, -1, -1, 1, 1]
    assert membership(["a", "b"]).shape == (2, 0)
    assert membership(["intent 1", "intent 2"]).shape == (2, 0), "what all labels share tells nothing"


def test_folds_spread_every_class_evenly(rng: np.random.Generator) -> None:
    truth = np.repeat([0, 1, 2], [40, 8, 20])
    folds = stratified_folds(truth, 4, rng)
    for label in range(3):
        sizes = np.bincount(folds[truth == label], minlength=4)
        assert sizes.max() - sizes.min() <= 1


def test_no_class_is_hidden_twice_and_few_classes_are_never_hidden(rng: np.random.Generator) -> None:
    hidden = np.stack(list(_hidden_classes(20, 4, rng)))
    assert hidden.sum(axis=0).max() == 1
    assert not np.stack(list(_hidden_classes(3, 4, rng))).any()
