"""Reads a CTranslate2 Whisper checkpoint: named tensors, mapped from the file, converted only when used."""

from __future__ import annotations

import json
import mmap
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_hive.errors import ModelError

#: CTranslate2's element types (include/ctranslate2/types.h); bfloat16 is not one of numpy's.
_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_MAX_TENSORS = 20_000
_GELU = 3


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def text(self) -> str:
        (size,) = self.take("H")
        raw = self.data[self.at : self.at + size]
        self.at += size
        return raw.rstrip(b"\0").decode()


class Checkpoint:
    """A CTranslate2 Whisper directory: `model.bin`, `config.json`, `vocabulary.txt` or `.json`.

    Source: CTranslate2, python/ctranslate2/specs/model_spec.py (binary version 6).
    """

    def __init__(self, directory: Path) -> None:
        """Map the file.

        Raises:
            ModelError: a file is missing, or is not a Whisper checkpoint of a version that is understood.
        """
        self.directory = directory
        try:
            with (directory / "model.bin").open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self.config: dict[str, Any] = json.loads((directory / "config.json").read_text())
            self.vocabulary = _vocabulary(directory)
            self._tensors, aliases = _index(self._map)
        except (OSError, ValueError, KeyError, struct.error) as error:
            raise ModelError(f"{directory} holds no readable CTranslate2 Whisper model: {error}") from error
        self._tensors |= {alias: self._tensors[name] for alias, name in aliases.items() if name in self._tensors}
        self._check()

    def _check(self) -> None:
        if "encoder/conv1/weight" not in self._tensors or "decoder/embeddings/weight" not in self._tensors:
            raise ModelError(f"{self.directory} is not a Whisper model.")
        if int(self.raw("decoder/activation")) != _GELU:
            raise ModelError(f"{self.directory} uses another activation than Whisper's GELU.")

    def raw(self, name: str) -> NDArray[Any]:
        """The tensor as stored, a view of the file.

        Raises:
            ModelError: there is no such tensor.
        """
        try:
            dtype, shape, offset = self._tensors[name]
        except KeyError as error:
            raise ModelError(f"{self.directory} has no tensor {name}.") from error
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(self._map, dtype=dtype, count=count, offset=offset).reshape(shape)

    def float32(self, name: str, rows: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """The tensor, or some of its rows, as float32.

        An int8 tensor (n_rows, n_columns) is divided by its row's scale.
        """
        array = self.raw(name) if rows is None else self.raw(name)[rows]
        if array.dtype != np.int8:
            return array.astype(np.float32)
        scale = self.raw(f"{name}_scale").astype(np.float32)
        return array.astype(np.float32) / (scale if rows is None else scale[rows]).reshape(-1, *[1] * (array.ndim - 1))

    def has(self, name: str) -> bool:
        """Whether the checkpoint holds this tensor."""
        return name in self._tensors

    def n_layers(self, part: str) -> int:
        """Number of transformer layers of `encoder` or `decoder`."""
        found = {int(m[1]) for name in self._tensors if (m := re.match(rf"{part}/layer_(\d+)/", name))}
        return len(found)


def _vocabulary(directory: Path) -> list[str]:
    as_json = directory / "vocabulary.json"
    if as_json.exists():
        return [str(token) for token in json.loads(as_json.read_text(encoding="utf-8"))]
    return (directory / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]


def _index(data: mmap.mmap) -> tuple[dict[str, tuple[Any, tuple[int, ...], int]], dict[str, str]]:
    reader = _Reader(data)
    (version,) = reader.take("I")
    if version != 6 or "Whisper" not in reader.text():
        raise ValueError(f"binary version {version}")
    reader.take("I")
    (count,) = reader.take("I")
    tensors = {}
    for _ in range(min(count, _MAX_TENSORS)):
        name = reader.text()
        (rank,) = reader.take("B")
        shape = reader.take(f"{rank}I")
        kind, size = reader.take("BI")
        if reader.at + size > len(data):
            raise ValueError("the file is shorter than it says")
        tensors[name] = (_DTYPES[kind], shape, reader.at)
        reader.at += size
    (n_aliases,) = reader.take("I")
    return tensors, {reader.text(): reader.text() for _ in range(min(n_aliases, _MAX_TENSORS))}
