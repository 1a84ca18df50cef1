"""Requirement → specialist: macro-F1, AUC of each specialist, by language, on ../shared/data/routing_core.

`python benchmarks/routing.py`; writes benchmarks/results/routing.json. Skips where the data is absent. English rows: nothing is trained
on them. Portuguese rows come from DataReq-PT, which the shipped model has learnt from, so each is judged by a head of the same recipe
that was trained without it and its fold; `shipped_en` and `folds_pt` say which is which. No phrase of ours may repeat a measured row.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from neural_hive.learning.domain_model import TENDER_SHARE, Example, Features, features_of, fit_labels, load_examples
from neural_hive.understanding.domains import TENDER, softmax
from neural_hive.understanding.encoder import UseEncoder
from neural_hive.understanding.understand import Heading, load_understander

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared/data/routing_core/dev.jsonl"
NAMES = ("architecture", "behavior", "business", "evolution", "technical")
N_FOLDS = 4


def shipped(rows: list[dict]) -> np.ndarray:
    """Probabilities of the shipped model, float (n_rows, 5)."""
    understander, now, scores = load_understander(), datetime.now(UTC), []
    for i in range(0, len(rows), 16):
        understood = understander.understand([Heading(r["text"], now) for r in rows[i : i + 16]])
        scores += [[u.understanding.specialists[n] for n in NAMES] for u in understood]
    return np.array(scores)


def out_of_fold(rows: list[dict]) -> np.ndarray:
    """Probabilities for texts that are among the training phrases, each from a head that did not see its fold."""
    examples = load_examples(ROOT / "data/phrases")
    features = features_of(examples, UseEncoder())
    place = {e.text: i for i, e in enumerate(examples)}
    wanted = np.array([place[r["text"]] for r in rows])
    scores = np.zeros((len(rows), len(NAMES)))
    folds = np.arange(len(rows)) % N_FOLDS
    for fold in range(N_FOLDS):
        print(f"fold {fold + 1} of {N_FOLDS}", file=sys.stderr)
        scores[folds == fold] = held_out(examples, features, wanted[folds == fold])
    return scores


def held_out(examples: list[Example], features: Features, rows: np.ndarray) -> np.ndarray:
    """Probabilities of some examples from heads trained on all others, put together as serving does."""
    others = np.setdiff1d(np.arange(len(examples)), rows)
    labels, logits = zip(
        *(_logits(head, examples, features, others, rows) for head in ("specialist", "register", "tender")), strict=True
    )
    assert tuple(labels[0]) == tuple(labels[2]) == NAMES
    register = softmax(logits[1])[:, [labels[1].index(TENDER)]]
    return softmax(logits[0] + TENDER_SHARE * register * logits[2])


def _logits(
    head: str, examples: list[Example], features: Features, others: np.ndarray, rows: np.ndarray
) -> tuple[list[str], np.ndarray]:
    taught = np.array([i for i in others if head in examples[i].labels])
    labels, weights, bias = fit_labels(head, [examples[i] for i in taught], features.of(head, taught))
    return labels, np.asarray(features.of(head, rows) @ weights + bias)


def measures(truth: np.ndarray, scores: np.ndarray) -> dict:
    guess = np.array(NAMES)[scores.argmax(1)]
    aucs = {n: round(float(roc_auc_score(truth == n, scores[:, i])), 3) for i, n in enumerate(NAMES)}
    return {"n": len(truth), "macro_f1": round(float(f1_score(truth, guess, average="macro")), 3), "auc": aucs}


def main() -> int:
    if not DATA.exists():
        print(f"skipped: {DATA.name} is not here", file=sys.stderr)
        return 0
    rows = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
    english = [r for r in rows if r["lang"] == "en"]
    portuguese = [r for r in rows if r["lang"] != "en"]
    scores = {"en": shipped(english), "pt-BR": out_of_fold(portuguese)}
    truth = {"en": np.array([r["specialist"] for r in english]), "pt-BR": np.array([r["specialist"] for r in portuguese])}
    results = {language: measures(truth[language], scores[language]) for language in scores}
    results["all"] = measures(np.concatenate(list(truth.values())), np.concatenate(list(scores.values())))
    for language, found in results.items():
        print(language, found)
    (ROOT / "benchmarks/results/routing.json").write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
