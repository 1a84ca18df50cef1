"""Understanding with the champion of every registry: served, exchanged while running, refused when it does not fit."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_hive.errors import ModelError
from neural_hive.pipeline.champion import NAME, ChampionMind
from neural_hive.pipeline.listening import Silence
from neural_hive.pipeline.minds import Mind, ThreadMind
from neural_hive.ports import ModelRegistry, ModelVersion
from neural_hive.storage.models.artefacts import content_digest, file_digests
from neural_hive.understanding.understand import Heading, Understood, load_understander

BUNDLED = Path(str(resources.files("neural_hive").joinpath("models", "understanding")))
HEADING = Heading("Apagar as contas inativas", datetime(2026, 1, 31, tzinfo=UTC))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neural_hive.pipeline.champion.FIRST_S", 60.0)  # what is tested is not how busy the machine is


class Told(Silence):
    """Keeps what failed."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def on_failed(self, case_id: str, stage: str, error: Exception) -> None:
        self.failures.append(f"{stage}: {error}")


async def open_mind(model: Path | None) -> Mind:
    return ThreadMind(await asyncio.to_thread(load_understander, model))


def other_model(folder: Path, seed: int, **said: Any) -> Path:
    """A model of this release with other weights, whose manifest says `said`."""
    shutil.copytree(BUNDLED, folder)
    with np.load(BUNDLED / "weights.npz") as arrays:
        noise = np.random.default_rng(seed).normal(0, 0.01, arrays["bias"].shape).astype(np.float32)
        np.savez(folder / "weights.npz", **{**arrays, "bias": arrays["bias"] + noise})
    files = file_digests(folder)
    manifest = json.loads((BUNDLED / "manifest.json").read_text()) | {"files": files, "digest": content_digest(files)}
    (folder / "manifest.json").write_text(json.dumps(manifest | said))
    return folder


async def promoted(registry: ModelRegistry, folder: Path) -> ModelVersion:
    version = await registry.register(NAME, folder, {"accuracy": 0.9}, {})
    await registry.promote(NAME, version.version)
    return version


async def opened(registry: ModelRegistry, told: Told) -> ChampionMind:
    mind = ChampionMind(registry, open_mind, told, interval_s=0.01)
    await mind.open()
    return mind


def shown(models: Mapping[str, str]) -> str:
    return models[NAME]


async def test_without_a_champion_the_bundled_model_serves_and_says_why(registry: ModelRegistry) -> None:
    told = Told()
    mind = await opened(registry, told)
    assert shown(mind.models) == json.loads((BUNDLED / "manifest.json").read_text())["digest"][:16]
    assert mind.state()["status"] == "degraded"
    assert len(told.failures) == 1
    await mind.look()
    assert len(told.failures) == 1, "the same trouble is told once"
    assert (await mind.understand(HEADING)).understanding.frame.action == "destroy"
    await mind.close()


async def test_the_champion_serves_and_another_one_takes_its_place(registry: ModelRegistry, tmp_path: Path) -> None:
    told = Told()
    first = await promoted(registry, other_model(tmp_path / "first", 1))
    mind = await opened(registry, told)
    assert shown(mind.models) == first.digest[:16]
    assert mind.state() == {"status": "ok", "detail": f"{NAME} {first.digest[:16]}"}
    before = (await mind.understand(HEADING)).understanding
    second = await promoted(registry, other_model(tmp_path / "second", 2))
    looking = asyncio.create_task(mind.run())
    async with asyncio.timeout(30):
        while shown(mind.models) != second.digest[:16]:
            await mind.understand(HEADING)  # nobody waits for the exchange, and nothing fails in it
    looking.cancel()
    assert (await mind.understand(HEADING)).understanding.domains != before.domains
    assert told.failures == []
    await mind.close()


@pytest.mark.parametrize("wrong", [{"frame_columns": ["asked:destroy"]}, {"encoder": "f" * 64}, {"format": 99}])
async def test_a_champion_that_does_not_fit_this_release_never_serves(
    registry: ModelRegistry, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    told = Told()
    good = await promoted(registry, other_model(tmp_path / "good", 1))
    mind = await opened(registry, told)
    await promoted(registry, other_model(tmp_path / "wrong", 2, **wrong))
    await mind.look()
    await mind.look()
    assert shown(mind.models) == good.digest[:16]
    assert mind.state()["status"] == "degraded"
    assert len(told.failures) == 1
    await mind.close()
    again = await opened(registry, told)
    assert shown(again.models) == json.loads((BUNDLED / "manifest.json").read_text())["digest"][:16]
    await again.close()


async def test_a_manifest_changed_after_it_was_registered_is_noticed(registry: ModelRegistry, tmp_path: Path) -> None:
    await promoted(registry, other_model(tmp_path / "model", 1))
    champion = await registry.champion(NAME)
    manifest = champion.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"weights.npz"', '"weights.npy"'))
    told = Told()
    mind = await opened(registry, told)
    assert mind.state()["status"] == "degraded"
    assert shown(mind.models) != champion.digest[:16]
    await mind.close()


async def test_what_is_under_way_ends_with_the_model_that_it_began_with(registry: ModelRegistry, tmp_path: Path) -> None:
    class Slow:
        """Understands when it is told to."""

        def __init__(self, inner: Mind) -> None:
            self._inner, self.go, self.is_closed = inner, asyncio.Event(), False
            self.models, self.depth = inner.models, 0

        async def understand(self, heading: Heading) -> Understood:
            await self.go.wait()
            assert not self.is_closed
            return await self._inner.understand(heading)

        async def learn_names(self, names: Mapping[str, str]) -> None:
            await self._inner.learn_names(names)

        async def close(self) -> None:
            self.is_closed = True
            await self._inner.close()

    minds: list[Slow] = []

    async def open_slow(model: Path | None) -> Mind:
        minds.append(Slow(await open_mind(model)))
        return minds[-1]

    await promoted(registry, other_model(tmp_path / "first", 1))
    mind = ChampionMind(registry, open_slow, Told(), interval_s=1)
    await mind.open()
    waiting = asyncio.create_task(mind.understand(HEADING))
    await asyncio.sleep(0)
    await promoted(registry, other_model(tmp_path / "second", 2))
    looking = asyncio.create_task(mind.look())
    async with asyncio.timeout(30):
        while True:
            if len(minds) == 2 and mind.models == minds[1].models:
                break
            await asyncio.sleep(0.01)
    minds[0].go.set()
    assert (await waiting).understanding.language == "pt"
    await looking
    assert (minds[0].is_closed, minds[1].is_closed) == (True, False)
    await mind.close()


async def test_no_model_at_all_is_an_error(registry: ModelRegistry) -> None:
    async def nothing(model: Path | None) -> Mind:
        raise ModelError("there is none")

    with pytest.raises(ModelError):
        await ChampionMind(registry, nothing, Told(), interval_s=1).open()
