"""Tests that need a real server: they run where its URL is known and else skip with the reason, or fail if required."""

from __future__ import annotations

import os
import signal

import pytest

#: Server → the variable with its URL. `make servers` writes them to `.servers/env`.
URLS = {name: f"HIVE_TEST_{name.upper()}_URL" for name in ("redis", "kafka", "mongodb", "neo4j", "mlflow")}


def pytest_configure(config: pytest.Config) -> None:
    """Take the URLs of the servers that `make servers` started, where the environment says nothing else; hear Ctrl-C."""
    # a shell that started us in the background made us deaf to Ctrl-C, and our children would be too
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    file = config.rootpath / ".servers" / "env"
    for line in file.read_text().splitlines() if file.exists() else ():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value.strip("'"))


def pytest_report_header() -> list[str]:
    """Which product each server is."""
    return [f"{name}: {os.environ.get(f'HIVE_TEST_{name.upper()}_PRODUCT', 'no server')}" for name in URLS]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail a test whose server is not there."""
    for mark in item.iter_markers("server"):
        name = mark.args[0]
        if os.environ.get(URLS[name]):
            continue
        if name in os.environ.get("HIVE_TEST_REQUIRE", "").split(","):
            pytest.fail(f"HIVE_TEST_REQUIRE names {name}, but {URLS[name]} is not set; run `make servers`", pytrace=False)
        pytest.skip(f"{URLS[name]} is not set; run `make servers`")
