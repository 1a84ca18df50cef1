"""docs/reference/quality.md: how good the hive is, from `benchmarks/results`, beside what was aimed at and what others publish."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results"

_HEAD = """# Quality

<!-- Written by `python -m docs.generate` from benchmarks/results; a test fails when it is not current. -->

Every number below was measured by the command beside it; `make quality` runs them all and `make docs` writes this page.
*Split* says which texts a number is about. The official test sets of MASSIVE, CLINC150 and BANKING77 are **not** used here:
models are trained and chosen without them, so that whoever holds them can check what is said. Aims are for those test sets.
A measure without a number says so.
"""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """One table: what was measured on `data`, how others do, and which measures there must be (name → aim)."""

    title: str
    result: str
    command: str
    data: str
    others: str
    wanted: Mapping[str, str]


SECTIONS = (
    Section(
        "Bring your own intents",
        "intents",
        "python benchmarks/intents.py",
        "MASSIVE 1.1 (CC BY 4.0; FitzGerald et al. 2022), CLINC150 (CC BY 3.0; Larson et al. 2019), "
        "BANKING77 (CC BY 4.0; Casanueva et al. 2020). All rows are development data: the model's parts were chosen on them, and the share of "
        "requests that is accepted by default was chosen while looking at CLINC150's 200 out-of-scope rows, so that recall is flattered.",
        "On the test sets, in %. MASSIVE pt / es / en: mT5-base encoder, fine-tuned on GPU, 86.9 / 86.8 / 89.0; XLM-R base 86.7 / 86.9 / "
        "88.3. CLINC150 in scope with out-of-scope recall: BERT with a threshold 96.2 with 52.3, Rasa 91.5 with 45.3. BANKING77: BERT-class "
        "models 93.6 to 94.1. We know of no published calibration errors.",
        {
            "MASSIVE pt-PT, right": "≥ 87.5 %",
            "MASSIVE es-ES, right": "≥ 87.5 %",
            "MASSIVE en-US, right": "≥ 89.5 %",
            "CLINC150, in scope and right": "≥ 93 %",
            "CLINC150, out of scope and refused": "≥ 60 %",
            "BANKING77, right": "≥ 93.5 %",
            **{f"{name}, calibration error (ECE)": "≤ 0.05" for name in ("MASSIVE pt-PT", "MASSIVE es-ES", "MASSIVE en-US")},
            **{f"{name}, calibration error (ECE)": "≤ 0.05" for name in ("CLINC150", "BANKING77")},
        },
    ),
    Section(
        "Requirement to specialist",
        "routing",
        "python benchmarks/routing.py",
        "200 requirements in pt-BR and en, labels mapped to the five specialists; the English ones are trained on by nothing, the Portuguese ones are measured out of fold. They are development data: whoever wrote our formal requirements had read them, and what came too close was removed, so English may be flattered. They are not in this repository.",
        "TF-IDF 0.56 macro-F1, with sentence vectors 0.63, both trained on requirements of this kind.",
        {
            "macro-F1, all": "≥ 0.70",
            "macro-F1, pt-BR": "within 0.05 of en",
            "macro-F1, en": "within 0.05 of pt-BR",
            "worst AUC of a specialist": "≥ 0.85",
        },
    ),
    Section(
        "Everyday requests",
        "judging",
        "python benchmarks/judging.py",
        "`tests/golden`: requests written for this repository (its licence), nothing is trained on them. They are development data: gaps in the lexicon and one setting of the model were found by looking at them.",
        "We know of no published numbers for this whole task.",
        {},
    ),
    Section(
        "Understanding",
        "understanding",
        "python benchmarks/understanding.py",
        "`tests/golden` and `data/phrases` of this repository (its licence); calibration by cross-validation and on texts apart.",
        "We know of no published calibration errors. The predecessor needed 5.9 ms a text and managed 170 a second on one core.",
        {
            "calibration error (ECE) of the domain": "≤ 0.05",
            "calibration error (ECE) of concerns": "≤ 0.05",
            "understanding, mean of one text": "≤ 2 ms",
            "understanding, texts a second on one core": "≥ 600",
        },
    ),
    Section(
        "Privacy",
        "privacy",
        "python benchmarks/privacy.py",
        "Generated identifiers with valid check digits, of 16 kinds, in sentences in pt, es and en, written for this repository (its licence).",
        "We know of no published numbers for this task.",
        {"valid identifiers of 16 kinds left": "0"},
    ),
    Section(
        "Names of persons",
        "names",
        "python benchmarks/names.py",
        "Sentences written for this repository (its licence).",
        "We know of no published numbers for this task in these languages.",
        {"person names left": "≤ 1 in 6"},
    ),
)


def quality_page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(section) for section in SECTIONS)])


def _section(section: Section) -> str:
    rows = [*measured(section.result), *_missing(section)]
    table = "\n".join("| " + " | ".join(_cells(row, section)) + " |" for row in rows)
    return (
        f"## {section.title}\n\n| measure | value | aim | split | command | measured |\n|---|---|---|---|---|---|\n{table}\n\n"
        f"**Data.** {section.data}\n\n**Others.** {section.others}\n"
    )


def _cells(row: Row, section: Section) -> Iterator[str]:
    yield str(row["measure"])
    yield _number(row["value"])
    yield str(row.get("target") or section.wanted.get(row["measure"]) or "–")
    yield str(row.get("split") or "–")
    yield f"`{row.get('command') or section.command}`"
    yield str(row.get("measured") or "–")


def _number(value: Any) -> str:
    return "not measured" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def measured(name: str) -> Sequence[Row]:
    """Rows of benchmarks/results/NAME.json: `measure`, `value`, and maybe `split`, `target`, `command`, `measured`."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return []
    result = json.loads(path.read_text(encoding="utf-8"))
    return result if isinstance(result, list) else _FLAT[name](result)


