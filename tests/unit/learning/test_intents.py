"""Your own intents: what is learnt, how sure the model says it is, and what it refuses."""

from __future__ import annotations

import importlib.util
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_hive.errors import ModelError, UsageError
from neural_hive.learning.intents import (
    IntentModel,
    LabelledText,
    TrainingOptions,
    classify,
    evaluate,
    load_model,
    report,
    save_model,
    train_intents,
)

_SPEC = importlib.util.spec_from_file_location("word_encoder", Path(__file__).with_name("word_encoder.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
ENCODER: Any = _MODULE.WordEncoder()

VERBS = {
    "pt": {"lights_on": "acender ligar", "lights_off": "apagar desligar", "music_play": "tocar ouvir", "weather": "chover nevar"},
    "en": {"lights_on": "light brighten", "lights_off": "darken dim", "music_play": "play hear", "weather": "rain snow"},
}
THINGS = {
    "pt": {"lights": "luz lâmpada candeeiro", "music": "música canção rádio", "weather": "amanhã hoje sábado"},
    "en": {"lights": "lamp bulb lantern", "music": "song radio album", "weather": "tomorrow today saturday"},
}
PLACES = {"pt": ["na sala", "na cozinha", "por favor", "já"], "en": ["in the kitchen", "upstairs", "please", "now"]}
OPTIONS = TrainingOptions(n_folds=3, n_landmarks=64, name="home", data_license="CC0-1.0")


def rows() -> list[LabelledText]:
    made = []
    for language, by_label in VERBS.items():
        for label, verbs in by_label.items():
            things = THINGS[language][label.split("_")[0]].split()
            for verb, thing, place in itertools.product(verbs.split(), things, PLACES[language]):
                made.append(LabelledText(f"{verb} {thing} {place}", label, language))
    return made


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return train_intents(rows(), OPTIONS, encoder=ENCODER)


def test_it_labels_what_it_was_taught_and_is_sure(model: IntentModel) -> None:
    answers = model.label(["apagar luz na sala já", "hear song now please"], ["pt", "en"])
    assert [answer.label for answer in answers] == ["lights_off", "music_play"]
    assert all(answer.in_scope and answer.confidence > 0.8 for answer in answers)


def test_more_rows_than_can_be_solved_exactly_are_learnt_step_by_step() -> None:
    large = train_intents(rows(), replace(OPTIONS, n_exact=10), encoder=ENCODER)
    answers = large.label(["apagar luz na sala já", "hear song now please"], ["pt", "en"])
    assert [answer.label for answer in answers] == ["lights_off", "music_play"]
    assert len(large.linear.landmarks) == OPTIONS.n_landmarks
    assert "averaged" not in large.manifest["features"]["meaning"]


def test_it_refuses_what_nobody_taught_it(model: IntentModel) -> None:
    texts = ["quero rever o contrato de seguro", "the quarterly tax filing", "", "?!", "xyzzy " * 2_000]
    answers = model.label(texts, ["pt", "en", "", "", ""])
    assert not any(answer.in_scope for answer in answers)


def test_rows_are_answered_in_order_with_their_ids(model: IntentModel) -> None:
    asked = [{"id": at, "text": row.text, "language": row.language} for at, row in enumerate(rows())]
    answers = list(classify(model, iter(asked)))
    assert [answer["id"] for answer in answers] == list(range(len(asked)))
    assert list(answers[0]) == ["id", "label", "confidence", "in_scope"]
    assert sum(answer["label"] == row.label for answer, row in zip(answers, rows(), strict=True)) >= 0.98 * len(asked)


def test_a_text_gets_the_same_answer_alone_and_in_a_batch(model: IntentModel) -> None:
    texts = [row.text for row in rows()][:70]
    together = model.label(texts)
    for text, answer in zip(texts, together, strict=True):
        alone = model.label([text])[0]
        assert alone.label == answer.label
        assert alone.confidence == pytest.approx(answer.confidence, abs=1e-5)


def test_a_row_without_text_is_a_usage_error(model: IntentModel) -> None:
    with pytest.raises(UsageError, match="'7'"):
        list(classify(model, [{"id": "7"}]))


def test_each_language_has_a_threshold_and_others_share_one(model: IntentModel) -> None:
    many = [LabelledText(row.text + end, row.label, row.language) for row in rows() for end in (" um", " dois", " tres")]
    thresholds = train_intents(many, OPTIONS, encoder=ENCODER).scope.thresholds
    assert set(thresholds) == {"", "pt", "en"}
    assert set(model.scope.thresholds) == {""}, "too few rows to know the tail of a language"


def test_the_same_rows_and_options_give_the_same_bytes(model: IntentModel, tmp_path: Path) -> None:
    first, second = save_model(model, tmp_path / "a"), save_model(train_intents(rows(), OPTIONS, encoder=ENCODER), tmp_path / "b")
    assert first["digest"] == second["digest"]
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_a_saved_model_answers_as_before(model: IntentModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "m")
    texts = [row.text for row in rows()]
    assert load_model(tmp_path / "m", ENCODER).label(texts) == model.label(texts)


def test_saving_replaces_a_model_but_nothing_else(model: IntentModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "m")
    save_model(model, tmp_path / "m")
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not touch")
    with pytest.raises(UsageError, match="holds no intent model"):
        save_model(model, tmp_path / "mine")
    with pytest.raises(UsageError, match="no folder"):
        save_model(model, tmp_path / "no" / "such")


def test_an_interrupted_save_leaves_the_old_model_and_no_remains(
    model: IntentModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(model, tmp_path / "m")
    before = {file.name: file.read_bytes() for file in (tmp_path / "m").iterdir()}

    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("neural_hive.learning.intents.artefact.os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_model(model, tmp_path / "m")
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    assert {file.name: file.read_bytes() for file in (tmp_path / "m").iterdir()} == before


@pytest.mark.parametrize("name", ["weights.npz", "labels.json", "words.txt", "chars.txt", "MODEL_CARD.md", "manifest.json"])
def test_a_changed_byte_is_found(model: IntentModel, tmp_path: Path, name: str) -> None:
    save_model(model, tmp_path / "m")
    content = bytearray((tmp_path / "m" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "m" / name).write_bytes(content)
    with pytest.raises(ModelError):
        load_model(tmp_path / "m", ENCODER)


@pytest.mark.parametrize("name", ["weights.npz", "words.txt", "manifest.json"])
def test_a_missing_file_is_found(model: IntentModel, tmp_path: Path, name: str) -> None:
    save_model(model, tmp_path / "m")
    (tmp_path / "m" / name).unlink()
    with pytest.raises(ModelError):
        load_model(tmp_path / "m", ENCODER)


def test_a_model_for_another_encoder_is_refused(model: IntentModel, tmp_path: Path) -> None:
    class Other(type(ENCODER)):  # type: ignore[misc]
        digest = "2" * 64

    save_model(model, tmp_path / "m")
    with pytest.raises(ModelError, match="another sentence encoder"):
        load_model(tmp_path / "m", Other())


def test_no_file_of_a_model_is_a_pickle_and_the_card_tells_the_licence(model: IntentModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "m")
    with np.load(tmp_path / "m" / "weights.npz", allow_pickle=False) as arrays:
        assert all(array.dtype.kind == "f" for array in arrays.values())
    card = (tmp_path / "m" / "MODEL_CARD.md").read_text()
    assert "CC0-1.0" in card
    assert "calibration error" in card


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], "no rows"),
        ([LabelledText("a b", "x"), LabelledText("c d", "x")], "All rows have the label 'x'"),
        ([LabelledText("a", "x"), LabelledText("b", "x"), LabelledText("c", "y")], "'y' has a single row"),
    ],
)
def test_rows_that_teach_nothing_are_refused(bad: list[LabelledText], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train_intents(bad, OPTIONS, encoder=ENCODER)


@pytest.mark.parametrize("n_labels", [2, 3, 4])
def test_a_handful_of_rows_is_enough_to_start(n_labels: int) -> None:
    few = [LabelledText(f"{word} {at}", word) for word in ("pay", "ship", "cancel", "help")[:n_labels] for at in ("a", "b")]
    found = train_intents(few, OPTIONS, encoder=ENCODER).label(["pay a", "ship b"])
    assert [answer.label for answer in found] == ["pay", "ship"]


def test_rows_that_contradict_each_other_still_give_a_model_that_is_not_sure() -> None:
    same = [LabelledText("pay the bill", label) for label in ("x", "y") for _ in range(4)]
    answer = train_intents(same, OPTIONS, encoder=ENCODER).label(["pay the bill"])[0]
    assert answer.confidence < 0.7


def test_evaluation_counts_by_hand(model: IntentModel) -> None:
    asked = [*rows()[:24], LabelledText("declare the income tax", "oos", "en"), LabelledText("acender luz já", "weather", "pt")]
    found = evaluate(model, asked, "oos")
    assert found["n"] == 25
    assert found["accuracy"] == pytest.approx(24 / 25, abs=1e-4)
    assert found["confusions"] == [{"label": "weather", "taken_for": "lights_on", "n": 1}]
    assert found["out_of_scope"]["recall"] == 1
    assert sum(b["n"] for b in found["reliability"]) == 25
    assert found["by_language"]["pt"]["n"] == 25
    assert found["labels_unknown_to_the_model"] == {}


def test_labels_that_the_model_does_not_know_count_as_wrong(model: IntentModel) -> None:
    found = evaluate(model, [rows()[0], LabelledText("acender luz", "something_else")])
    assert found["accuracy"] == 0.5
    assert found["labels_unknown_to_the_model"] == {"something_else": 1}


def test_a_data_set_without_rows_in_scope_cannot_be_measured(model: IntentModel) -> None:
    with pytest.raises(UsageError, match="No row is in scope"):
        evaluate(model, [LabelledText("a", "oos")], "oos")


def test_the_report_is_one_page_that_loads_nothing_and_escapes_what_it_shows(model: IntentModel) -> None:
    asked = [*rows(), LabelledText("acender luz", "<script>alert(1)</script>"), LabelledText("tax", "oos")]
    page = report(evaluate(model, asked, "oos"))
    assert page.count("<svg") >= 3
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "&lt;script&gt;" in page
