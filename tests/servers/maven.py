"""Jars from the Maven repository, resolved by Maven and checked against pinned SHA-256 hashes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers.layout import PINS
from tests.servers.product import ServerError

_POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>tests</groupId><artifactId>servers</artifactId><version>1</version>
<dependencies>{dependencies}</dependencies>
</project>
"""
_DEPENDENCY = "<dependency><groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version></dependency>"


def fetch(artefacts: Sequence[str], folder: Path, pins: str) -> None:
    """Copy jars, each `group:name:version`, and what they need at run time into `folder`, unless it is there.

    Raises:
        ServerError: Maven failed, or a jar is not the one that `pins` names.
    """
    if folder.exists():
        return
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    dependencies = "".join(_DEPENDENCY.format(*artefact.split(":")) for artefact in artefacts)
    (partial / "pom.xml").write_text(_POM.format(dependencies=dependencies))
    _copy_dependencies(partial)
    check(partial, PINS / pins)
    partial.rename(folder)


def check(folder: Path, pins: Path) -> None:
    """Compare every jar with its pin, a file in the format of `sha256sum`.

    Raises:
        ServerError: one is missing, is unknown, or differs.
    """
    wanted = dict(reversed(line.split()) for line in pins.read_text().splitlines())
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted(folder.glob("*.jar"))}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise ServerError(f"{pins.name}: these jars are not the pinned ones: {', '.join(wrong)}")


def class_path(folder: Path) -> str:
    """All jars of `folder`, as Java takes them."""
    return str(folder / "*")


def _copy_dependencies(folder: Path) -> None:
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    answer = subprocess.run(["mvn", "-B", "-q", *goal], cwd=folder, capture_output=True, text=True)
    if answer.returncode:
        raise ServerError(f"mvn failed:\n{answer.stdout.strip()[-1500:]}")
