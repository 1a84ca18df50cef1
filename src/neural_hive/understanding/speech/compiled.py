"""Keeps a checkpoint's quantised graphs beside it: loading them takes a fraction of the time of building them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

#: The graphs depend on these sources: a change in one of them builds the graphs again.
_SOURCES = ("network.py", "onnx_graph.py", "tokens.py", "checkpoint.py", "compiled.py")


def fingerprint(directory: Path) -> str:
    """First 12 hexadecimal digits of the SHA-256 of `model.bin`."""
    with (directory / "model.bin").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def graph(directory: Path, name: str, version: str, build: Callable[[], bytes]) -> str | bytes:
    """The path of the graph `name` of this checkpoint, built and kept on the first call.

    Where the directory cannot be written, the graph itself: everything works, only slower to start.

    Args:
        directory: The checkpoint's directory.
        name: `encoder` or `decoder`.
        version: Fingerprint of the checkpoint.
        build: Makes the graph.
    """
    path = directory / f"hive-{name}-{version}-{_recipe()}.onnx"
    if path.is_file():
        return str(path)
    model = build()
    if not os.access(directory, os.W_OK):
        return model
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_bytes(model)
    scratch.replace(path)
    for older in directory.glob(f"hive-{name}-*.onnx"):
        if older != path:
            older.unlink(missing_ok=True)
    return str(path)


def _recipe() -> str:
    """First 12 hexadecimal digits of the SHA-256 of the code that builds graphs."""
    digest = hashlib.sha256()
    for source in _SOURCES:
        digest.update(Path(__file__).with_name(source).read_bytes())
    return digest.hexdigest()[:12]
