"""The model registry on MLflow: versions with their digest and metrics as tags, the one to serve by alias.

Files are downloaded once and checked against the digest at every use. When the registry cannot give a good champion,
the bundled model serves, the log says why, and `fallbacks` shows it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # or importing it starts to send usage data
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # or an absent server is noticed after minutes
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # or it prints addresses, with their passwords

from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException, RestException
from mlflow.tracking import MlflowClient
from requests.exceptions import RequestException

from neural_hive.canonical import digest as digest_of
from neural_hive.errors import ConfigurationError, ModelError, NotFoundError, StorageError
from neural_hive.ports import ModelRegistry, ModelVersion
from neural_hive.storage.faults import Faults
from neural_hive.storage.models.artefacts import MANIFEST, content_digest, copy_model, file_digests, valid_name
from neural_hive.storage.models.bundled import open_bundled_models, registered_folder
from neural_hive.storage.resources import Resources
from neural_hive.storage.urls import mask

SETTING = "HIVE_MODELS_URL"
#: The alias of the version to serve.
CHAMPION = "champion"
#: The experiment that holds the runs which models are registered from, and the folder in a run.
EXPERIMENT, ARTEFACT = "neural-hive", "model"
#: Longest `ping` may take, in seconds.
PING_S = 1.8

T = TypeVar("T")
_DIGEST, _MANIFEST, _METRIC = "hive.digest", "hive.manifest", "hive.metric."
_LOG = logging.getLogger(__name__)
_FAULTS = (
    (RestException, "it refused a request; check its version, the user and the password"),
    (MlflowException, "it cannot be reached or its answer cannot be used; check that it runs, host, port and user"),
    (RequestException, "it cannot be reached; check that it runs, host, port and user"),
    (TimeoutError, "it does not answer in time; check that it runs and is not overloaded"),
)


@dataclass(frozen=True, slots=True)
class MlflowOptions:
    """cache: folder for downloaded versions, one per digest. prefix: what the registry's names begin with."""

    cache: Path
    prefix: str = ""


class MlflowModels:
    """Implements `ModelRegistry`.

    fallbacks: name → why the bundled model serves instead of the registry's; empty while all is well.
    """

    def __init__(self, client: MlflowClient, fallback: ModelRegistry, faults: Faults, options: MlflowOptions) -> None:
        """`fallback`: the bundled models."""
        self.fallbacks: dict[str, str] = {}
        self._client = client
        self._cache = options.cache
        self._prefix = options.prefix
        self._fallback = fallback
        self._faults = faults
        self._lock = asyncio.Lock()

    async def champion(self, name: str) -> ModelVersion:
        """See `ModelRegistry.champion`. The bundled model if the registry has no champion that is as registered."""
        try:
            version = await self._call(partial(self._champion, valid_name(name)))
        except (StorageError, ModelError) as error:
            return await self._bundled(name, error)
        self.fallbacks.pop(name, None)
        return version

    async def register(self, name: str, path: Path, metrics: dict[str, float], tags: dict[str, Any]) -> ModelVersion:
        """See `ModelRegistry.register`. Processes that register the same content at once all get its first version."""
        async with self._lock:
            return await self._call(partial(self._register, valid_name(name), path, metrics, tags))

    async def promote(self, name: str, version: str) -> None:
        """See `ModelRegistry.promote`.

        Raises:
            NotFoundError: there is no such version.
        """
        await self._call(partial(self._promote, valid_name(name), version))

    async def ping(self) -> None:
        """See `ModelRegistry.ping`."""
        with self._faults.translated():
            async with asyncio.timeout(PING_S):
                await asyncio.to_thread(self._client.search_registered_models, max_results=1)

    async def _bundled(self, name: str, reason: StorageError | ModelError) -> ModelVersion:
        try:
            version = await self._fallback.champion(name)
        except ModelError:
            raise reason from None
        if self.fallbacks.get(name) != str(reason):
            _LOG.warning("The bundled model %s serves: %s", name, reason)
        self.fallbacks[name] = str(reason)
        return version

    async def _call(self, work: Callable[[], T]) -> T:
        with self._faults.translated():
            return await asyncio.to_thread(work)

    def _champion(self, name: str) -> ModelVersion:
        try:
            found = self._client.get_model_version_by_alias(self._prefix + name, CHAMPION)
        except RestException as error:
            if _is_missing(error):
                raise ModelError(f"The registry has no champion of the model {name}; promote a version.") from None
            raise
        digest = found.tags.get(_DIGEST, "")
        folder = self._cache / digest
        if not digest or not folder.is_dir():
            self._download(name, found, folder)
        return _checked(_version(name, found, folder), found.tags.get(_MANIFEST, ""))

    def _download(self, name: str, found: Any, folder: Path) -> None:
        """Fetch the files of a version, check them, and only then give them their place."""
        if not found.tags.get(_DIGEST):
            raise ModelError(f"Version {found.version} of the model {name} was not registered by the hive.")
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache, prefix=".new-") as scratch:
            uri = self._client.get_model_version_download_uri(found.name, found.version)
            download_artifacts(artifact_uri=uri, dst_path=scratch, tracking_uri=self._client.tracking_uri)
            fresh = Path(scratch) / ARTEFACT
            _checked(_version(name, found, fresh), found.tags.get(_MANIFEST, ""))
            if not folder.is_dir():
                fresh.rename(folder)

    def _register(self, name: str, path: Path, metrics: dict[str, float], tags: dict[str, Any]) -> ModelVersion:
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / ARTEFACT
            copy_model(path, copy)
            digest = content_digest(file_digests(copy))
            self._require_model(name)
            if self._first(name, digest) is None:
                self._upload(name, copy, metrics, tags | {_DIGEST: digest, _MANIFEST: _manifest_digest(copy)})
        found = self._first(name, digest)
        return ModelVersion(name, str(found.version), digest, _metrics(found), path)

    def _upload(self, name: str, folder: Path, metrics: dict[str, float], tags: dict[str, Any]) -> None:
        run = self._client.create_run(self._experiment(), run_name=f"register {name}")
        self._client.log_artifacts(run.info.run_id, str(folder), ARTEFACT)
        described = {key: str(value) for key, value in tags.items()}
        described |= {f"{_METRIC}{key}": repr(float(value)) for key, value in metrics.items()}
        source = f"{run.info.artifact_uri}/{ARTEFACT}"
        self._client.create_model_version(self._prefix + name, source, run.info.run_id, tags=described, await_creation_for=0)
        self._client.set_terminated(run.info.run_id)

    def _promote(self, name: str, version: str) -> None:
        try:
            self._client.get_model_version(self._prefix + name, version)
            self._client.set_registered_model_alias(self._prefix + name, CHAMPION, version)
        except RestException as error:
            if not _is_missing(error):
                raise
            raise NotFoundError(f"There is no version {version} of the model {name}.") from None

    def _first(self, name: str, digest: str) -> Any:
        """The first version with this content, or None."""
        found = self._client.search_model_versions(f"name = '{self._prefix}{name}'", max_results=1000)
        same = [one for one in found if one.tags.get(_DIGEST) == digest]
        return min(same, key=lambda one: int(one.version), default=None)

    def _require_model(self, name: str) -> None:
        try:
            self._client.create_registered_model(self._prefix + name)
        except RestException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        return str(found.experiment_id if found else self._client.create_experiment(EXPERIMENT))


