"""A model as a folder: weights, vocabulary, manifest and model card; named by its content, checked when it is loaded.

manifest.json   name, version, digest, data, features, metrics, thresholds, SHA-256 of each other file
weights.npz     arrays, uncompressed; no pickles
labels.json     the labels, in the order of the weights' columns
words.txt       n-grams of words, one a line, in the order of the weights' rows; pairs.txt, chars.txt: those of the other views
MODEL_CARD.md   the manifest for people
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from neural_hive.canonical import canonical_json, digest
from neural_hive.errors import ModelError, UsageError
from neural_hive.learning.intents.card import model_card
from neural_hive.learning.intents.linear import LinearModel
from neural_hive.learning.intents.model import IntentModel
from neural_hive.learning.intents.scope import ScopeRule
from neural_hive.understanding.encoder import SentenceEncoder, load_encoder
from neural_hive.understanding.features import VIEWS, NgramView

FORMAT = "neural-hive-intents/2"
_MANIFEST, _WEIGHTS, _LABELS, _CARD = "manifest.json", "weights.npz", "labels.json", "MODEL_CARD.md"


def save_model(model: IntentModel, folder: Path) -> Mapping[str, Any]:
    """Write the model so that `folder` holds all of it or what it held before, and return the manifest.

    Raises:
        UsageError: `folder` cannot be written, or holds something that is not a model.
    """
    check_target(folder)
    about = _about(model)
    files = _files(model) | {_CARD: model_card(about).encode()}
    manifest = _signed(about | {"files": {name: digest(content) for name, content in sorted(files.items())}})
    files[_MANIFEST] = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    with _replacing(folder.absolute()) as part:
        for name, content in files.items():
            with (part / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    return manifest


def check_target(folder: Path) -> None:
    """Fail before the work if the model could not be written there.

    Raises:
        UsageError: see `save_model`.
    """
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {folder.absolute().parent}; create it or choose another.")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not _is_model(folder):
        raise UsageError(f"{folder} is not empty and holds no intent model; choose another folder.")


def _is_model(folder: Path) -> bool:
    try:
        return bool(orjson.loads((folder / _MANIFEST).read_bytes()).get("format") == FORMAT)
    except (OSError, ValueError, AttributeError):
        return False


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of `folder` when the block ends well, and is removed when it does not."""
    mark = secrets.token_hex(4)
    part, old = (folder.with_name(f".{folder.name}.{mark}.{role}") for role in ("part", "old"))
    try:
        part.mkdir()
        yield part
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error}.") from error
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for leftover in (part, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _files(model: IntentModel) -> dict[str, bytes]:
    vocabularies = {f"{view.name}.txt": "\n".join(view.vocabulary).encode() for view in model.views}
    labels = orjson.dumps(model.labels, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return {_WEIGHTS: _packed(_arrays(model)), _LABELS: labels, **vocabularies}


def _arrays(model: IntentModel) -> dict[str, np.ndarray[Any, Any]]:
    linear, scope = model.linear, model.scope
    by_view = {
        f"{what}_{view.name}": array
        for view, weights in zip(model.views, linear.view_weights, strict=True)
        for what, array in (("weights", weights), ("idf", view.idf))
    }
    return by_view | {
        "landmarks": linear.landmarks.astype(np.float16),
        "landmark_weights": linear.landmark_weights,
        "bias": linear.bias,
        "scope_mean": scope.mean,
        "scope_scale": scope.scale,
        "scope_weights": scope.weights,
    }


def _packed(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """An .npz whose bytes depend on the arrays alone: no clock in it, members in order of their names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0)), member.getvalue())
    return packed.getvalue()


def _about(model: IntentModel) -> dict[str, Any]:
    """The manifest without what depends on the files."""
    known = {key: value for key, value in model.manifest.items() if key not in ("digest", "files")}
    return known | {
        "format": FORMAT,
        "sharpness": model.linear.sharpness,
        "temperature": model.temperature,
        "thresholds": dict(model.scope.thresholds),
    }


def _signed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with the digest that names the model: SHA-256 of all the rest of it, and so of every file."""
    return {**manifest, "digest": digest(canonical_json(manifest))}


def load_model(folder: Path, encoder: SentenceEncoder | None = None) -> IntentModel:
    """Read a model and check that every byte of it is the one that was written.

    Args:
        folder: written by `save_model`.
        encoder: instead of loading the one that the manifest names; it must be the same.

    Raises:
        ModelError: there is no model, it is damaged, of another version, or made for another encoder.
    """
    manifest = _checked_manifest(folder)
    try:
        content = {name: (folder / name).read_bytes() for name in manifest["files"]}
    except OSError as error:
        raise ModelError(f"The model in {folder} is not complete: {error}. Train it again.") from error
    for name, expected in manifest["files"].items():
        if digest(content[name]) != expected:
            raise ModelError(f"{name} of the model in {folder} has changed since it was written; train it again.")
    encoder = encoder or load_encoder(manifest["encoder"]["name"])
    if encoder.digest != manifest["encoder"]["digest"]:
        raise ModelError(f"The model in {folder} was trained with another sentence encoder; train it again.")
    try:
        return _assembled(manifest, content, encoder)
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(f"The model in {folder} cannot be read ({error}); train it again.") from error


def _checked_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = orjson.loads((folder / _MANIFEST).read_bytes())
    except OSError as error:
        raise ModelError(f"There is no intent model in {folder}; make one with `hive train intents`.") from error
    except orjson.JSONDecodeError as error:
        raise ModelError(f"{_MANIFEST} in {folder} is damaged; train the model again.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelError(f"{folder} holds no intent model of this version ({FORMAT}); train it again.")
    expected = manifest.get("digest")
    if digest(canonical_json({k: v for k, v in manifest.items() if k != "digest"})) != expected:
        raise ModelError(f"{_MANIFEST} in {folder} has changed since it was written; train the model again.")
    return manifest


def _assembled(manifest: dict[str, Any], content: Mapping[str, bytes], encoder: SentenceEncoder) -> IntentModel:
    with np.load(io.BytesIO(content[_WEIGHTS]), allow_pickle=False) as stored:
        arrays = dict(stored)
    views = tuple(_view(name, content[f"{name}.txt"], arrays[f"idf_{name}"]) for name in VIEWS)
    linear = LinearModel(
        tuple(arrays[f"weights_{name}"] for name in VIEWS),
        arrays["landmarks"].astype(np.float32),
        arrays["landmark_weights"],
        arrays["bias"],
        manifest["sharpness"],
    )
    scope = ScopeRule(arrays["scope_mean"], arrays["scope_scale"], arrays["scope_weights"], manifest["thresholds"])
    labels = tuple(orjson.loads(content[_LABELS]))
    return IntentModel(labels, views, linear, manifest["temperature"], scope, encoder, manifest)


def _view(name: str, content: bytes, idf: np.ndarray[Any, Any]) -> NgramView:
    ngrams = content.decode().split("\n") if content else []
    return NgramView(name, {ngram: column for column, ngram in enumerate(ngrams)}, idf)
