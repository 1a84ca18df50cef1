"""Recipe for the two files here that are not ours: run with the folder that holds the MASSIVE and DataReq-PT sets.

    python data/phrases/borrow.py ../shared/data

The routing benchmark measures on some of these requirements; it trains without those it measures on.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).parent
LOCALES = {"pt-PT": "pt-PT", "es-ES": "es", "en-US": "en"}
SCENARIOS = {
    "alarm",
    "audio",
    "cooking",
    "general",
    "iot",
    "music",
    "news",
    "play",
    "qa",
    "recommendation",
    "takeaway",
    "transport",
    "weather",
    "datetime",
    "social",
}
N_UTTERANCES, SEED = 260, 7


def off_topic(data: Path) -> list[dict]:
    """Parallel home-assistant talk of MASSIVE (train) as examples of what is not the hive's business."""
    by_locale = {}
    for locale in LOCALES:
        with gzip.open(data / f"massive/{locale}.train.jsonl.gz", "rt", encoding="utf-8") as lines:
            by_locale[locale] = {row["id"]: row for row in map(json.loads, lines)}
    ids = [i for i, row in by_locale["en-US"].items() if row["scenario"] in SCENARIOS and len(row["utt"].split()) >= 3]
    random.Random(SEED).shuffle(ids)
    return [
        {"group": f"massive-{i}", "text": by_locale[locale][i]["utt"], "language": language, "domain": "unknown", "specialist": "none",
         "action": "none", "kind": "off_topic", "style": "voice", "outcome": ["needs_review"], "weight": 0.5}
        for i in ids[:N_UTTERANCES] for locale, language in LOCALES.items() if i in by_locale[locale]
    ]  # fmt: skip


#: How far a category of DataReq-PT says whose business a requirement is. "Usabilidade" and "Operacional" are given to any function that
#: somebody uses or that keeps something running; the others are broad, too.
TRUST = {"Usabilidade": 0.05, "Operacional": 0.05, "Conformidade": 0.05, "Portabilidade": 0.05, "Legal": 0.05}
#: Leader by category, for the second one that some requirements have; the first comes with the set.
LEADERS = {
    "Acessibilidade": "behavior",
    "Caso de uso": "business",
    "Ciclo de vida": "evolution",
    "Escalabilidade": "architecture",
    "Manutenibilidade": "evolution",
    "Performance": "architecture",
    "Segurança": "technical",
    "Tolerância a falha": "architecture",
}


def requirements(data: Path) -> list[dict]:
    """Software requirements of DataReq-PT with the specialist that owns each, and the one that its second category names."""
    rows = [json.loads(line) for line in (data / "datareq_pt/dev.jsonl").read_text("utf-8").splitlines()]
    return [
        {"group": f"datareq-{row['id']}", "text": row["text"], "language": "pt-BR", "specialist": row["specialist"],
         "also_specialists": sorted({LEADERS.get(row["label2"], row["specialist"])} - {row["specialist"]}), "action": "none",
         "kind": "request", "style": "requirement", "register": "tender", "weight": TRUST.get(row["label"], 1.0)}
        for row in rows
    ]  # fmt: skip


def main() -> None:
    """Write both files."""
    data = Path(sys.argv[1])
    for name, rows in (("off_topic_massive", off_topic(data)), ("requirements_datareq", requirements(data))):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (HERE / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
