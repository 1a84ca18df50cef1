"""Phrases and rubric examples → the domain model. Run as `python -m neural_hive.learning.domain_model`; `make models` does.

Heads are multinomial logistic regressions on the sentence vector and the frame, for some the wording too; temperatures are fitted on
out-of-fold logits (Guo et al. 2017), folds never splitting a group of parallel phrasings. The domain's is fitted on requests by another
hand, each with every domain that a fair person accepts: phrases name fewer, and a model fitted to them doubts what people do not.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_hive.canonical import canonical_json, digest
from neural_hive.contracts import Domain
from neural_hive.learning.domain_card import domain_card
from neural_hive.phrases import split_words
from neural_hive.specialists.rubric import bundled_rubrics
from neural_hive.understanding.domains import (
    FORMAT,
    FRAME_SCALE,
    HEADS,
    TENDER,
    VECTOR_SCALE,
    WORDED,
    WORDING_SCALE,
    Floats,
    FrameFeatures,
)
from neural_hive.understanding.encoder import UseEncoder
from neural_hive.understanding.frames import FrameReader
from neural_hive.understanding.wording import Wording

#: Inverse regularisation, chosen on out-of-fold log-loss among 0.03, 0.1, 0.3, 1.
INVERSE_REGULARISATION = {
    "domain": 0.08,
    "specialist": 0.08,
    "kind": 0.5,
    "concern": 1.0,
    "caution": 0.15,
    "register": 0.1,
    "tender": 0.1,
}
#: Weight of a label that a fair person would also accept, and of rubric examples beside phrases.
ALSO_WEIGHT, EXAMPLE_WEIGHT = 0.4, 0.7
#: Texts that a part of a word must stand in to be learnt.
LEAST_TEXTS = 4
N_FOLDS = 3
#: How much requirements of tenders count for the head of the specialist beside phrases, so that few of them are heard among many; and
#: how much their own head counts beside it. Chosen by cross-validation over all of them, balanced by specialist.
TENDER_WEIGHT, TENDER_SHARE = 4.0, 0.85
#: Heads whose labels count alike, however many examples each has.
BALANCED = frozenset({"specialist", "tender"})
#: Severity from which an example of a concern calls for stopping, and for care.
SERIOUS, MODERATE = 0.8, 0.5
#: Weight of texts without a concern: there are many more of them than of any one concern.
NO_CONCERN_WEIGHT = 0.3
#: Outcomes a careful person would accept → how much caution the text calls for.
_CAUTION = {"approved": "go", "conditional": "care", "needs_review": "stop", "rejected": "stop"}
#: Label of texts that raise no concern.
NO_CONCERN = "none"
#: Register of texts that are in none of their own.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Example:
    """One text with its labels by head; a head without a label does not learn from it."""

    text: str
    language: str
    group: str
    labels: dict[str, tuple[str, ...]]
    weight: float = 1.0
    source: str = "rubrics"


def load_examples(folder: Path) -> list[Example]:
    """All phrases of a folder of JSONL files and the examples of the bundled rubrics."""
    rows = [
        (json.loads(line), file.stem) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()
    ]
    return [_from_phrase(row, source) for row, source in rows] + list(_from_rubrics())


def load_accepted(file: Path) -> list[Example]:
    """Requests with every domain that a fair person accepts, for the temperature of the domain's head. Nothing is trained on them."""
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [Example(row["text"], row["language"], row["group"], {"domain": tuple(row["domains"])}) for row in rows]


def _from_phrase(row: dict[str, Any], source: str) -> Example:
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
    labels["register"] = (row.get("register", OTHER),)
    if "register" in row:
        labels[row["register"]] = labels["specialist"]
    return Example(row["text"], language, row["group"], labels, row.get("weight", 1.0), source)


def _from_rubrics() -> Iterable[Example]:
    for rubric in bundled_rubrics().values():
        for concern in rubric.concerns:
            for language, texts in concern.examples.items():
                for i, text in enumerate(texts):
                    labels: dict[str, tuple[str, ...]] = {
                        "specialist": (rubric.specialist,),
                        "concern": (concern.id,),
                        "kind": ("in_scope",),
                        "register": (OTHER,),
                        "caution": _caution_of(concern.severity),
                    }
                    yield Example(text, language, f"{concern.id}-{i}", labels, EXAMPLE_WEIGHT)


