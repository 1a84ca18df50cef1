"""Phrases and rubric examples → the domain model. Run as `python -m neural_hive.learning.domain_model`; `make models` does.

Heads are multinomial logistic regressions on the sentence vector and the frame; temperatures are fitted on out-of-fold logits
(Guo et al. 2017), folds never splitting a group of parallel phrasings.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_hive.canonical import canonical_json, digest
from neural_hive.specialists.rubric import bundled_rubrics
from neural_hive.understanding.domains import FORMAT, FRAME_SCALE, HEADS, VECTOR_SCALE, Floats, FrameFeatures
from neural_hive.understanding.encoder import UseEncoder
from neural_hive.understanding.frames import FrameReader

#: Inverse regularisation, chosen on out-of-fold log-loss among 0.03, 0.1, 0.3, 1.
INVERSE_REGULARISATION = {"domain": 0.15, "specialist": 0.15, "kind": 0.5, "concern": 1.0, "caution": 0.15}
#: Weight of a label that a fair person would also accept, and of rubric examples beside phrases.
ALSO_WEIGHT, EXAMPLE_WEIGHT = 0.4, 0.7
#: Weight of one borrowed off-topic utterance: they are many.
BORROWED_WEIGHT = 0.5
N_FOLDS = 3
#: Heads whose labels count alike, however many examples each has.
BALANCED = frozenset({"specialist"})
#: Severity from which an example of a concern calls for stopping, and for care.
SERIOUS, MODERATE = 0.8, 0.5
#: Weight of texts without a concern: there are many more of them than of any one concern.
NO_CONCERN_WEIGHT = 0.3
#: Outcomes a careful person would accept → how much caution the text calls for.
_CAUTION = {"approved": "go", "conditional": "care", "needs_review": "stop", "rejected": "stop"}
#: Label of texts that raise no concern.
NO_CONCERN = "none"


@dataclass(frozen=True, slots=True)
class Example:
    """One text with its labels by head; a head without a label does not learn from it."""

    text: str
    language: str
    group: str
    labels: dict[str, tuple[str, ...]]
    weight: float = 1.0


def load_examples(folder: Path) -> list[Example]:
    """All phrases of a folder of JSONL files and the examples of the bundled rubrics."""
    rows = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    return [_from_phrase(row) for row in rows] + list(_from_rubrics())


def _from_phrase(row: dict[str, Any]) -> Example:
    language = row["language"].split("-")[0]
    is_request = row["kind"] in ("request", "report", "question")
    is_vague = is_request and row.get("domain") == "unknown"
    labels: dict[str, tuple[str, ...]] = {"kind": ("vague" if is_vague else "in_scope" if is_request else row["kind"],)}
    if "domain" in row:
        labels["domain"] = (row["domain"], *row.get("also_domains", ()))
    if is_request and not is_vague:
        labels["specialist"] = (row["specialist"], *row.get("also_specialists", ()))
    if is_request and not is_vague and "outcome" in row:
        labels["caution"] = tuple(dict.fromkeys(_CAUTION[o] for o in row["outcome"]))
    if row.get("concerns"):
        labels["concern"] = tuple(row["concerns"])
    elif not is_request or row.get("outcome") == ["approved"] or row.get("concerns") == []:
        labels["concern"] = (NO_CONCERN,)
    return Example(row["text"], language, row["group"], labels, row.get("weight", 1.0))


def _from_rubrics() -> Iterable[Example]:
    for rubric in bundled_rubrics().values():
        for concern in rubric.concerns:
            for language, texts in concern.examples.items():
                for i, text in enumerate(texts):
                    labels: dict[str, tuple[str, ...]] = {
                        "specialist": (rubric.specialist,),
                        "concern": (concern.id,),
                        "kind": ("in_scope",),
                        "caution": _caution_of(concern.severity),
                    }
                    yield Example(text, language, f"{concern.id}-{i}", labels, EXAMPLE_WEIGHT)


def _caution_of(severity: float) -> tuple[str, ...]:
    """What an example of a concern says about caution; it may be handled well, so never only 'stop'."""
    if severity >= SERIOUS:
        return ("stop", "care")
    return ("care",) if severity >= MODERATE else ("go", "care")


def features_of(examples: Sequence[Example], encoder: UseEncoder) -> Floats:
    """float32 (n_examples, 512 + n_columns), scaled as serving scales them."""
    frames, reader = FrameFeatures(), FrameReader()
    vectors = np.concatenate([encoder.encode([e.text for e in examples[i : i + 64]]) for i in range(0, len(examples), 64)])
    known = {"pt", "en", "es"}
    rows = np.stack([frames.of(reader.read(e.text, e.language, is_mixed=e.language not in known)) for e in examples])
    return np.concatenate([vectors * VECTOR_SCALE, rows * FRAME_SCALE], axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Head:
    """A fitted head: weights (n_features, n_labels), bias (n_labels,), temperature already divided in, and its metrics."""

    labels: list[str]
    weights: Floats
    bias: Floats
    metrics: dict[str, float]


def fit_head(name: str, examples: Sequence[Example], features: Floats) -> Head:
    """Fit one head on all its examples; its metrics and temperature come from out-of-fold predictions."""
    chosen = [i for i, e in enumerate(examples) if name in e.labels]
    rows, targets, weights = _expand([examples[i] for i in chosen], name)
    labels = sorted(set(targets))
    matrix = features[np.array(chosen)]
    folds = _folds([examples[i].group for i in chosen])
    logits = np.zeros((len(chosen), len(labels)))
    for fold in range(N_FOLDS):
        train = folds[rows] != fold
        coefficients, bias = _fit(name, matrix[rows[train]], targets[train], weights[train], labels)
        logits[folds == fold] = matrix[folds == fold] @ coefficients + bias
    truth = np.array([labels.index(examples[i].labels[name][0]) for i in chosen])
    temperature = _temperature(logits, truth)
    coefficients, bias = _fit(name, matrix[rows], targets, weights, labels)
    accepted = [{labels.index(label) for label in examples[i].labels[name]} for i in chosen]
    metrics = _metrics(logits / temperature, truth, accepted) | {"temperature": round(temperature, 3), "n": len(chosen)}
    return Head(labels, (coefficients / temperature).astype(np.float32), (bias / temperature).astype(np.float32), metrics)


def _expand(examples: Sequence[Example], name: str) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.float64]]:
    """One row per label; labels after the first are what a fair person would also accept."""
    rows = [
        (i, label, e.weight * _label_weight(name, label, rank))
        for i, e in enumerate(examples)
        for rank, label in enumerate(e.labels[name])
    ]
    labels, weights = np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
    if name in BALANCED:
        totals = {label: weights[labels == label].sum() for label in set(labels)}
        mean = sum(totals.values()) / len(totals)
        weights = weights * np.array([mean / totals[label] for label in labels])
    return np.array([r[0] for r in rows]), labels, weights


def _label_weight(head: str, label: str, rank: int) -> float:
    if label == NO_CONCERN:
        return NO_CONCERN_WEIGHT
    return 1.0 if rank == 0 or head in ("caution", "concern") else ALSO_WEIGHT


def _folds(groups: Sequence[str]) -> NDArray[np.int64]:
    return np.array([int(digest(g.encode())[:8], 16) % N_FOLDS for g in groups])


def _fit(
    name: str, matrix: Floats, targets: NDArray[np.str_], weights: NDArray[np.float64], labels: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients (n_features, n_labels) and bias (n_labels,); a label absent from the fold gets a very low bias."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=INVERSE_REGULARISATION[name], max_iter=200, tol=1e-3).fit(matrix, targets, sample_weight=weights)
    coefficients, bias = np.zeros((matrix.shape[1], len(labels))), np.full(len(labels), -20.0)
    for row, label in enumerate(model.classes_):
        coefficients[:, labels.index(label)] = model.coef_[row]
        bias[labels.index(label)] = model.intercept_[row]
    return coefficients, bias


def _temperature(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The temperature with the least negative log-likelihood on a grid of 0.3 to 3."""
    grid = np.linspace(0.3, 3.0, 109)
    losses = [-_log_softmax(logits / t)[np.arange(len(truth)), truth].mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _metrics(logits: NDArray[np.float64], truth: NDArray[np.int64], accepted: Sequence[set[int]]) -> dict[str, float]:
    """Accuracy, accuracy counting accepted labels, and expected calibration error (15 bins; Naeini et al. 2015)."""
    probabilities = np.exp(_log_softmax(logits))
    guess, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = guess == truth
    bins = np.minimum((confidence * 15).astype(int), 14)
    ece = sum(abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))
    fair = np.mean([g in a for g, a in zip(guess, accepted, strict=True)])
    return {"accuracy": round(float(right.mean()), 4), "accepted": round(float(fair), 4), "ece": round(float(ece), 4)}


