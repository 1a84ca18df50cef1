"""What every answer carries, and what a request may bring along."""

from typing import Any

import pytest

PATHS = ["/health", "/nope", "/api/v1/docs", "/api/v1/intents", "/metrics"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_security_headers(client: Any, path: str) -> None:
    headers = (await client.get(path)).headers
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


async def test_an_answer_that_says_how_long_it_may_be_kept_is_left_alone(client: Any, hive: Any) -> None:
    created = (await client.post("/api/v1/intents", json={"text": "a"})).json()
    response = await client.get(f"/api/v1/intents/{created['id']}/events")
    assert response.headers.get_list("cache-control") == ["no-cache"]


async def test_a_sane_request_id_is_kept(client: Any) -> None:
    response = await client.get("/health", headers={"X-Request-ID": "order-66.a:b_c"})
    assert response.headers["x-request-id"] == "order-66.a:b_c"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "a\x7f"])
async def test_any_other_request_id_is_replaced(client: Any, given: str) -> None:
    response = await client.get("/health", headers={"X-Request-ID": given})
    assert response.headers["x-request-id"] != given
    assert len(response.headers["x-request-id"]) == 36
