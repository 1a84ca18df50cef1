"""Going through recordings in order: one that cannot be used is named and the others go on."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from neural_hive.cli.failures import FAILED, OK, describe, tell
from neural_hive.errors import UsageError

Recordings = Annotated[
    list[Path],
    typer.Argument(metavar="AUDIO", allow_dash=True, help="Recordings in any common format; - reads one from stdin."),
]


async def each_recording(paths: Sequence[Path], work: Callable[[Path, bytes], Awaitable[None]]) -> int:
    """Run `work` on each recording and return the exit code: 1 if one could not be used."""
    code = OK
    for path in paths:
        try:
            await work(path, _read(path))
        except (OSError, UsageError) as error:
            tell(f"{path}: {describe(error).removeprefix(f'{path}: ')}")
            code = FAILED
    return code


def _read(path: Path) -> bytes:
    return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
