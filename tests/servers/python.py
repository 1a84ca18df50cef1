"""Products from the Python package index, each in an environment of its own, every file checked against its pinned hash."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.servers.layout import PINS, installed
from tests.servers.product import ServerError


def environment(folder: Path, pins: str) -> None:
    """Make `folder` a Python environment with what the requirements file `pins` names, unless it is there.

    Raises:
        ServerError: a package cannot be had, or is not the pinned one.
    """
    if folder.exists():
        return
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _run([sys.executable, "-m", "venv", "--without-pip", str(partial)])
    _run([*_installer(partial), "--require-hashes", "--no-deps", "-r", str(PINS / pins)])
    partial.rename(folder)


def _installer(folder: Path) -> Sequence[str]:
    """uv, because it is ten times as fast as pip; fetched by pip where there is none."""
    found = shutil.which("uv")
    uv = Path(found) if found else installed("uv") / "bin" / "uv"
    if not uv.exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        _run([*pip, "--require-hashes", "--target", str(installed("uv")), "-r", str(PINS / "uv.txt")])
    return (str(uv), "pip", "install", "-q", "--python", str(folder / "bin" / "python"))


def _run(command: Sequence[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        raise ServerError(f"{' '.join(command[:4])} … failed:\n{answer.stderr.strip()[-1500:]}")
