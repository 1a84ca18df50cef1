"""`hive models`: the models of understanding in the registry that HIVE_MODELS_URL names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neural_hive.cli.connect import run
from neural_hive.cli.failures import tell
from neural_hive.cli.output import print_json
from neural_hive.ports import ModelRegistry, ModelVersion
from neural_hive.settings import load_settings

#: What a hive asks its registry for.
NAME = "understanding"


def register(app: typer.Typer) -> None:
    """Add `models` and its verbs."""
    about = "Give the hive another model of understanding, and see which one serves."
    verbs = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help=about)
    verbs.command("publish")(publish)
    verbs.command("promote")(promote)
    verbs.command("champion")(champion)
    app.add_typer(verbs, name="models")


def publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="What `make models` wrote.")],
    is_champion: Annotated[bool, typer.Option("--promote", help="Serve it from now on.")] = False,
) -> None:
    """Register a model with its hashes and metrics.

    It is tried first: what this release cannot load is refused.
    """
    version = run(_publish(folder, is_champion=is_champion))
    tell(f"version {version.version} of {NAME} is registered{' and serves' if is_champion else ''}")
    print_json(_described(version))


def promote(version: Annotated[str, typer.Argument(metavar="VERSION", help="As `hive models publish` told it.")]) -> None:
    """Serve a registered version from now on.

    Running hives take it within HIVE_MODELS_INTERVAL_S, without a restart.
    """
    run(_promote(version))
    tell(f"version {version} of {NAME} serves")


def champion() -> None:
    """Show the version that serves: its digest and metrics."""
    print_json(_described(run(_champion())))


async def _publish(folder: Path, *, is_champion: bool) -> ModelVersion:
    from neural_hive.storage.models.artefacts import own_words
    from neural_hive.storage.open import open_storage
    from neural_hive.understanding.understand import load_understander

    understander = load_understander(folder)
    metrics = {name: float(value) for name, value in own_words(folder).get("metrics", {}).items()}
    async with open_storage() as storage:
        registry = await storage.models(load_settings().models_url)
        version = await registry.register(NAME, folder, metrics, dict(understander.models))
        if is_champion:
            await registry.promote(NAME, version.version)
    return version


async def _promote(version: str) -> None:
    from neural_hive.storage.open import open_storage

    async with open_storage() as storage:
        registry: ModelRegistry = await storage.models(load_settings().models_url)
        await registry.promote(NAME, version)


async def _champion() -> ModelVersion:
    from neural_hive.storage.open import open_storage

    async with open_storage() as storage:
        return await (await storage.models(load_settings().models_url)).champion(NAME)


def _described(version: ModelVersion) -> dict[str, object]:
    return {"name": version.name, "version": version.version, "digest": version.digest, "metrics": version.metrics}