def _caution_of(severity: float) -> tuple[str, ...]:
    """What an example of a concern says about caution; it may be handled well, so never only 'stop'."""
    if severity >= SERIOUS:
        return ("stop", "care")
    return ("care",) if severity >= MODERATE else ("go", "care")


@dataclass(frozen=True, slots=True)
class Features:
    """dense: float32 (n_examples, 512 + n_columns), scaled as serving scales them. wording: CSR float32 (n_examples, n_parts), scaled.

    parts: what the columns of `wording` are.
    """

    dense: Floats
    wording: Any
    parts: Wording

    def of(self, head: str, rows: NDArray[np.int64]) -> Any:
        """What a head reads of some examples: a matrix with one row each, sparse if the wording is in it."""
        if head not in WORDED:
            return self.dense[rows]
        from scipy.sparse import csr_matrix, hstack

        return hstack([csr_matrix(self.dense[rows]), self.wording[rows]], format="csr")


def features_of(examples: Sequence[Example], encoder: UseEncoder, parts: Wording | None = None) -> Features:
    """All that the heads read of the examples. Unless its parts are given, wording is learnt from those that a worded head learns from."""
    vectors = np.concatenate([encoder.encode([e.text for e in examples[i : i + 64]]) for i in range(0, len(examples), 64)])
    dense = np.concatenate([vectors * VECTOR_SCALE, _frames_of(examples) * FRAME_SCALE], axis=1).astype(np.float32)
    words = [split_words(e.text).folded for e in examples]
    if parts is None:
        parts = Wording.learn([w for w, e in zip(words, examples, strict=True) if e.labels.keys() & set(WORDED)], LEAST_TEXTS)
    return Features(dense, wording_of(words, parts), parts)


def _frames_of(examples: Sequence[Example]) -> Floats:
    frames, reader, known = FrameFeatures(), FrameReader(), {"pt", "en", "es"}
    return np.stack([frames.of(reader.read(e.text, e.language, is_mixed=e.language not in known)) for e in examples])


def wording_of(texts: Sequence[Sequence[str]], parts: Wording) -> Any:
    """CSR float32 (n_texts, n_parts) of folded words, scaled as serving scales them."""
    from scipy.sparse import csr_matrix

    rows = [parts.row(words) for words in texts]
    starts = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.array([column for row in rows for column in row], dtype=np.int64)
    values = np.array([value for row in rows for value in row.values()], dtype=np.float32) * np.float32(WORDING_SCALE)
    return csr_matrix((values, columns, starts), shape=(len(rows), len(parts.vocabulary)))


@dataclass(frozen=True, slots=True)
class Head:
    """A fitted head: weights (n_features, n_labels), bias (n_labels,), temperature already divided in, and its metrics."""

    labels: list[str]
    weights: Floats
    bias: Floats
    metrics: dict[str, float]


def fit_head(
    name: str, examples: Sequence[Example], features: Features, accepted: tuple[Sequence[Example], Features] | None = None
) -> Head:
    """Fit one head on all its examples; its metrics come from out-of-fold predictions.

    accepted: texts apart and their features, to which the confidence is fitted; without them the temperature is out of fold, too.
    """
    chosen = np.array([i for i, e in enumerate(examples) if name in e.labels])
    rows, targets, weights = _expand([examples[i] for i in chosen], name)
    labels = sorted(set(targets))
    matrix = features.of(name, chosen)
    folds = _folds([examples[i].group for i in chosen])
    logits = np.zeros((len(chosen), len(labels)))
    for fold in range(N_FOLDS):
        train = folds[rows] != fold
        coefficients, bias = _fit(name, matrix[rows[train]], targets[train], weights[train], labels)
        logits[folds == fold] = matrix[folds == fold] @ coefficients + bias
    truth = np.array([labels.index(examples[i].labels[name][0]) for i in chosen])
    fair = _fair([examples[i] for i in chosen], name, labels)
    is_fair = np.array([guess in one for guess, one in zip(logits.argmax(axis=1), fair, strict=True)])
    is_first = logits.argmax(axis=1) == truth
    coefficients, bias = _fit(name, matrix[rows], targets, weights, labels)
    told, is_right = logits, is_first
    if accepted is None:
        temperature = _temperature(logits, truth)
    else:
        apart, theirs = accepted
        their_logits = theirs.of(name, np.arange(len(apart))) @ coefficients + bias
        temperature = _temperature_of_confidence(*_told(their_logits, labels, _fair(apart, name, labels)))
        told, is_right = _told(logits, labels, fair)
    metrics = {
        "accuracy": round(float(is_first.mean()), 4),
        "accepted": round(float(is_fair.mean()), 4),
        "ece": round(_calibration_error(told / temperature, is_right), 4),
        "temperature": round(temperature, 3),
        "n": len(chosen),
    }
    return Head(labels, (coefficients / temperature).astype(np.float32), (bias / temperature).astype(np.float32), metrics)


