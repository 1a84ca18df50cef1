"""The model card: what a model was made from, how good it is, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def model_card(manifest: Mapping[str, Any]) -> str:
    """Markdown, after Mitchell et al. 2019, "Model cards for model reporting". Depends on the manifest alone."""
    made, metrics, features = manifest["created_from"], manifest["metrics"], manifest["features"]
    languages = ", ".join(f"{name or 'not stated'}: {n:,}" for name, n in made["rows_by_language"].items())
    about = f"{manifest['description']}\n\n" if manifest["description"] else ""
    return f"""# {manifest["name"]}, version {manifest["version"]}

{about}Labels short requests with one of {made["n_labels"]} intents, with a probability, or says that a request is none of them.

## Data

{made["n_rows"]:,} labelled texts ({languages}). License of the data: {made["license"]}.
SHA-256 of the rows: `{made["rows_sha256"]}`. No out-of-scope examples were used.

## How it works

Linear, one score per intent, over {"; ".join(features["views"].values())};
and the sentence vector of the encoder `{manifest["encoder"]["name"]}` ({features["meaning"]}).
Penalty {features["penalty"]}, weight of the meaning {features["meaning_weight"]}, of words that labels share {features["part_weight"]}, seed {features["seed"]}.
Probabilities: softmax with temperature {manifest["temperature"]:.4f}, fitted on held-out folds.
Out of scope: a rule learnt from intents that were hidden from the model in turn; thresholds per language keep
{100 * features["acceptance"]:g} % of correctly labelled requests.

## How good it is

{_table(metrics)}

Measured by {metrics["split"]}. Measure it on your own held-out rows with `hive evaluate`.

## What it is not for

Texts in other languages than those above, texts of several requests, and decisions about people without a person who
looks. A confidence is the probability that the label is right among requests that are in scope.
"""


_NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "ece_before": "calibration error (ECE, 15 bins) before temperature scaling",
    "ece": "calibration error (ECE, 15 bins)",
    "right_and_in_scope": "correctly labelled and accepted as in scope",
    "hidden_classes_auroc": "telling hidden intents from known ones, AUROC",
    "hidden_classes_recall": "requests of hidden intents recognised as out of scope",
}


def _table(metrics: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {_number(metrics[key])} |" for key, name in _NAMES.items()]
    rows += [
        f"| accuracy, {language or 'not stated'} | {_number(a)} |" for language, a in metrics["accuracy_by_language"].items()
    ]
    return "\n".join(["| measure | value |", "|---|---|", *rows])


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4f}"
