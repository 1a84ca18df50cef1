"""Writes the generated parts of the documentation: `python -m docs.generate`, from the root; `make docs` does.

Settings, metrics, commands, routes and schemas come from the code, the quality page and the numbers in README.md from
`benchmarks/results`, the decisions in README.md and the tutorial from a hive that is asked.
`--check` writes nothing and exits 1 when something is not current.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from docs.quality import measured, quality_page
from docs.samples import with_decision
from pydantic import BaseModel, SecretStr

from neural_hive.cli.reference import reference as cli_reference
from neural_hive.gateway.app import document_for
from neural_hive.gateway.reference import files as http_files
from neural_hive.observability.reference import reference as metrics_reference
from neural_hive.settings import Settings, SpecialistUrls

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-decision.md"
#: Endings of names that carry a unit, longest first.
_UNITS = {"_per_minute": "per minute", "_chars": "characters", "_bytes": "bytes", "_ms": "ms", "_s": "s"}
_COMMENT = re.compile(r"^    # (.+)$|^    ([a-z_]+):", re.MULTILINE)
_NUMBERS = re.compile(r"(<!-- numbers:[^\n]*-->\n).*?(<!-- end of numbers -->)", re.DOTALL)

_SETTINGS_HEAD = """# Settings

<!-- Written by `python -m docs.generate`; a test fails when it is not current. -->

Every setting is an environment variable. Unset is the default, and the defaults need no server. A value that is not valid
stops the start with one line that names the setting. A `HIVE_` variable that is no setting is probably a misspelling:
`hive doctor` names it. Secrets are never shown, logged or answered.
"""


def settings_page() -> str:
    """docs/reference/settings.md."""
    parts = [_SETTINGS_HEAD]
    for title, names in _sections():
        rows = [row for name in names for row in _setting_rows(name)]
        parts.append(f"## {title}\n\n| setting | default | unit | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _sections() -> list[tuple[str, list[str]]]:
    """Comments of the settings' source as titles, each with the names that follow it."""
    sections: list[tuple[str, list[str]]] = []
    for comment, name in _COMMENT.findall(inspect.getsource(Settings)):
        if comment:
            sections.append((comment, []))
        elif name in Settings.model_fields:
            sections[-1][1].append(name)
    return sections


def _setting_rows(name: str) -> Iterator[str]:
    if name != "specialists":
        yield _row(Settings, name, f"HIVE_{name.upper()}")
        return
    for below in SpecialistUrls.model_fields:
        yield _row(SpecialistUrls, below, f"HIVE_SPECIALISTS__{below.upper()}")


