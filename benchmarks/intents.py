"""How good your own intents get: MASSIVE, CLINC150 and BANKING77, trained and measured as `hive train intents` does.

    python benchmarks/intents.py [--data ../shared/data] [--only massive-pt …]

Writes benchmarks/results/intents.json, one row a number, and prints it. Sets that are absent are left out, their rows stay.

Splits. MASSIVE: trained on `train`, measured on `dev`; `test` is held out and elsewhere: whoever has it trains on train
and dev (`--data train --data dev`) and measures with `hive evaluate --data test`. CLINC150: trained on `train` without any
out-of-scope row, measured on `val` and on the 200 out-of-scope rows of the file. BANKING77: its test set is held out too, so
one row in five of each intent is set aside, three times (seeds 0, 1, 2), and the mean is told.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from neural_hive.learning.intents import IntentModel, LabelledText, TrainingOptions, evaluate, train_intents
from neural_hive.learning.intents.rehearse import stratified_folds
from neural_hive.understanding.encoder import SentenceEncoder, UseEncoder

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results" / "intents.json"
COMMAND = "python benchmarks/intents.py"
LOCALES = {"massive-pt": "pt-PT", "massive-es": "es-ES", "massive-en": "en-US"}
TITLES = {name: f"MASSIVE {locale}" for name, locale in LOCALES.items()} | {"clinc150": "CLINC150", "banking77": "BANKING77"}
#: Accuracy in % asked for on the test sets (train and dev to train on).
AIMS = {"massive-pt": 87.5, "massive-es": 87.5, "massive-en": 89.5, "clinc150": 93.0, "banking77": 93.5}
OUT_OF_SCOPE = "oos"
SEEDS = (0, 1, 2)
ONE_ASIDE_IN = 5


@dataclass(frozen=True, slots=True)
class Split:
    """A data set, divided."""

    train: list[LabelledText]
    test: list[LabelledText]


def read(path: Path, text: str, label: str) -> list[tuple[LabelledText, str]]:
    """Rows with the part of the set that they belong to."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(LabelledText(row[text], row[label], row["lang"]), row.get("partition", "")) for row in rows]


def splits(folder: Path, name: str) -> tuple[str, list[Split]]:
    """How a set is divided, in words, and its divisions."""
    if name in LOCALES:
        parts = [read(folder / "massive" / f"{LOCALES[name]}.{part}.jsonl.gz", "utt", "intent") for part in ("train", "dev")]
        return "trained on train, measured on dev", [Split(*([row for row, _ in part] for part in parts))]
    rows = read(folder / name / "dev.jsonl.gz", "text", "label")
    if name == "clinc150":
        train = [row for row, part in rows if part == "train"]
        test = [row for row, part in rows if part == "val" or row.label == OUT_OF_SCOPE]
        assert not any(row.label == OUT_OF_SCOPE for row in train)
        return "trained on train, measured on val and 200 out-of-scope rows", [Split(train, test)]
    return f"a fifth of train, mean of seeds {', '.join(map(str, SEEDS))}", [divided([row for row, _ in rows], s) for s in SEEDS]


def divided(rows: Sequence[LabelledText], seed: int) -> Split:
    """One row in five of each label aside."""
    _, truth = np.unique([row.label for row in rows], return_inverse=True)
    aside = stratified_folds(truth, ONE_ASIDE_IN, np.random.default_rng(seed)) == 0
    train = [row for row, is_aside in zip(rows, aside, strict=True) if not is_aside]
    return Split(train, [row for row, is_aside in zip(rows, aside, strict=True) if is_aside])


def measure(name: str, part: Split, encoder: SentenceEncoder) -> dict[str, float]:
    """Train, measure, time: measure → value, shares in %."""

    def show(doing: str, share: float) -> None:
        if sys.stderr.isatty():
            print(f"\r{name}: {doing} {100 * share:3.0f} %   ", end="", file=sys.stderr, flush=True)

    started = time.process_time()
    model = train_intents(part.train, TrainingOptions(name=name), show, encoder)
    train_s = time.process_time() - started
    found = evaluate(model, part.test, OUT_OF_SCOPE)
    scope = found["out_of_scope"]
    refused = {"out of scope and refused": 100 * scope["recall"], "AUROC of the scope": scope["auroc"]} if scope else {}
    return {
        "right": 100 * found["accuracy"],
        "in scope and right": 100 * found["right_and_accepted"],
        **refused,
        "macro-F1": 100 * found["macro_f1"],
        "calibration error (ECE)": found["ece"],
        "labelled a second, one core": labelled_per_s(model, part.test),
        "training, CPU seconds": train_s,
    }


def labelled_per_s(model: IntentModel, rows: Sequence[LabelledText], n: int = 1_000) -> float:
    """Texts labelled in a second of one core, encoder included."""
    started = time.process_time()
    model.label([row.text for row in rows[:n]], [row.language for row in rows[:n]])
    return len(rows[:n]) / (time.process_time() - started)


def aim(name: str, kind: str) -> str | None:
    """What issue and design ask for on the official test set."""
    aims = {"out of scope and refused": "≥ 60 %", "calibration error (ECE)": "≤ 0.05", "labelled a second, one core": "≥ 300"}
    deciding = "in scope and right" if name == "clinc150" else "right"
    return f"≥ {AIMS[name]:g} %" if kind == deciding else aims.get(kind)


def rows_of(name: str, split: str, measured: Sequence[Mapping[str, float]], n: Sequence[int]) -> Iterator[dict[str, Any]]:
    """One row a number: the mean over the divisions, with their least and most where there are several."""
    for kind in measured[0]:
        values = [one[kind] for one in measured]
        spread = {"least": round(min(values), 4), "most": round(max(values), 4)} if len(values) > 1 else {}
        yield {
            "measure": f"{TITLES[name]}, {kind}",
            "split": split,
            "value": round(float(np.mean(values)), 4),
            **spread,
            "target": aim(name, kind),
            "n_trained": n[0],
            "n_measured": n[1],
            "command": COMMAND,
            "measured": datetime.now(UTC).date().isoformat(),
        }


def kept(results: Sequence[Mapping[str, Any]], new: Sequence[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """All rows, set by set; new ones take the place of old ones of the same set."""
    sets = {row["measure"].partition(",")[0] for row in new}
    old = [row for row in results if row["measure"].partition(",")[0] not in sets]
    order = list(TITLES.values())
    return sorted([*old, *new], key=lambda row: order.index(row["measure"].partition(",")[0]))


def main() -> int:
    """Run what is asked for; keep the results of other sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--only", nargs="*", choices=list(TITLES), default=[])
    asked = parser.parse_args()
    encoder = UseEncoder()
    for name in asked.only or TITLES:
        try:
            split, parts = splits(asked.data, name)
        except FileNotFoundError as error:
            print(f"{name}: left out, {error.filename} is not there", file=sys.stderr)
            continue
        n = len(parts[0].train), len(parts[0].test)
        rows = list(rows_of(name, split, [measure(name, part, encoder) for part in parts], n))
        for row in rows:
            print(f"{row['measure']:44} {row['value']:10.4g}   {row['target'] or ''}")
        before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
        RESULTS.write_text(json.dumps(kept(before, rows), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
