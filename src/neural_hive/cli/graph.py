"""`hive graph`: what the hive knows of your systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neural_hive.cli.catalogue import read_catalogue
from neural_hive.cli.connect import run
from neural_hive.cli.failures import tell
from neural_hive.ports import CatalogueEntity
from neural_hive.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add `graph` and its verb."""
    verbs = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Tell the hive about your systems.")
    verbs.callback()(lambda: None)
    verbs.command("import")(import_)
    app.add_typer(verbs, name="graph")


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Backstage catalogues, such as catalog-info.yaml."),
    ],
) -> None:
    """Add your systems from Backstage catalogues.

    Systems, owners and dependencies go to HIVE_GRAPH_URL; a known name is replaced. All files are read before anything
    is written. Specialists then see who owns what an intent mentions, and what
    depends on it; a hive that runs learns it within HIVE_MODELS_INTERVAL_S.
    """
    entities = [entity for file in files for entity in read_catalogue(file)]
    n_written = run(_put(entities))
    tell(f"{n_written} {'entity' if n_written == 1 else 'entities'} written to the graph.")


async def _put(entities: list[CatalogueEntity]) -> int:
    from neural_hive.storage.open import open_storage

    async with open_storage() as storage:
        graph = await storage.graph(load_settings().graph_url)
        return await graph.put_entities(entities)