def _row(model: type[BaseModel], name: str, variable: str) -> str:
    field = model.model_fields[name]
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{variable}` | {_default(field.default)} | {unit} | {meaning} |"


def _default(value: Any) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    if plain is None or plain == "":
        return "–"
    return f"`{str(plain).lower() if isinstance(plain, bool) else plain}`"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def value_of(result: str, measure: str) -> Any:
    """The value of one measure of the quality page; NaN if it was not measured."""
    return next((row["value"] for row in measured(result) if row["measure"] == measure), float("nan"))


#: Result file → rows: what is measured, how its value is found, what is aimed at.
NUMBERS: dict[str, tuple[tuple[str, Callable[[Any], str], str], ...]] = {
    "judging": (
        ("outcome a careful person accepts", lambda r: f"{_percent(r['outcome_acceptable'])} of {r['n_everyday']}", "≥ 90 %"),
        ("right specialist leads", lambda r: _percent(r["primary_specialist"]), "≥ 85 %"),
        ("right domain", lambda r: _percent(r["domain"]), "≥ 85 %"),
        ("must be stopped, was approved", lambda r: str(r.get("must_stop_approved", "not yet")), "0"),
        ("must be stopped, was approved or let go with conditions", lambda r: str(r["must_stop_waved_through"]), "0"),
        ("riskier twin scores higher", lambda r: f"{_percent(r['riskier_twin_scores_higher'])} of {r['n_twins']}", "100 %"),
        (
            "spread of risk between languages, literal translations",
            lambda r: f"{r['risk_spread_of_literal_translations']:.3f}",
            "≤ 0.05",
        ),
        ("the same, each language in its own words", lambda r: f"{r['risk_spread_between_languages']:.3f}", "≤ 0.05"),
    ),
    "routing": (
        (
            "requirement → specialist, real requirements, macro-F1",
            lambda _: f"{value_of('routing', 'macro-F1, all'):.2f}",
            "–",
        ),
    ),
    "speech": (
        (
            "word error rate, human clips",
            lambda r: f"{r['engines']['hive']['wer']['wer']:.1f} % of {r['n_clips']} clips",
            "no worse",
        ),
        ("the same, faster-whisper", lambda r: f"{r['engines']['faster-whisper']['wer']['wer']:.1f} %", "–"),
        (
            "times faster than faster-whisper",
            lambda r: f"{r['engines']['hive']['times_faster_than_faster_whisper']:.1f}",
            "≥ 3",
        ),
    ),
    "http": (
        ("text → durable decision over HTTP, one client, p50", lambda r: f"{r[0]['p50_ms']:.1f} ms", "≤ 8 ms"),
        ("the same, p99", lambda r: f"{r[0]['p99_ms']:.1f} ms", "≤ 40 ms"),
        ("durable decisions with 16 clients", lambda r: f"{r[1]['per_s']:.0f}/s", "≥ 300/s"),
    ),
}
#: How each result file is made.
COMMANDS = {
    "judging": "`python benchmarks/judging.py`",
    "routing": "`python benchmarks/routing.py`",
    "speech": "`python -P benchmarks/speech.py --data … --model …`",
    "http": "`python -P benchmarks/http_load.py http://127.0.0.1:8000 > benchmarks/results/http.jsonl`",
}


def numbers_table() -> str:
    """The README's table of numbers; what was not measured yet says so."""
    lines = ["| what | measured | aim | command |", "|---|---|---|---|"]
    for name, rows in NUMBERS.items():
        result = _result(name)
        for what, value, aim in rows:
            lines.append(f"| {what} | {value(result) if result else 'not yet'} | {aim} | {COMMANDS[name]} |")
    return "\n".join(lines) + "\n"


def _result(name: str) -> Any:
    folder = ROOT / "benchmarks" / "results"
    if (folder / f"{name}.json").exists():
        return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    lines = folder / f"{name}.jsonl"
    return [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()] if lines.exists() else None


def readme() -> str:
    """README.md with a current decision and current numbers."""
    text = with_decision((ROOT / "README.md").read_text(encoding="utf-8"), is_brief=True)
    return _NUMBERS.sub(lambda found: found[1] + numbers_table() + found[2], text)


def tutorial() -> str:
    """docs/tutorial/first-decision.md with a current decision."""
    return with_decision(TUTORIAL.read_text(encoding="utf-8"))


def pages() -> dict[Path, bytes]:
    """Every generated file and what it should hold."""
    reference = ROOT / "docs" / "reference"
    texts = {
        reference / "settings.md": settings_page(),
        reference / "metrics.md": metrics_reference(),
        reference / "cli.md": cli_reference(),
        reference / "quality.md": quality_page(),
        ROOT / "README.md": readme(),
        TUTORIAL: tutorial(),
    }
    published = http_files(document_for(Settings.model_construct()))
    return {path: text.encode() for path, text in texts.items()} | {reference / name: data for name, data in published.items()}


def stale(wanted: dict[Path, bytes]) -> list[Path]:
    """Files that are not as they should be."""
    return [path for path, content in wanted.items() if not path.exists() or path.read_bytes() != content]


def main(arguments: list[str] | None = None) -> int:
    """Write or check. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not current")
    is_checking = parser.parse_args(arguments).check
    wanted = pages()
    changed = stale(wanted)
    for path in changed:
        if not is_checking:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[path])
        sys.stdout.write(f"{'stale' if is_checking else 'written'}: {path.relative_to(ROOT)}\n")
    return 1 if is_checking and changed else 0


if __name__ == "__main__":
    sys.exit(main())
