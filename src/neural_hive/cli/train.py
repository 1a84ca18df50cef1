"""`hive train`: models from your own data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from neural_hive.cli.failures import OK, tell
from neural_hive.cli.intent_data import Data, LabelField, TextField, open_stages
from neural_hive.cli.options import Json
from neural_hive.cli.output import print_json, wants_json


def register(app: typer.Typer) -> None:
    """Add `train` and what can be trained."""
    kinds = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Train on your own data.")
    kinds.callback()(_group)
    kinds.command("intents")(intents)
    app.add_typer(kinds, name="train")


def _group() -> None:
    """Train on your own data."""


def intents(
    data: Data,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder to write the model to.")],
    text_field: TextField = "text",
    label_field: LabelField = "label",
    name: Annotated[str, typer.Option("--name", help="Name of the model.", show_default="the folder's")] = "",
    model_version: Annotated[str, typer.Option("--model-version", help="Version of the model.")] = "1",
    data_license: Annotated[str, typer.Option("--license", help="License of the data, for the model card.")] = "not stated",
    description: Annotated[str, typer.Option("--description", help="A sentence for the model card.")] = "",
    encoder: Annotated[str, typer.Option("--encoder", help="Sentence encoder: use, or module:attribute.")] = "use",
    acceptance: Annotated[
        float,
        typer.Option("--acceptance", min=0.5, max=1.0, help="Share of rightly labelled requests to accept as in scope."),
    ] = 0.99,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of every random choice.")] = 0,
    as_json: Json = None,
) -> int:
    """Learn your own intents from labelled texts.

    Each row is a JSON object with a text and its intent; a `language`, `lang` or `locale` column gives each language a
    threshold of its own. Out-of-scope examples are not needed. The folder appears complete or not at all. The
    same rows and options give the same model to the last byte on one machine.
    """
    from neural_hive.learning.intents import TrainingOptions, read_rows, save_model, train_intents
    from neural_hive.learning.intents.artefact import check_target
    from neural_hive.learning.intents.rows import contradictions

    check_target(out)
    options = TrainingOptions(
        name=name or out.absolute().name,
        version=model_version,
        data_license=data_license,
        description=description,
        encoder=encoder,
        acceptance=acceptance,
        seed=seed,
    )
    rows = read_rows(data, text_field, label_field)
    _warn(contradictions(rows))
    with open_stages() as progress:
        model = train_intents(rows, options, progress)
        manifest = save_model(model, out)
    if wants_json(as_json):
        print_json({key: manifest[key] for key in ("name", "version", "digest", "created_from", "metrics", "thresholds")})
    else:
        print(_told(manifest, out))
    return OK


def _warn(contradicted: Mapping[str, Sequence[str]]) -> None:
    """Say which texts have several labels: no model can get them right, and they blur both intents."""
    for text, labels in list(contradicted.items())[:1]:
        n = len(contradicted)
        tell(
            f"Texts with more than one label: {n:,}, such as {text[:80]!r}: {', '.join(labels)}. Training goes on; better decide."
        )


def _told(manifest: Mapping[str, Any], out: Path) -> str:
    made, metrics = manifest["created_from"], manifest["metrics"]
    return (
        f"{out}: {made['n_labels']} intents from {made['n_rows']:,} rows.\n"
        f"Cross-validated: {100 * metrics['accuracy']:.1f} % right, calibration error {metrics['ece']:.3f}. "
        f"See {out / 'MODEL_CARD.md'}."
    )
