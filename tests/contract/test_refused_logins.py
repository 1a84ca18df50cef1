"""Real servers that refuse a login, and TLS that is spoken to where nobody speaks it: one line, the setting in it, no password."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from uuid_utils import uuid7

from neural_hive.errors import StorageError
from neural_hive.storage.open import open_storage

PASSWORD = "hunter2-äß"
WRITTEN = "hunter2-%C3%A4%C3%9F"

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def address(variable: str) -> str:
    """Host and port of a test server."""
    return urlsplit(os.environ[variable]).netloc


async def refusal(role: str, url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> str:
    """The one line that tells why a server cannot be used; neither it nor a log, nor what is printed, holds the password."""
    async with open_storage() as storage:
        opened: Any = await getattr(storage, role)(url)
        with pytest.raises(StorageError) as raised:
            async with asyncio.timeout(15):
                await opened.ping()
    printed = capfd.readouterr()
    causes: BaseException | None = raised.value
    while causes is not None:
        assert PASSWORD not in str(causes)
        assert WRITTEN not in str(causes)
        causes = causes.__cause__
    assert PASSWORD not in caplog.text + printed.out + printed.err
    assert WRITTEN not in caplog.text + printed.out + printed.err
    said = str(raised.value)
    assert len(said.splitlines()) == 1
    return said


TLS = [
    pytest.param("cache", "HIVE_TEST_REDIS_URL", "rediss://ana:{password}@{address}/0", id="redis"),
    pytest.param("bus", "HIVE_TEST_KAFKA_URL", "kafka://ana:{password}@{address}?security=sasl_ssl", id="kafka"),
    pytest.param("ledger", "HIVE_TEST_MONGODB_URL", "mongodb://ana:{password}@{address}/x?tls=true", id="mongodb"),
    pytest.param("graph", "HIVE_TEST_NEO4J_URL", "neo4j+s://ana:{password}@{address}", id="neo4j"),
    pytest.param("models", "HIVE_TEST_MLFLOW_URL", "mlflow+https://ana:{password}@{address}", id="mlflow"),
]
SETTINGS = {
    "cache": "HIVE_CACHE_URL",
    "bus": "HIVE_BUS_URL",
    "ledger": "HIVE_LEDGER_URL",
    "graph": "HIVE_GRAPH_URL",
    "models": "HIVE_MODELS_URL",
}


@pytest.mark.parametrize(("role", "variable", "url"), TLS)
async def test_tls_to_a_server_that_speaks_none(
    role: str, variable: str, url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    if not os.environ.get(variable):
        pytest.skip(f"{variable} is not set; run `make servers`")
    said = await refusal(role, url.format(password=WRITTEN, address=address(variable)), caplog, capfd)
    assert said.startswith(f"{SETTINGS[role]}: ")


@pytest.fixture
async def redis_user() -> AsyncIterator[str]:
    """A user of the test's Redis whose password is another."""
    from redis.asyncio import Redis

    name = f"t{uuid7().hex[-12:]}"
    async with Redis.from_url(os.environ["HIVE_TEST_REDIS_URL"]) as admin:
        await admin.execute_command("ACL", "SETUSER", name, "on", ">another", "~*", "+ping")
        yield name
        await admin.execute_command("ACL", "DELUSER", name)


@pytest.mark.server("redis")
async def test_redis_refuses_a_wrong_password(
    redis_user: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"redis://{redis_user}:{WRITTEN}@{address('HIVE_TEST_REDIS_URL')}/0"
    assert "the user name or password is not accepted; correct the URL" in await refusal("cache", url, caplog, capfd)


@pytest.mark.server("redis")
async def test_redis_forbids_a_user_what_the_hive_needs(
    redis_user: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"redis://{redis_user}:another@{address('HIVE_TEST_REDIS_URL')}/0"
    assert "may not use the commands that the hive needs" in await refusal("cache", url, caplog, capfd)


@pytest.mark.server("mongodb")
async def test_mongodb_refuses_a_user_it_does_not_know(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"mongodb://ana:{WRITTEN}@{address('HIVE_TEST_MONGODB_URL')}/x?authSource=admin"
    assert "the user name or password is not accepted; correct the URL" in await refusal("ledger", url, caplog, capfd)


@pytest.mark.server("kafka")
async def test_kafka_refuses_a_login_where_there_is_none(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"kafka://ana:{WRITTEN}@{address('HIVE_TEST_KAFKA_URL')}"
    assert "user and security" in await refusal("bus", url, caplog, capfd)


class Guarded(BaseHTTPRequestHandler):
    """A registry behind a proxy that wants another password."""

    def do_GET(self) -> None:
        """Refuse."""
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the name is http.server's

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def guarded() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Guarded) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_a_guarded_mlflow_refuses_a_wrong_password(
    guarded: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    said = await refusal("models", f"mlflow+http://ana:{WRITTEN}@{guarded}", caplog, capfd)
    assert said.startswith("HIVE_MODELS_URL: ")
    assert "user" in said
