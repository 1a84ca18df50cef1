"""The programs that read what is in `deploy/`: installed once below `.servers/`, every file checked against a pinned hash.

    python -m tests.deploy install

Go programs are built from `tools/go.mod` (hashes in `go.sum`), Python ones come from `tools/requirements.txt`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from tests.servers.layout import installed
from tests.servers.python import environment

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_PINS = Path(__file__).parent / "tools"
#: The word of HIVE_TEST_REQUIRE that makes a missing tool a failure.
REQUIRED_AS = "deploy"


def home() -> Path:
    """Where the tools are."""
    return installed("deploy-tools")


def install() -> None:
    """Build or fetch what is missing.

    Raises:
        subprocess.CalledProcessError: Go could not build them.
        ServerError: a Python package could not be had, or is not the pinned one.
    """
    environment(home() / "python", str(_PINS / "requirements.txt"))
    if all((home() / "go" / name).exists() for name in ("kustomize", "helm", "composecheck")):
        return
    settings = os.environ | {"GOBIN": str(home() / "go"), "GOFLAGS": "-mod=readonly -buildvcs=false"}
    subprocess.run(["go", "install", "tool", "./composecheck"], cwd=_PINS, env=settings, check=True)


def find(name: str) -> str:
    """The path of a tool; skips the test where there is none, or fails it where HIVE_TEST_REQUIRE names `deploy`."""
    places = [home() / "go" / name, home() / "python" / "bin" / name]
    found = next((str(place) for place in places if place.exists()), shutil.which(name))
    if found is None:
        missing(f"{name} is not installed; run `python -m tests.deploy install`")
    return found


def find_python() -> str:
    """The interpreter that has the Python tools; as `find`."""
    python = home() / "python" / "bin" / "python"
    if not python.exists():
        missing("the Python tools are not installed; run `python -m tests.deploy install`")
    return str(python)


def missing(reason: str, word: str = REQUIRED_AS) -> NoReturn:
    """Skip, or fail where HIVE_TEST_REQUIRE names `word`."""
    if word in os.environ.get("HIVE_TEST_REQUIRE", "").split(","):
        pytest.fail(f"HIVE_TEST_REQUIRE names {word}, but {reason}", pytrace=False)
    pytest.skip(reason)


def kustomize() -> list[str]:
    """The command that renders a folder."""
    own = home() / "go" / "kustomize"
    if not own.exists() and shutil.which("kubectl"):
        return ["kubectl", "kustomize"]
    return [find("kustomize"), "build"]


def run(*command: str | Path, **environment: str) -> str:
    """What a program prints; a failed test with its message where it fails."""
    ran = subprocess.run([str(word) for word in command], env=os.environ | environment, capture_output=True, text=True)
    assert ran.returncode == 0, f"{command[0]} failed:\n{ran.stdout[-2000:]}{ran.stderr[-4000:]}"
    return ran.stdout