def _fair(examples: Sequence[Example], name: str, labels: Sequence[str]) -> list[set[int]]:
    """Numbers of the labels that a fair person accepts, one set an example."""
    return [{labels.index(label) for label in example.labels[name]} for example in examples]


def _told(
    logits: NDArray[np.float64], labels: Sequence[str], accepted: Sequence[set[int]]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What a reader is told of the texts that are judged: logits (n_judged, n_labels - 1) without `unknown`, and whether the greatest
    names a label that a fair person would accept, bool (n_judged,)."""
    unknown = labels.index(Domain.UNKNOWN)
    judged = np.array([unknown not in fair for fair in accepted])
    told = logits[judged].copy()
    told[:, unknown] = -np.inf
    is_right = [guess in fair for guess, fair in zip(told.argmax(axis=1), np.array(accepted, dtype=object)[judged], strict=True)]
    return np.delete(told, unknown, axis=1), np.array(is_right)


def fit_labels(name: str, examples: Sequence[Example], matrix: Any) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Fit a head once, without a temperature: its labels, coefficients (n_features, n_labels) and bias (n_labels,).

    matrix: one row an example, from `Features.of`.
    """
    rows, targets, weights = _expand(examples, name)
    labels = sorted(set(targets))
    coefficients, bias = _fit(name, matrix[rows], targets, weights, labels)
    return labels, coefficients, bias


def _beside(tender: Head, specialist: Head) -> Head:
    """The head of tenders as it is added to the head of the specialist: on the scale of its logits, and with its share."""
    scale = TENDER_SHARE * tender.metrics["temperature"] / specialist.metrics["temperature"]
    return replace(tender, weights=tender.weights * np.float32(scale), bias=tender.bias * np.float32(scale))


def _expand(examples: Sequence[Example], name: str) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.float64]]:
    """One row per label; labels after the first are what a fair person would also accept."""
    rows = [
        (i, label, _weight(name, e) * _label_weight(name, label, rank))
        for i, e in enumerate(examples)
        for rank, label in enumerate(e.labels[name])
    ]
    labels, weights = np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
    if name in BALANCED:
        totals = {label: weights[labels == label].sum() for label in set(labels)}
        mean = sum(totals.values()) / len(totals)
        weights = weights * np.array([mean / totals[label] for label in labels])
    return np.array([r[0] for r in rows]), labels, weights


def _weight(head: str, example: Example) -> float:
    if head == "register":
        return 1.0
    return example.weight * (TENDER_WEIGHT if head == "specialist" and TENDER in example.labels else 1.0)


def _label_weight(head: str, label: str, rank: int) -> float:
    if label == NO_CONCERN:
        return NO_CONCERN_WEIGHT
    return 1.0 if rank == 0 or head in ("caution", "concern") else ALSO_WEIGHT


def _folds(groups: Sequence[str]) -> NDArray[np.int64]:
    return np.array([int(digest(g.encode())[:8], 16) % N_FOLDS for g in groups])


