"""Model artefacts on disk: a folder of files with a manifest that names them, their version and their SHA-256."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import orjson

from neural_hive.canonical import canonical_json, digest
from neural_hive.errors import ModelError
from neural_hive.ports import ModelVersion

#: The file in each artefact's folder that describes it.
MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below `folder` but the manifest, by relative POSIX path.

    Raises:
        ModelError: there is no file, or one cannot be read.
    """
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
        digests = {path.relative_to(folder).as_posix(): _sha256(path) for path in files}
    except OSError as error:
        raise ModelError(f"{folder} cannot be read: {error.strerror}.") from error
    if not digests:
        raise ModelError(f"{folder} has no model files.")
    return digests


def content_digest(digests: dict[str, str]) -> str:
    """One SHA-256 for an artefact: that of the canonical JSON of its files' digests."""
    return digest(canonical_json(digests))


def write_manifest(folder: Path, version: ModelVersion, tags: dict[str, Any] | None = None) -> None:
    """Describe the artefact in `folder`, beside what its manifest already says; the digests are of its files as they are now."""
    described = own_words(folder) | {
        "name": version.name,
        "version": version.version,
        "digest": version.digest,
        "metrics": version.metrics,
        "tags": tags or {},
        "files": file_digests(folder),
    }
    (folder / MANIFEST).write_bytes(orjson.dumps(described, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")


def own_words(folder: Path) -> dict[str, Any]:
    """What the manifest says that came with a model; empty if none did.

    Raises:
        ModelError: it is not a JSON object.
    """
    file = folder / MANIFEST
    try:
        words: dict[str, Any] = dict(orjson.loads(file.read_bytes())) if file.is_file() else {}
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{file} is not a manifest; train the model again.") from error
    return words


def copy_model(path: Path, target: Path) -> None:
    """Copy a model's folder, or its one file, into the new folder `target`."""
    if path.is_file():
        target.mkdir()
        shutil.copy2(path, target / path.name)
    else:
        shutil.copytree(path, target)


def read_manifest(folder: Path) -> tuple[ModelVersion, dict[str, str]]:
    """What the manifest in `folder` says, unchecked: the version, and the SHA-256 of each file.

    Raises:
        ModelError: it is missing or not a manifest.
    """
    try:
        data = orjson.loads((folder / MANIFEST).read_bytes())
        version = ModelVersion(data["name"], data["version"], data["digest"], dict(data["metrics"]), folder)
        files = {str(name): str(value) for name, value in data["files"].items()}
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder / MANIFEST} is missing or is not a manifest; run `hive doctor`.") from error
    return version, files


def checked(folder: Path) -> ModelVersion:
    """The version in `folder`, once every file has the SHA-256 that its manifest names and none was added.

    Raises:
        ModelError: a file is missing, changed or too many; the message names it.
    """
    version, expected = read_manifest(folder)
    found = file_digests(folder)
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise ModelError(f"{folder / wrong[0]} is not as {version.name} {version.version} was released.")
    if content_digest(found) != version.digest:
        raise ModelError(f"{folder / MANIFEST} does not name the digest of its files; run `hive doctor`.")
    return version


def valid_name(name: str) -> str:
    """`name`, if it can be a folder's name.

    Raises:
        ModelError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ModelError(f"{name!r} cannot name a model; use letters, digits, dots, hyphens and underscores.")
    return name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
