"""Requirement → specialist on ../shared/data/routing_core (nothing is trained on it): macro-F1, AUC of each specialist, by language.

`python benchmarks/routing.py`; writes benchmarks/results/routing.json. Skips where the data is absent.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from neural_hive.hive import load_understander
from neural_hive.understanding.understand import Heading

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared/data/routing_core/dev.jsonl"
NAMES = ("architecture", "behavior", "business", "evolution", "technical")


def main() -> int:
    if not DATA.exists():
        print(f"skipped: {DATA.name} is not here", file=sys.stderr)
        return 0
    rows = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
    understander, now = load_understander(), datetime.now(UTC)
    scores = []
    for i in range(0, len(rows), 16):
        understood = understander.understand([Heading(r["text"], now) for r in rows[i : i + 16]])
        scores += [[u.understanding.specialists[n] for n in NAMES] for u in understood]
    matrix, truth = np.array(scores), np.array([r["specialist"] for r in rows])
    languages = np.array([r["lang"] for r in rows])
    results = {}
    for language in ("all", *sorted(set(languages))):
        chosen = np.ones(len(rows), bool) if language == "all" else languages == language
        guess = np.array(NAMES)[matrix[chosen].argmax(1)]
        aucs = {n: round(float(roc_auc_score(truth[chosen] == n, matrix[chosen][:, i])), 3) for i, n in enumerate(NAMES)}
        results[language] = {
            "n": int(chosen.sum()),
            "macro_f1": round(float(f1_score(truth[chosen], guess, average="macro")), 3),
            "auc": aucs,
        }
        print(language, results[language])
    (ROOT / "benchmarks/results/routing.json").write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