def _fit(
    name: str, matrix: Any, targets: NDArray[np.str_], weights: NDArray[np.float64], labels: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients (n_features, n_labels) and bias (n_labels,); a label absent from the fold gets a very low bias."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=INVERSE_REGULARISATION[name], max_iter=200, tol=1e-3).fit(matrix, targets, sample_weight=weights)
    coefficients, bias = np.zeros((matrix.shape[1], len(labels))), np.full(len(labels), -20.0)
    fitted, start = (model.coef_, model.intercept_) if len(model.classes_) > 2 else _of_two(model)
    for row, label in enumerate(model.classes_):
        coefficients[:, labels.index(label)] = fitted[row]
        bias[labels.index(label)] = start[row]
    return coefficients, bias


def _of_two(model: Any) -> tuple[Any, Any]:
    """A regression on two classes in the form of one on several: half the difference each way."""
    return np.concatenate([-model.coef_, model.coef_]) / 2, np.concatenate([-model.intercept_, model.intercept_]) / 2


def _temperature(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The temperature with the least negative log-likelihood on a grid of 0.3 to 3."""
    grid = np.linspace(0.3, 3.0, 109)
    losses = [-_log_softmax(logits / t)[np.arange(len(truth)), truth].mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def _temperature_of_confidence(logits: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """The temperature on the same grid at which the greatest probability is nearest to being right (Brier 1950)."""
    grid = np.linspace(0.3, 3.0, 109)
    losses = [((np.exp(_log_softmax(logits / t)).max(axis=1) - is_right) ** 2).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _calibration_error(logits: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """Expected calibration error of the greatest probability, in 15 bins (Naeini et al. 2015)."""
    confidence = np.exp(_log_softmax(logits)).max(axis=1)
    bins = np.minimum((confidence * 15).astype(int), 14)
    return float(
        sum(abs(is_right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))
    )


def write_artefact(
    folder: Path, heads: dict[str, Head], parts: Wording, encoder_digest: str, made_from: Mapping[str, int]
) -> dict[str, Any]:
    """Write weights.npz (float16), README.md (the model card) and manifest.json; the same heads give the same bytes.

    made_from: number of examples by file they come from.
    """
    n_dense = min(len(heads[h].weights) for h in HEADS)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        weights=np.concatenate([heads[h].weights[:n_dense] for h in HEADS], axis=1).astype(np.float16),
        bias=np.concatenate([heads[h].bias for h in HEADS]).astype(np.float32),
        words=np.concatenate([heads[h].weights[n_dense:] * WORDING_SCALE for h in WORDED], axis=1).astype(np.float16),
        idf=parts.idf,
        vocabulary=np.frombuffer("\n".join(parts.vocabulary).encode(), dtype=np.uint8),
    )
    metrics = {f"{h}_{name}": value for h in HEADS for name, value in heads[h].metrics.items()}
    weights_digest = digest(buffer.getvalue())
    card = domain_card(made_from, {h: heads[h].labels for h in HEADS}, metrics, encoder=encoder_digest, weights=weights_digest)
    files = {"README.md": digest(card.encode()), "weights.npz": weights_digest}
    manifest = {
        "format": FORMAT,
        "name": "understanding",
        "version": weights_digest[:12],
        "files": files,
        "digest": digest(canonical_json(files)),
        "encoder": encoder_digest,
        "frame_columns": list(FrameFeatures().columns),
        "labels": {h: heads[h].labels for h in HEADS},
        "metrics": metrics,
        "n_examples": sum(made_from.values()),
        "licence": "Apache-2.0; trained also on utterances of MASSIVE, CC BY 4.0 (FitzGerald et al. 2022), and on DataReq-PT, MIT",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.npz").write_bytes(buffer.getvalue())
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "manifest.json").write_bytes(
        json.dumps(json.loads(canonical_json(manifest)), indent=1, sort_keys=True).encode() + b"\n"
    )
    return manifest


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write; prints out-of-fold metrics on stderr."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--phrases", type=Path, default=Path("data/phrases"))
    parser.add_argument("--accepted", type=Path, default=Path("data/calibration/domains.jsonl"))
    parser.add_argument("--out", type=Path, default=Path("src/neural_hive/models/understanding"))
    options = parser.parse_args(arguments)
    encoder = UseEncoder()
    examples = load_examples(options.phrases)
    sys.stderr.write(f"{len(examples)} examples; encoding\n")
    features = features_of(examples, encoder)
    apart = load_accepted(options.accepted)
    accepted = apart, features_of(apart, encoder, features.parts)
    heads = {}
    for name in HEADS:
        heads[name] = fit_head(name, examples, features, accepted if name == "domain" else None)
        sys.stderr.write(f"{name}: {heads[name].metrics}\n")
    heads["tender"] = _beside(heads["tender"], heads["specialist"])
    manifest = write_artefact(options.out, heads, features.parts, encoder.digest, Counter(e.source for e in examples))
    sys.stderr.write(f"wrote {options.out} {manifest['digest'][:12]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
