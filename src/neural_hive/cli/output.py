"""Where data goes: stdout, or a file that appears complete or not at all."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from neural_hive.errors import UsageError


@contextmanager
def open_output(path: Path | None) -> Iterator[IO[bytes]]:
    """A binary stream to `path`, or stdout for None and `-`. A file gets its name when the block ends well."""
    if path is None or str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
    else:
        with _replacing(path.resolve()) as stream:
            yield stream


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}; create it or choose another --output.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            part.chmod(path.stat().st_mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def json_line(value: Any) -> bytes:
    """One line of JSON, UTF-8, with its line feed."""
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def wants_json(asked: bool | None) -> bool:
    """Whether to print JSON: as asked, else wherever stdout is not a terminal."""
    return not sys.stdout.isatty() if asked is None else asked


def print_json(value: Any) -> None:
    """JSON to stdout: one line in a pipe, indented on a terminal."""
    option = orjson.OPT_INDENT_2 if sys.stdout.isatty() else 0
    sys.stdout.buffer.write(orjson.dumps(value, option=option | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()