def _is_missing(error: RestException) -> bool:
    return error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def _version(name: str, found: Any, folder: Path) -> ModelVersion:
    return ModelVersion(name, str(found.version), found.tags[_DIGEST], _metrics(found), folder)


def _metrics(found: Any) -> dict[str, float]:
    named = {key.removeprefix(_METRIC): value for key, value in found.tags.items() if key.startswith(_METRIC)}
    return {key: float(value) for key, value in named.items()}


def _manifest_digest(folder: Path) -> str:
    """SHA-256 of the manifest that came with a model, which is not among its files; empty if none did."""
    file = folder / MANIFEST
    return digest_of(file.read_bytes()) if file.is_file() else ""


def _checked(version: ModelVersion, manifest_digest: str) -> ModelVersion:
    is_same = content_digest(file_digests(version.path)) == version.digest
    if not is_same or _manifest_digest(version.path) != manifest_digest:
        raise ModelError(f"{version.path} is not version {version.version} of the model {version.name}; remove it.")
    return version


@asynccontextmanager
async def open_mlflow_models(url: str, resources: Resources | None = None) -> AsyncIterator[MlflowModels]:
    """The registry of an `mlflow+http[s]://[user:password@]host[:port]` URL; connects when it is first used.

    Raises:
        ConfigurationError: the URL is not valid.
    """
    client, faults = client_of(url)
    options = MlflowOptions(registered_folder("bundled://") / "mlflow")
    async with open_bundled_models("bundled://", resources) as fallback:
        yield MlflowModels(client, fallback, faults, options)


def client_of(url: str) -> tuple[MlflowClient, Faults]:
    """A client for the URL, and the table of MLflow's errors for messages about it.

    Raises:
        ConfigurationError: the URL is not valid.
    """
    try:
        parts = urlsplit(url.strip())
        is_valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid or parts.path.strip("/") or parts.query or parts.fragment:
        form = "mlflow+http[s]://[user:password@]host[:port]"
        raise ConfigurationError(f"{SETTING}: {mask(url)!r} is not {form}.")
    tracking = url.strip().removeprefix("mlflow+")
    return MlflowClient(tracking_uri=tracking, registry_uri=tracking), Faults(SETTING, url, _FAULTS)
