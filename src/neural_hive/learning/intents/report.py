"""An evaluation as one HTML file that a person can read: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from neural_hive.learning.intents.plots import bar, confusion_plot, reliability_plot, scope_plot

_N_WEAKEST = 20
_N_CONFUSIONS = 20
_STYLE = """
:root{color-scheme:light dark;--ink:#1d2433;--paper:#fff;--faint:#d5dae3;--blue:#2559c7;--orange:#c2560c}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--paper:#151923;--faint:#3a4152;--blue:#7ba6ff;--orange:#ff9d57}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.25rem .9rem .25rem 0;text-align:left;vertical-align:top}
tr{border-bottom:1px solid var(--faint)}td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}.wide svg{max-width:none}.side{display:flex;flex-wrap:wrap;gap:2rem;align-items:flex-start}.side>*{flex:1 1 20rem}
code{overflow-wrap:anywhere}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg{max-width:100%;height:auto}
.grid{stroke:var(--faint)}.ideal{stroke:var(--ink);stroke-dasharray:4 4;fill:none}.curve{stroke:var(--blue);stroke-width:2;fill:none}
.before{stroke:var(--orange);stroke-width:2;fill:none}.after{fill:var(--blue);fill-opacity:.75}.bar,.cell{fill:var(--blue)}
.empty{fill:none;stroke:var(--faint)}
"""


def report(found: Mapping[str, Any]) -> str:
    """HTML of what `evaluate` gave."""
    name = f"{found['model'].get('name') or 'Model'}, version {found['model'].get('version') or '?'}"
    parts = [
        f"<h1>{escape(name)}</h1>",
        _head(found),
        _calibration(found),
        _out_of_scope(found),
        _languages(found["by_language"]),
        _weakest(found["by_label"]),
        _confusions(found["confusions"]),
        _unknown(found["labels_unknown_to_the_model"]),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _head(found: Mapping[str, Any]) -> str:
    data = found["data"]
    rows = [
        ("right", _percent(found["accuracy"])),
        ("macro-F1", _percent(found["macro_f1"])),
        ("calibration error (ECE, 15 bins)", f"{_percent(found['ece'])}, {_percent(found['ece_before'])} before scaling"),
        ("right and accepted as in scope", _percent(found["right_and_accepted"])),
    ]
    if found["out_of_scope"]:
        rows.append(("out of scope and refused", _percent(found["out_of_scope"]["recall"])))
    return (
        f"<p>{found['n']:,} rows in scope, {data['n_out_of_scope']:,} out of scope. "
        f"Model <code>{escape(str(found['model'].get('digest')))}</code>, data <code>{data['rows_sha256']}</code>.</p>"
        + _table(("measure", "value"), rows)
    )


def _calibration(found: Mapping[str, Any]) -> str:
    return (
        '<h2>Does the confidence mean what it says?</h2><div class="side">'
        + reliability_plot(found["reliability"], found["reliability_before"])
        + "<p>Each dot is the answers of about the same confidence; the bigger, the more of them. On the dashed line, "
        "answers of 80 % confidence are right 80 % of the time. Above it the model is too modest, below it too sure. "
        "The orange line is the model before temperature scaling.</p></div>"
    )


def _out_of_scope(found: Mapping[str, Any]) -> str:
    scope = found["out_of_scope"]
    if not scope:
        return ""
    here = (scope["recall"], found["right_and_accepted"])
    return (
        '<h2>Does it notice what it was not trained for?</h2><div class="side">'
        + scope_plot(scope["curve"], here)
        + f"<p>The dot is where the model draws the line: it refuses {_percent(here[0])} of what is out of scope, and "
        f"{_percent(here[1])} of what is in scope is right and accepted. The curve is every other line it could draw. "
        f"A refusal is justified in {_percent(scope['precision'])} of the cases. AUROC {scope['auroc']:.3f}.</p></div>"
    )


def _languages(by_language: Mapping[str, Mapping[str, Any]]) -> str:
    if len(by_language) < 2:
        return ""
    names = ("n", "accuracy", "ece", "right_and_accepted")
    rows = [(name or "not stated", *(_cell(numbers[key]) for key in names)) for name, numbers in by_language.items()]
    return "<h2>By language</h2>" + _table(("language", "rows", "right", "ECE", "right and accepted"), rows)


def _weakest(by_label: Sequence[Mapping[str, Any]]) -> str:
    weakest = sorted(by_label, key=lambda label: (label["f1"], label["label"]))[:_N_WEAKEST]
    rows = [(b["label"], _cell(b["n"]), _percent(b["precision"]), _percent(b["recall"]), _F1(b["f1"])) for b in weakest]
    return "<h2>The weakest intents</h2>" + _table(("intent", "rows", "precision", "recall", "F1"), rows)


def _confusions(confusions: Sequence[Mapping[str, Any]]) -> str:
    if not confusions:
        return ""
    rows = [(c["label"], c["taken_for"], _cell(c["n"])) for c in confusions[:_N_CONFUSIONS]]
    return (
        "<h2>What is mixed up</h2>"
        + _table(("intent", "taken for", "times"), rows, n_names=2)
        + f'<p>Row: the intent. Column: what it was taken for.</p><div class="wide">{confusion_plot(confusions)}</div>'
    )


def _unknown(unknown: Mapping[str, int]) -> str:
    if not unknown:
        return ""
    rows = [(label, _cell(n)) for label, n in unknown.items()]
    return "<h2>Labels that the model does not know</h2><p>Counted as wrong.</p>" + _table(("label", "rows"), rows)


class _F1(float):
    """A number that is shown with a bar."""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], n_names: int = 1) -> str:
    """The first `n_names` columns are names, the others numbers."""
    top = "".join(f"<th{'' if at < n_names else ' class=n'}>{escape(name)}</th>" for at, name in enumerate(head))
    body = "".join("<tr>" + "".join(_td(value, at < n_names) for at, value in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def _td(value: object, is_name: bool) -> str:
    if isinstance(value, _F1):
        return f'<td class="n">{_percent(value)} {bar(value)}</td>'
    return f"<td{'' if is_name else ' class=n'}>{escape(str(value))}</td>"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _cell(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else _percent(value)
