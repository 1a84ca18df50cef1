"""Every promise of `ModelRegistry`, on every product."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from neural_hive.errors import ModelError, NotFoundError
from neural_hive.ports import ModelRegistry

METRICS = {"accuracy": 0.91}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A trained model: a folder of files."""
    folder = tmp_path / "trained"
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "layer.bin").write_bytes(bytes(range(256)))
    (folder / "labels.json").write_text('["a", "b"]')
    return folder


async def test_there_is_no_champion_until_one_is_promoted(registry: ModelRegistry, model: Path) -> None:
    with pytest.raises(ModelError):
        await registry.champion("intents")
    await registry.register("intents", model, METRICS, {})
    with pytest.raises(ModelError):
        await registry.champion("intents")


async def test_a_promoted_version_is_served_with_its_files_and_metrics(registry: ModelRegistry, model: Path) -> None:
    version = await registry.register("intents", model, METRICS, {"language": "pt"})
    await registry.promote("intents", version.version)
    champion = await registry.champion("intents")
    assert (champion.name, champion.version, champion.digest) == ("intents", version.version, version.digest)
    assert champion.metrics == METRICS
    assert (champion.path / "weights" / "layer.bin").read_bytes() == bytes(range(256))


async def test_the_same_content_twice_is_one_version(registry: ModelRegistry, model: Path) -> None:
    versions = await asyncio.gather(*(registry.register("intents", model, METRICS, {}) for _ in range(4)))
    assert len({version.version for version in versions}) == 1


async def test_another_content_is_another_version(registry: ModelRegistry, model: Path) -> None:
    old = await registry.register("intents", model, METRICS, {})
    await registry.promote("intents", old.version)
    (model / "labels.json").write_text('["a", "c"]')
    new = await registry.register("intents", model, METRICS, {})
    assert new.version != old.version
    assert new.digest != old.digest
    assert (await registry.champion("intents")).version == old.version
    await registry.promote("intents", new.version)
    assert (await registry.champion("intents")).digest == new.digest


async def test_models_of_different_names_do_not_mix(registry: ModelRegistry, model: Path) -> None:
    version = await registry.register("intents", model, METRICS, {})
    await registry.promote("intents", version.version)
    with pytest.raises(ModelError):
        await registry.champion("domains")


async def test_a_version_that_does_not_exist_cannot_be_promoted(registry: ModelRegistry, model: Path) -> None:
    await registry.register("intents", model, METRICS, {})
    with pytest.raises(NotFoundError):
        await registry.promote("intents", "nothing")


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden"])
async def test_a_name_that_could_leave_its_place_is_refused(registry: ModelRegistry, model: Path, name: str) -> None:
    with pytest.raises(ModelError):
        await registry.register(name, model, METRICS, {})


async def test_a_registry_that_works_answers_a_ping(registry: ModelRegistry) -> None:
    await registry.ping()
