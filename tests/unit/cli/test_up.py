"""What `hive up` says once it listens."""

from __future__ import annotations

import re

import pytest

from neural_hive.cli import up
from neural_hive.settings import Settings


def said(address: str = "http://127.0.0.1:41234", **chosen: str) -> dict[str, str]:
    """The lines of the welcome by their first word."""
    first, *rest = up.welcome(Settings(**chosen), address).splitlines()  # type: ignore[arg-type]
    assert first == f"hive is listening on {address}"
    return {line.split()[0]: line.strip() for line in rest}


def test_every_address_is_the_one_that_it_really_listens_on() -> None:
    lines = said(port="0")
    assert lines["console"].endswith("http://127.0.0.1:41234")
    assert "--server http://127.0.0.1:41234" in lines["ask"]
    assert "--server http://127.0.0.1:41234" in lines["look"]
    assert "network" not in lines


def test_a_public_hive_says_where_others_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = said(host="0.0.0.0", auth_tokens="t=acme")
    assert "0.0.0.0" not in " ".join(lines.values())
    assert "--token @FILE" in lines["ask"]
    if "network" in lines:  # a machine may have no network at all
        assert re.fullmatch(r"network +http://(\d+\.){3}\d+:41234", lines["network"])
    monkeypatch.setattr(up, "_ELSEWHERE", ("256.0.0.1", 9))
    assert "network" not in said(host="0.0.0.0", auth_tokens="t=acme")


def test_a_password_in_the_ledgers_address_is_not_told() -> None:
    assert "secret" not in said(ledger_url="mongodb://hive:secret@db/hive")["ledger"]
