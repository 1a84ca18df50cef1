"""Packages of the distribution, fetched and checked by apt, unpacked into a folder and not installed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.servers.product import ServerError


def unpack(packages: Sequence[str], folder: Path) -> None:
    """Fetch the packages (apt checks their signed hashes) and unpack them all into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        if subprocess.run(["apt-get", "download", *packages], cwd=scratch, capture_output=True).returncode:
            _run(["apt-get", "update", "-qq"], scratch)
            _run(["apt-get", "download", *packages], scratch)
        for archive in sorted(Path(scratch).glob("*.deb")):
            _run(["dpkg-deb", "-x", str(archive), str(folder)], scratch)


def libraries(folder: Path) -> dict[str, str]:
    """The environment in which programs unpacked into `folder` find the libraries unpacked beside them."""
    found = sorted({str(path.parent) for path in folder.rglob("*.so*")})
    return {"LD_LIBRARY_PATH": ":".join(found)}


def _run(command: Sequence[str], folder: str) -> None:
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if answer.returncode:
        raise ServerError(f"{' '.join(command)} failed:\n{answer.stderr.strip()[-1500:]}")
