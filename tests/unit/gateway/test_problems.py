"""Errors over HTTP: every one a problem, none with what should stay inside."""

from typing import Any

import pytest

from neural_hive.errors import HiveError, OverloadedError, StorageError

TEXT = {"text": "Apagar as contas"}


@pytest.mark.parametrize("path", ["/nope", "/api/v1/nope", "/api/v1/intents/", "/api/v2/intents"])
async def test_an_unknown_address_is_a_problem(client: Any, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert response.json()["type"] == "urn:neural-hive:problem:no-such-address"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/intents", "GET, POST"),
        ("PUT", "/api/v1/intents/abc", "GET"),
        ("GET", "/api/v1/intents/voice", "POST"),
        ("GET", "/api/v1/intents/abc/reviews", "POST"),
        ("POST", "/health", "GET"),
        ("OPTIONS", "/api/v1/reviews", "GET"),
    ],
)
async def test_another_method_is_refused_with_those_allowed(client: Any, method: str, path: str, allowed: str) -> None:
    response = await client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    assert response.json()["type"] == "urn:neural-hive:problem:method-not-allowed"


async def test_an_overloaded_hive_says_when_to_come_back(client: Any, hive: Any) -> None:
    hive.error = OverloadedError(retry_after_s=2.2)
    response = await client.post("/api/v1/intents", json=TEXT)
    assert (response.status_code, response.headers["retry-after"]) == (429, "3")


async def test_a_store_that_is_away_is_503(client: Any, hive: Any) -> None:
    hive.error = StorageError("The ledger cannot be written.")
    response = await client.post("/api/v1/intents", json=TEXT)
    assert (response.status_code, response.json()["detail"]) == (503, "The ledger cannot be written.")
    assert response.headers["retry-after"]


async def test_what_nobody_foresaw_is_500_without_its_words(client: Any, hive: Any) -> None:
    hive.error = RuntimeError("password=hunter2")
    response = await client.post("/api/v1/intents", json=TEXT)
    assert response.status_code == 500
    assert "hunter2" not in response.text
    assert response.json()["request_id"] == response.headers["x-request-id"]


async def test_the_title_is_the_same_for_every_problem_of_a_type(client: Any, hive: Any) -> None:
    hive.error = HiveError("Something else.")
    response = await client.post("/api/v1/intents", json=TEXT)
    assert (response.json()["title"], response.json()["detail"]) == ("The hive could not do this", "Something else.")


async def test_a_path_of_arbitrary_bytes_is_a_problem_too(client: Any) -> None:
    response = await client.get("/%ff%fe/%F0%28%8C%28")
    assert response.status_code == 404