def write_artefact(folder: Path, heads: dict[str, Head], encoder_digest: str, n_examples: int) -> dict[str, Any]:
    """Write weights.npz (float16) and manifest.json; the same heads give the same bytes."""
    weights = np.concatenate([heads[h].weights for h in HEADS], axis=1).astype(np.float16)
    bias = np.concatenate([heads[h].bias for h in HEADS]).astype(np.float32)
    buffer = io.BytesIO()
    np.savez(buffer, weights=weights, bias=bias)
    files = {"weights.npz": digest(buffer.getvalue())}
    manifest = {
        "format": FORMAT,
        "name": "understanding",
        "version": files["weights.npz"][:12],
        "files": files,
        "digest": digest(canonical_json(files)),
        "encoder": encoder_digest,
        "frame_columns": list(FrameFeatures().columns),
        "labels": {h: heads[h].labels for h in HEADS},
        "metrics": {f"{h}_{name}": value for h in HEADS for name, value in heads[h].metrics.items()},
        "n_examples": n_examples,
        "licence": "Apache-2.0; off-topic utterances from MASSIVE, CC BY 4.0 (FitzGerald et al. 2022)",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.npz").write_bytes(buffer.getvalue())
    (folder / "manifest.json").write_bytes(
        json.dumps(json.loads(canonical_json(manifest)), indent=1, sort_keys=True).encode() + b"\n"
    )
    return manifest


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write; prints out-of-fold metrics on stderr."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--phrases", type=Path, default=Path("data/phrases"))
    parser.add_argument("--out", type=Path, default=Path("src/neural_hive/models/understanding"))
    options = parser.parse_args(arguments)
    encoder = UseEncoder()
    examples = load_examples(options.phrases)
    sys.stderr.write(f"{len(examples)} examples; encoding\n")
    features = features_of(examples, encoder)
    heads = {}
    for name in HEADS:
        heads[name] = fit_head(name, examples, features)
        sys.stderr.write(f"{name}: {heads[name].metrics}\n")
    manifest = write_artefact(options.out, heads, encoder.digest, len(examples))
    sys.stderr.write(f"wrote {options.out} {manifest['digest'][:12]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
