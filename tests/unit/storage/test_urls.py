"""Storage URLs are read by the usual convention and never shown with their secrets."""

from __future__ import annotations

import pytest

from neural_hive.errors import ConfigurationError
from neural_hive.storage.urls import mask, scheme, sqlite_path, sqlite_url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///hive.db", "hive.db"),
        ("sqlite:///data/hive.db", "data/hive.db"),
        ("sqlite:////var/lib/hive.db", "/var/lib/hive.db"),
        ("sqlite:////var/my%20hive.db", "/var/my hive.db"),
        ("SQLite:///hive.db", "hive.db"),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite://", ":memory:"),
    ],
)
def test_a_sqlite_url_names_a_file(url: str, path: str) -> None:
    assert sqlite_path(url, "HIVE_LEDGER_URL") == path


@pytest.mark.parametrize("path", ["hive.db", "/var/lib/hive.db", ":memory:"])
def test_a_path_and_its_url_are_one(path: str) -> None:
    assert sqlite_path(sqlite_url(path), "HIVE_LEDGER_URL") == path


@pytest.mark.parametrize(
    "url", ["sqlite://host/hive.db", "sqlite:///hive.db?mode=ro", "sqlite:///data/", "mongodb://x", "sqlite:///a%00b"]
)
def test_a_wrong_sqlite_url_is_refused_by_the_name_of_its_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="HIVE_LEDGER_URL"):
        sqlite_path(url, "HIVE_LEDGER_URL")


def test_a_scheme_is_lower_case_and_needed() -> None:
    assert scheme("MongoDB+SRV://host", "X") == "mongodb+srv"
    with pytest.raises(ConfigurationError, match="HIVE_BUS_URL"):
        scheme("hive.db", "HIVE_BUS_URL")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://ana:secret@one:1,two:2/db", "mongodb://***@one:1,two:2/db"),
        ("redis://:p%40ss@host/0", "redis://***@host/0"),
        ("redis://token@host", "redis://***@host"),
        ("kafka://host?sasl_password=x&acks=all", "kafka://host?sasl_password=***&acks=all"),
        ("https://host/?api_key=x#part", "https://host/?api_key=***#part"),
        ("neo4j://u:p@ss@host", "neo4j://***@host"),
        ("sqlite:///hive.db", "sqlite:///hive.db"),
    ],
)
def test_secrets_are_not_shown(url: str, shown: str) -> None:
    assert mask(url) == shown
