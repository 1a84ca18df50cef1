"""`hive evaluate`: how good a model you trained is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from neural_hive.cli.failures import OK
from neural_hive.cli.intent_data import Data, LabelField, Model, TextField, open_stages
from neural_hive.cli.options import Json
from neural_hive.cli.output import open_output, print_json, wants_json
from neural_hive.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add `evaluate`."""
    app.command("evaluate")(evaluate)


def evaluate(
    model: Model,
    data: Data,
    text_field: TextField = "text",
    label_field: LabelField = "label",
    oos_label: Annotated[
        str | None, typer.Option("--oos-label", metavar="LABEL", help="Label of rows that are out of scope.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="R.html", dir_okay=False, help="Write a page with plots; works offline.")
    ] = None,
    as_json: Json = None,
) -> int:
    """Measure a model you trained on rows with known labels.

    Accuracy, macro-F1, calibration (ECE, 15 bins), confusions, each language and intent; with --oos-label also
    how well the model refuses what it was not trained for.
    """
    from neural_hive.learning.intents import evaluate as measure
    from neural_hive.learning.intents import load_model, read_rows
    from neural_hive.learning.intents import report as page

    if report is not None:
        _check_report(report)
    trained = load_model(model)
    with open_stages() as progress:
        found = measure(trained, read_rows(data, text_field, label_field), oos_label, progress)
    if report is not None:
        with open_output(report) as file:
            file.write(page(found).encode())
    if wants_json(as_json):
        print_json(found)
    else:
        print(_told(found))
    return OK


def _check_report(report: Path) -> None:
    """Fail before the work if the page could not be written there."""
    if not report.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {report.absolute().parent}; create it or choose another --report.")


def _told(found: Mapping[str, Any]) -> str:
    lines = [
        f"rows in scope        {found['n']:>8,}",
        f"right                {_percent(found['accuracy'])}",
        f"macro-F1             {_percent(found['macro_f1'])}",
        f"calibration error    {_percent(found['ece'])}",
        f"right and accepted   {_percent(found['right_and_accepted'])}",
    ]
    scope = found["out_of_scope"]
    if scope:
        lines += [f"rows out of scope    {scope['n']:>8,}", f"refused              {_percent(scope['recall'])}"]
        lines += [f"AUROC                {scope['auroc']:>8.3f}"]
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100 * share:>8.1f} %"