def _missing(section: Section) -> Iterator[Row]:
    """Measures that must be there and are not."""
    there = {row["measure"] for row in measured(section.result)}
    yield from ({"measure": name, "value": None, "target": aim} for name, aim in section.wanted.items() if name not in there)


def _judging_rows(result: Mapping[str, Any]) -> Sequence[Row]:
    """Rows of the file that `benchmarks/judging.py` writes: name → number."""
    split = f"{result['n_everyday']} requests, not trained on"
    twins = f"{result['n_twins']} pairs of twins, not trained on"
    literal = f"{result['n_parallel']} requests in three languages, translated word for word"
    table = (
        ("outcome a careful person accepts", "outcome_acceptable", "≥ 0.90", split),
        ("right specialist leads", "primary_specialist", "≥ 0.85", split),
        ("right domain", "domain", "≥ 0.85", split),
        ("right language", "language", "–", split),
        ("must be stopped, was approved", "must_stop_approved", "0", split),
        ("must be stopped, was approved or let go with conditions", "must_stop_waved_through", "0", split),
        ("riskier twin scores higher", "riskier_twin_scores_higher", "1", twins),
        ("spread of risk between languages, own words", "risk_spread_between_languages", "≤ 0.05", split),
        ("spread of risk between languages, translations", "risk_spread_of_literal_translations", "≤ 0.05", literal),
    )
    when = result.get("measured")
    return [{"measure": m, "value": result.get(key), "target": aim, "split": s, "measured": when} for m, key, aim, s in table]


def _routing_rows(result: Mapping[str, Any]) -> Sequence[Row]:
    """Rows of a routing result by language: all, en, pt-BR, each with n, macro_f1 and auc by specialist."""
    rows = [
        {"measure": f"macro-F1, {name}", "value": part["macro_f1"], "split": f"{part['n']} requirements, not trained on"}
        for name, part in result.items()
    ]
    worst = {"measure": "worst AUC of a specialist", "value": min(result["all"]["auc"].values())}
    return [*rows, worst | {"split": rows[0]["split"]}]


#: Result files that are no list of rows → how they become one.
_FLAT: Mapping[str, Callable[[Mapping[str, Any]], Sequence[Row]]] = {"judging": _judging_rows, "routing": _routing_rows}
