"""How well the hive judges everyday requests: outcomes, leaders, domains, twins, and the spread between languages.

`python benchmarks/judging.py` reads tests/golden/*.jsonl (texts that nothing is trained on), judges them in this process, prints a
table and writes benchmarks/results/judging.json. `--show` lists what went wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

from neural_hive.contracts import Ask
from neural_hive.hive import open_hive
from neural_hive.pipeline.judging import Judgement
from neural_hive.service import Hive
from neural_hive.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
#: Sets that were written one after the other and judged before anything was changed for them; tests/golden/README.md has those numbers.
FRESH = (1, 2, 3, 4, 5, 6)
STOPPED = {"needs_review", "rejected"}


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in (ROOT / "tests/golden" / name).read_text("utf-8").splitlines() if line.strip()]


async def judge_all(hive: Hive, rows: list[dict], key: str = "text") -> list[Judgement]:
    results: list[Judgement] = []
    for i in range(0, len(rows), 16):
        results += await hive.judge([Ask(text=r[key]) for r in rows[i : i + 16]])
    return results


async def measure(show: bool) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/hive.db"
        async with open_hive(load_settings(ledger_url=url, graph_url=url, bus_url=url), is_recovering=False) as hive:
            everyday, twins = read("everyday.jsonl"), read("twins.jsonl")
            judged = await judge_all(hive, everyday)
            parallel = read("parallel.jsonl")
            fresh = [row for number in FRESH for row in read(f"fresh_{number}.jsonl")]
            judged_fresh = await judge_all(hive, fresh)
            told = [await judge_all(hive, parallel, language) for language in ("pt", "es", "en")]
            safe, risky = await judge_all(hive, twins, "safe"), await judge_all(hive, twins, "risky")
    spreads = [max(j.decision.risk for j in row) - min(j.decision.risk for j in row) for row in zip(*told, strict=True)]
    literal = {"n_parallel": len(parallel), "risk_spread_of_literal_translations": mean(spreads)}
    later = {f"fresh_{name}": value for name, value in everyday_metrics(fresh, judged_fresh, show).items()}
    return everyday_metrics(everyday, judged, show) | twin_metrics(twins, safe, risky, show) | literal | later


def everyday_metrics(rows: list[dict], judged: list[Judgement], show: bool) -> dict:
    outcome_ok, lead_ok, domain_ok, waved, approved, language_ok = [], [], [], [], [], []
    risks = defaultdict(list)
    for row, j in zip(rows, judged, strict=True):
        d = j.decision
        outcome_ok.append(d.outcome in row["outcomes"])
        lead_ok.append(d.primary in row["specialists"] if row["specialists"] else d.primary == "none")
        domain_ok.append(j.understanding.domain in row["domains"])
        language_ok.append(j.understanding.language == row["language"])
        risks[row["group"]].append(d.risk)
        if row["must_stop"] and d.outcome not in STOPPED:
            waved.append(row["text"])
        if row["must_stop"] and d.outcome == "approved":
            approved.append(row["text"])
        if show and not (outcome_ok[-1] and lead_ok[-1] and domain_ok[-1]):
            marks = "".join(m if ok else "-" for m, ok in zip("OLD", (outcome_ok[-1], lead_ok[-1], domain_ok[-1]), strict=True))
            tops = [(f.concern, f.severity, round(f.likelihood, 2)) for o in j.opinions for f in o.findings]
            tops = sorted(tops, key=lambda t: -t[1] * t[2])[:3]
            print(
                f"{marks} {row['group']} {row['language']} {row['category']}: {row['text'][:110]!r}\n     got {d.outcome} {d.risk} {d.primary}"
                f" {j.understanding.domain} {j.understanding.status} {d.guardrails} {tops} f={j.understanding.frame.action}{j.understanding.frame.objects}"
                f" conf={d.confidence}\n     want {row['outcomes']} {row['specialists']} {row['domains']}"
            )
    return {
        "n_everyday": len(rows),
        "outcome_acceptable": mean(outcome_ok),
        "primary_specialist": mean(lead_ok),
        "domain": mean(domain_ok),
        "language": mean(language_ok),
        "must_stop_approved": len(approved),
        "must_stop_waved_through": len(waved),
        "risk_spread_between_languages": mean(max(r) - min(r) for r in risks.values()),
    }


def twin_metrics(rows: list[dict], safe: list[Judgement], risky: list[Judgement], show: bool) -> dict:
    ordered = []
    for row, s, r in zip(rows, safe, risky, strict=True):
        ordered.append(r.decision.risk > s.decision.risk)
        if show and not ordered[-1]:
            print(
                f"TWIN {row['pair']} {row['language']}: {s.decision.risk} {row['safe'][:100]!r} ≥ {r.decision.risk} {row['risky'][:100]!r}"
                f" f={r.understanding.frame.action}{r.understanding.frame.objects}"
            )
    return {"n_twins": len(rows), "riskier_twin_scores_higher": mean(ordered)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="list what went wrong")
    metrics = asyncio.run(measure(parser.parse_args().show))
    for name, value in metrics.items():
        print(f"{name:36} {value:.4f}" if isinstance(value, float) else f"{name:36} {value}")
    out = ROOT / "benchmarks/results/judging.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(metrics | {"measured": datetime.now(UTC).date().isoformat()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
