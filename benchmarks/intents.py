"""How good your own intents get: MASSIVE, CLINC150 and BANKING77, trained and measured as `hive train intents` does.

    python benchmarks/intents.py [--data ../shared/data] [--only massive-pt …]

Writes benchmarks/results/intents.json and prints a Markdown table. Sets that are absent are left out.

Splits. MASSIVE: trained on `train`, measured on `dev`; `test` is held out and elsewhere: whoever has it trains on train
and dev (`--data train --data dev`) and measures with `hive evaluate --data test`. CLINC150: trained on `train` without any
out-of-scope row, measured on `val` and on all out-of-scope rows of the file. BANKING77: one row in five of each intent is
set aside (seed 0), for its test set is held out too; published numbers are on that one.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neural_hive.learning.intents import LabelledText, TrainingOptions, evaluate, train_intents
from neural_hive.learning.intents.rehearse import stratified_folds
from neural_hive.understanding.encoder import SentenceEncoder, UseEncoder

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results" / "intents.json"
LOCALES = {"massive-pt": "pt-PT", "massive-es": "es-ES", "massive-en": "en-US"}
OUT_OF_SCOPE = "oos"
#: From ../shared/data/README.md: what others publish, on the test sets.
PUBLISHED = {
    "massive-pt": "mT5-base encoder 86.9, XLM-R base 86.7",
    "massive-es": "mT5-base encoder 86.8, XLM-R base 86.9",
    "massive-en": "mT5-base encoder 89.0, XLM-R base 88.3",
    "clinc150": "in scope / OOS recall: BERT 96.2 / 52.3, Rasa 91.5 / 45.3",
    "banking77": "BERT 93.6-94.1",
}


@dataclass(frozen=True, slots=True)
class Split:
    """A data set, divided."""

    name: str
    train: list[LabelledText]
    test: list[LabelledText]
    measured_on: str


def read(path: Path, text: str, label: str) -> list[tuple[LabelledText, str]]:
    """Rows with the part of the set that they belong to."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(LabelledText(row[text], row[label], row["lang"]), row.get("partition", "")) for row in rows]


def splits(folder: Path, wanted: Sequence[str]) -> Iterator[Split]:
    """The sets that are there and wanted."""
    for name in PUBLISHED:
        if wanted and name not in wanted:
            continue
        try:
            yield split(folder, name)
        except FileNotFoundError as error:
            print(f"{name}: left out, {error.filename} is not there", file=sys.stderr)


def split(folder: Path, name: str) -> Split:
    """One set by name."""
    if name in LOCALES:
        parts = [read(folder / "massive" / f"{LOCALES[name]}.{part}.jsonl.gz", "utt", "intent") for part in ("train", "dev")]
        return Split(name, *([row for row, _ in part] for part in parts), "dev")
    rows = read(folder / name / "dev.jsonl.gz", "text", "label")
    if name == "clinc150":
        train = [row for row, part in rows if part == "train"]
        test = [row for row, part in rows if part == "val" or row.label == OUT_OF_SCOPE]
        assert not any(row.label == OUT_OF_SCOPE for row in train)
        return Split(name, train, test, "val and 200 OOS rows")
    _, truth = np.unique([row.label for row, _ in rows], return_inverse=True)
    is_test = stratified_folds(truth, 5, np.random.default_rng(0)) == 0
    train = [row for (row, _), out in zip(rows, is_test, strict=True) if not out]
    return Split(name, train, [row for (row, _), out in zip(rows, is_test, strict=True) if out], "a fifth of train")


def run(part: Split, encoder: SentenceEncoder) -> dict[str, Any]:
    """Train, measure, time."""

    def show(doing: str, share: float) -> None:
        if sys.stderr.isatty():
            print(f"\r{part.name}: {doing} {100 * share:3.0f} %   ", end="", file=sys.stderr, flush=True)

    started = time.perf_counter()
    model = train_intents(part.train, TrainingOptions(name=part.name), show, encoder)
    train_s = time.perf_counter() - started
    found = evaluate(model, part.test, OUT_OF_SCOPE)
    kept = ("n", "accuracy", "macro_f1", "ece_before", "ece", "accepted", "right_and_accepted")
    scope = found["out_of_scope"]
    return {
        "measured_on": part.measured_on,
        "n_train": len(part.train),
        **{key: found[key] for key in kept},
        "oos": {key: scope[key] for key in ("n", "recall", "precision", "auroc")} if scope else None,
        "train_s": round(train_s, 1),
        "classify_ms": round(classify_ms(model, part.test), 3),
        "published": PUBLISHED[part.name],
        "features": model.manifest["features"],
    }


def classify_ms(model: Any, rows: Sequence[LabelledText], n: int = 300) -> float:
    """Mean time of one text at a time, encoder included, in milliseconds."""
    started = time.perf_counter()
    for row in rows[:n]:
        model.label([row.text], [row.language])
    return 1000 * (time.perf_counter() - started) / len(rows[:n])


def table(results: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        "| set | measured on | rows | right | macro-F1 | ECE | right and accepted | OOS refused | AUROC | train | published (test) |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, r in results.items():
        oos = r["oos"]
        refused = (f"{100 * oos['recall']:.1f}", f"{oos['auroc']:.3f}") if oos else ("", "")
        shares = (f"{100 * r[key]:.2f}" for key in ("accuracy", "macro_f1"))
        cells = [name, r["measured_on"], f"{r['n']:,}", *shares, f"{r['ece']:.3f}", f"{100 * r['right_and_accepted']:.2f}"]
        lines.append("| " + " | ".join([*cells, *refused, f"{r['train_s']:.0f} s", r["published"]]) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run what is asked for; keep the results of other sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--only", nargs="*", choices=list(PUBLISHED), default=[])
    asked = parser.parse_args()
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    encoder = UseEncoder()
    for part in splits(asked.data, asked.only):
        results[part.name] = run(part, encoder)
        ordered = {name: results[name] for name in PUBLISHED if name in results}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(ordered, indent=1) + "\n")
    print(table({name: results[name] for name in PUBLISHED if name in results}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
