"""Where things are: what is installed once, what belongs to a running server. Only `.servers/` is written."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / ".servers"
#: URLs of the running servers, one `NAME=value` a line.
ENVIRONMENT = ROOT / "env"
#: Files with pinned hashes beside this module.
PINS = Path(__file__).resolve().parent / "pins"


def installed(name: str) -> Path:
    """The folder that holds the installed product `name`."""
    return ROOT / "installed" / name


def running(name: str) -> Path:
    """The folder with the data, log, ports and process number of server `name`."""
    return ROOT / "run" / name
