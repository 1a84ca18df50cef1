"""How well calibrated understanding is, and how long it takes.

    python benchmarks/understanding.py [--only calibration | speed]

Writes benchmarks/results/understanding.json, one row a number, and prints it.

Calibration. The domain's confidence is compared with the texts of tests/golden, on which nothing is trained: it is right when
a fair person would accept the domain. A request that is not judged has no domain, and is right when none is expected. The golden
set is small, and the error is biased upwards on few texts (Roelofs et al. 2022, "Mitigating bias in calibration error
estimation"), so what chance alone would give is told beside it. Domain and concerns are also measured out of fold when the
bundled model is trained; those numbers stand in its manifest.

Speed. Every text is different and none has been seen by the process, so nothing is answered from memory; caches of words are
warm from other texts, as in a process that has been serving. One text at a time by the clock; 16 together by the CPU time of the
process, on one core. Masking, opinions and storing are not part of it. The load of the machine is told with the numbers: above one
process a core, they are slower than the code is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from neural_hive.contracts import Domain
from neural_hive.learning.intents.calibrate import Doubles, expected_calibration_error
from neural_hive.understanding.understand import Heading, Understander, load_understander

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results" / "understanding.json"
MANIFEST = REPOSITORY / "src" / "neural_hive" / "models" / "understanding" / "manifest.json"
WHEN = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
#: Texts that warm the caches, are timed one at a time, and are timed together.
N_WARM, N_ALONE, N_TOGETHER, N_BATCH = 1_500, 900, 3_200, 16
_N_CHANCE = 2_000


def texts_of(folder: Path) -> list[str]:
    """All different texts of a folder of JSONL files, in an order that mixes files and languages (seed 0)."""
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines() if line.strip()]
    texts = sorted({json.loads(line)["text"] for line in lines})
    return [texts[at] for at in np.random.default_rng(0).permutation(len(texts))]


def calibration(understander: Understander) -> Iterator[dict[str, Any]]:
    """Rows about what confidences mean."""
    rows = [json.loads(line) for line in (REPOSITORY / "tests/golden/everyday.jsonl").read_text("utf-8").splitlines()]
    found = [one.understanding for one in understander.understand([Heading(row["text"], WHEN) for row in rows])]
    confidence = np.asarray([u.confidence for u in found])
    is_right = np.asarray([u.domain in (row["domains"] or [Domain.UNKNOWN]) for u, row in zip(found, rows, strict=True)])
    split = f"{len(rows)} golden texts, not trained on"
    yield row_of("calibration error (ECE) of the domain", expected_calibration_error(confidence, is_right), split, "≤ 0.05")
    yield row_of("the same of a perfectly calibrated model on as few texts", by_chance(confidence), split)
    yield row_of("mean confidence in the domain, in %", 100 * float(confidence.mean()), split)
    yield row_of("domain that a fair person accepts, in %", 100 * float(is_right.mean()), split)
    metrics = json.loads(MANIFEST.read_text("utf-8"))["metrics"]
    for head, name in (("domain", "the domain, out of fold"), ("concern", "concerns")):
        out_of_fold = f"{metrics[f'{head}_n']:,} phrases and examples, out of fold by group of translations"
        yield row_of(f"calibration error (ECE) of {name}", metrics[f"{head}_ece"], out_of_fold, "≤ 0.05")


def by_chance(confidence: Doubles) -> float:
    """The mean error, over 15 bins, of answers that are right exactly as often as they say: what so few texts cannot tell from none."""
    rng = np.random.default_rng(0)
    drawn = (expected_calibration_error(confidence, rng.random(len(confidence)) < confidence) for _ in range(_N_CHANCE))
    return float(np.mean(list(drawn)))


def speed(understander: Understander) -> Iterator[dict[str, Any]]:
    """Rows about time."""
    texts = texts_of(REPOSITORY / "data" / "phrases")
    warm, alone, together = np.split(np.asarray(texts[: N_WARM + N_ALONE + N_TOGETHER]), [N_WARM, N_WARM + N_ALONE])
    for batch in batches(warm):
        understander.understand(batch)
    took_ms = np.asarray([one_ms(understander, Heading(str(text), WHEN)) for text in alone])
    headings = list(batches(together))
    started = time.process_time()
    for batch in headings:
        understander.understand(batch)
    per_s = len(together) / (time.process_time() - started)
    busy = f"; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    split = f"{len(alone)} different texts in three languages, {np.mean([len(t) for t in alone]):.0f} characters on average{busy}"
    yield row_of("understanding, mean of one text", float(took_ms.mean()), split, "≤ 2 ms")
    yield row_of("understanding, 99th percentile of one text, in ms", float(np.quantile(took_ms, 0.99)), split)
    yield row_of(
        "understanding, texts a second on one core", per_s, f"{len(together)} different texts, 16 at a time{busy}", "≥ 600"
    )


def batches(texts: Sequence[str]) -> Iterator[list[Heading]]:
    """16 texts at a time."""
    for start in range(0, len(texts), N_BATCH):
        yield [Heading(str(text), WHEN) for text in texts[start : start + N_BATCH]]


def one_ms(understander: Understander, heading: Heading) -> float:
    """Milliseconds of the clock that understanding one text takes."""
    started = time.perf_counter()
    understander.understand([heading])
    return 1e3 * (time.perf_counter() - started)


def row_of(measure: str, value: float, split: str, target: str | None = None) -> dict[str, Any]:
    """One number as docs/quality.py reads it."""
    return {
        "measure": measure,
        "value": round(value, 4),
        "split": split,
        "target": target,
        "command": "python benchmarks/understanding.py",
        "measured": datetime.now(UTC).date().isoformat(),
    }


MEASURES = {"calibration": calibration, "speed": speed}


def kept(before: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows of the parts that were not measured now stay; calibration comes first."""
    names = {row["measure"] for row in new}
    old = [row for row in before if row["measure"] not in names]
    return sorted([*old, *new], key=lambda row: row["measure"].startswith("understanding"))


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(MEASURES))
    asked = parser.parse_args()
    understander = load_understander()
    rows = [row for name in MEASURES if asked.only in (None, name) for row in MEASURES[name](understander)]
    for row in rows:
        print(f"{row['measure']:64} {row['value']:10.4g}   {row['target'] or ''}")
    before = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() and asked.only else []
    RESULTS.write_text(json.dumps(kept(before, rows), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
