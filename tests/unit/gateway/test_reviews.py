"""Verdicts of people, and the queue of cases that wait for one."""

from typing import Any

import pytest


async def test_a_verdict_is_recorded_with_the_case(client: Any) -> None:
    created = (await client.post("/api/v1/intents", json={"text": "a"})).json()
    body = {"verdict": "rejected", "comment": " Não sem backup. "}
    response = await client.post(f"/api/v1/intents/{created['id']}/reviews", json=body)
    review = response.json()["reviews"][0]
    assert response.status_code == 201
    assert (review["verdict"], review["comment"], review["reviewer"]) == ("rejected", "Não sem backup.", "local")


async def test_a_case_that_is_not_decided_cannot_be_reviewed(client: Any) -> None:
    created = await client.post("/api/v1/intents", json={"text": "a"}, headers={"Prefer": "respond-async"})
    response = await client.post(f"/api/v1/intents/{created.json()['id']}/reviews", json={"verdict": "approved"})
    assert response.status_code == 409


@pytest.mark.parametrize(
    "body",
    [{}, {"verdict": "maybe"}, {"verdict": "approved", "comment": 5}, {"verdict": "approved", "comment": "x" * 4001},
     {"verdict": "approved", "comment": "a\0b"}, {"verdict": "approved", "reviewer": "me"}],
)  # fmt: skip
async def test_a_verdict_that_is_none_is_refused(client: Any, body: dict[str, Any]) -> None:
    created = (await client.post("/api/v1/intents", json={"text": "a"})).json()
    response = await client.post(f"/api/v1/intents/{created['id']}/reviews", json=body)
    assert response.status_code == 422


async def test_the_queue_asks_for_waiting_cases(client: Any, hive: Any) -> None:
    response = await client.get("/api/v1/reviews", params={"limit": 3})
    assert response.json() == {"items": [], "next_cursor": None}
    assert (hive.queries[0].waiting, hive.queries[0].limit) == (True, 3)
