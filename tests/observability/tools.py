"""Prometheus' own programs: from the path, or from Debian's package, unpacked by `python -m tests.observability.tools`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.servers.debian import unpack

INSTALLED = Path(__file__).parents[2] / ".servers" / "installed" / "prometheus"


def tool(name: str) -> str:
    """Path of `prometheus` or `promtool`; skips with the reason, or fails where HIVE_TEST_REQUIRE names prometheus."""
    found = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}{INSTALLED / 'usr' / 'bin'}")
    if found is None:
        how = f"{name} is not installed; run `python -m tests.observability.tools`"
        if "prometheus" in os.environ.get("HIVE_TEST_REQUIRE", "").split(","):
            pytest.fail(f"HIVE_TEST_REQUIRE names prometheus, but {how}", pytrace=False)
        pytest.skip(how)
    return found


if __name__ == "__main__":
    unpack(["prometheus"], INSTALLED)
