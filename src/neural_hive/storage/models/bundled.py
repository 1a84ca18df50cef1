"""The model registry without a server: models that come with the package, and versions registered into a folder."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from neural_hive.errors import ModelError, NotFoundError, StorageError
from neural_hive.ports import ModelVersion
from neural_hive.storage.models.artefacts import (
    MANIFEST,
    checked,
    content_digest,
    copy_model,
    file_digests,
    read_manifest,
    valid_name,
    write_manifest,
)
from neural_hive.storage.resources import Resources

#: The file in a model's folder that names the version to serve.
CHAMPION = "champion"


class BundledModels:
    """Implements `ModelRegistry` on two folders.

    `bundled` comes with the package and is only read: one folder per artefact. `registered` is written:
    `name/version/` per version and `name/champion` for the choice. Without a choice the bundled model serves.
    """

    def __init__(self, bundled: Path, registered: Path) -> None:
        """Neither folder has to exist yet."""
        self.fallbacks: dict[str, str] = {}
        self._bundled = bundled
        self._registered = registered

    async def champion(self, name: str) -> ModelVersion:
        """See `ModelRegistry.champion`."""
        return await asyncio.to_thread(self._champion, valid_name(name))

    async def register(self, name: str, path: Path, metrics: dict[str, float], tags: dict[str, Any]) -> ModelVersion:
        """See `ModelRegistry.register`. The version is the first twelve digits of the content's digest."""
        return await asyncio.to_thread(self._register, valid_name(name), path, metrics, tags)

    async def promote(self, name: str, version: str) -> None:
        """See `ModelRegistry.promote`.

        Raises:
            NotFoundError: there is no such version.
        """
        await asyncio.to_thread(self._promote, valid_name(name), version)

    async def ping(self) -> None:
        """See `ModelRegistry.ping`; a folder that does not exist yet is an empty one."""
        await asyncio.to_thread(self._folders, "any")

    def _champion(self, name: str) -> ModelVersion:
        chosen = self._choice(name)
        folders = self._shipped(name) if chosen is None else self._folders(name)
        for folder in folders:
            if chosen in (None, read_manifest(folder)[0].version):
                return checked(folder)
        raise ModelError(f"There is no model {name}{f' {chosen}' if chosen else ''}; run `hive doctor`.")

    def _register(self, name: str, path: Path, metrics: dict[str, float], tags: dict[str, Any]) -> ModelVersion:
        try:
            with tempfile.TemporaryDirectory(dir=self._folder(name), prefix=".new-") as scratch:
                copy = Path(scratch) / "copy"
                copy_model(path, copy)
                return self._keep(name, copy, metrics, tags)
        except OSError as error:
            raise StorageError(f"{self._registered} cannot be written: {error.strerror}. Nothing was registered.") from error

    def _keep(self, name: str, copy: Path, metrics: dict[str, float], tags: dict[str, Any]) -> ModelVersion:
        found = content_digest(file_digests(copy))
        for folder in self._folders(name):
            if read_manifest(folder)[0].digest == found:
                return checked(folder)
        target = self._registered / name / found[:12]
        version = ModelVersion(name, found[:12], found, dict(metrics), target)
        write_manifest(copy, version, tags)
        try:
            copy.rename(target)
        except OSError:
            if not target.is_dir():  # else somebody registered the same content meanwhile
                raise
        return checked(target)

    def _promote(self, name: str, version: str) -> None:
        if not any(read_manifest(folder)[0].version == version for folder in self._folders(name)):
            raise NotFoundError(f"There is no version {version} of the model {name}.")
        try:
            target = self._folder(name) / CHAMPION
            fresh = target.with_name(f".{CHAMPION}-{os.getpid()}")
            fresh.write_text(version, encoding="utf-8")
            fresh.replace(target)
        except OSError as error:
            raise StorageError(f"{self._registered} cannot be written: {error.strerror}. Nothing changed.") from error

    def _choice(self, name: str) -> str | None:
        file = self._registered / name / CHAMPION
        return file.read_text(encoding="utf-8").strip() if file.is_file() else None

    def _folders(self, name: str) -> list[Path]:
        """The artefacts of a model: those that came with the package first."""
        return [*self._shipped(name), *_artefacts(self._registered / name)]

    def _shipped(self, name: str) -> list[Path]:
        return [folder for folder in _artefacts(self._bundled) if read_manifest(folder)[0].name == name]

    def _folder(self, name: str) -> Path:
        folder = self._registered / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _artefacts(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and (path / MANIFEST).is_file())


def registered_folder(url: str) -> Path:
    """Where registered versions go: the path in `bundled:///path`, else the user's data folder."""
    path = unquote(urlsplit(url).path)
    if path.strip("/"):
        return Path(path)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "neural-hive-mind" / "models"


@asynccontextmanager
async def open_bundled_models(url: str, _resources: Resources | None = None) -> AsyncIterator[BundledModels]:
    """The registry of the package's own models; `bundled:///path` names the folder for registered versions."""
    package = Path(__file__).parent.parent.parent / "models"
    yield BundledModels(package, registered_folder(url))
