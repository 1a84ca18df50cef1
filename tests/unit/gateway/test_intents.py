"""Intents over HTTP: judged, recorded once per key, read again."""

from typing import Any

import pytest

TEXT = {"text": "Apagar as contas inativas há mais de cinco anos"}
UNKNOWN_ID = "01a208f4-1a32-7251-a61a-e009a278bc2f"


async def test_an_intent_is_answered_with_its_decided_case(client: Any, hive: Any) -> None:
    response = await client.post("/api/v1/intents", json=TEXT)
    case = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/api/v1/intents/{case['id']}"
    assert (case["status"], case["decision"]["outcome"]) == ("decided", "conditional")
    assert len(case["opinions"]) == 5
    assert case["decided_at"] == "2026-01-31T12:00:00.000000Z"
    assert hive.callers[0].tenant == "default"


async def test_the_caller_may_prefer_not_to_wait(client: Any) -> None:
    response = await client.post("/api/v1/intents", json=TEXT, headers={"Prefer": "wait=2, Respond-Async"})
    receipt = response.json()
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"
    assert response.headers["location"] == f"/api/v1/intents/{receipt['id']}"
    assert receipt == {"id": receipt["id"], "status": "accepted"}


async def test_another_preference_changes_nothing(client: Any) -> None:
    response = await client.post("/api/v1/intents", json=TEXT, headers={"Prefer": "return=minimal"})
    assert response.status_code == 201
    assert "preference-applied" not in response.headers


async def test_the_same_key_and_body_give_the_same_case(client: Any) -> None:
    headers = {"Idempotency-Key": "order-66"}
    first = await client.post("/api/v1/intents", json=TEXT, headers=headers)
    again = await client.post("/api/v1/intents", json={**TEXT, "plan": None, "context": {}}, headers=headers)
    assert first.json()["id"] == again.json()["id"]


async def test_the_same_key_with_another_body_is_a_conflict(client: Any) -> None:
    headers = {"Idempotency-Key": "order-66"}
    await client.post("/api/v1/intents", json=TEXT, headers=headers)
    response = await client.post("/api/v1/intents", json={"text": "Outra coisa"}, headers=headers)
    assert response.status_code == 409
    assert response.json()["type"] == "urn:neural-hive:problem:idempotency-conflict"


@pytest.mark.parametrize("key", ["", "k" * 201, "a\tb", "ção".encode().decode("latin-1")])
async def test_a_key_that_is_no_plain_word_is_refused(client: Any, key: str) -> None:
    response = await client.post("/api/v1/intents", json=TEXT, headers={"Idempotency-Key": key.encode("latin-1")})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "header/Idempotency-Key"


async def test_a_case_that_another_process_still_judges_is_answered_202(client: Any, hive: Any) -> None:
    hive.ask = hive.submit
    response = await client.post("/api/v1/intents", json=TEXT)
    assert response.status_code == 202


async def test_a_text_reaches_the_hive_clean(client: Any, hive: Any) -> None:
    await client.post("/api/v1/intents", json={"text": "\u200b  Apagar\u202e as contas \n"})
    assert hive.asks[0].text == "Apagar as contas"


async def test_a_trace_is_passed_on_and_a_broken_one_is_not(client: Any, hive: Any) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await client.post("/api/v1/intents", json=TEXT, headers={"traceparent": trace})
    await client.post("/api/v1/intents", json=TEXT, headers={"traceparent": trace + "; drop"})
    assert [caller.trace for caller in hive.callers] == [trace, ""]


async def test_a_case_can_be_read_again(client: Any) -> None:
    created = (await client.post("/api/v1/intents", json=TEXT)).json()
    response = await client.get(f"/api/v1/intents/{created['id']}")
    assert (response.status_code, response.json()) == (200, created)


@pytest.mark.parametrize("case_id", [UNKNOWN_ID, "nope", "%00", "..%2f..", "x" * 3000])
@pytest.mark.parametrize("rest", ["", "/related", "/events"])
async def test_an_unknown_id_is_not_found(client: Any, case_id: str, rest: str) -> None:
    response = await client.get(f"/api/v1/intents/{case_id}{rest}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


async def test_cases_are_listed_by_the_filters_given(client: Any, hive: Any) -> None:
    await client.post("/api/v1/intents", json=TEXT)
    response = await client.get(
        "/api/v1/intents",
        params={"limit": 7, "outcome": "rejected", "domain": "security", "q": " conta ", "cursor": "c"},
    )
    query = hive.queries[0]
    assert len(response.json()["items"]) == 1
    assert (query.tenant, query.limit, query.cursor) == ("default", 7, "c")
    assert (query.outcome, query.domain, query.text, query.waiting) == ("rejected", "security", "conta", False)


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "0"), ("limit", "201"), ("limit", "x"), ("outcome", "maybe"), ("domain", "x")]
)
async def test_a_filter_that_means_nothing_is_refused(client: Any, name: str, value: str) -> None:
    response = await client.get("/api/v1/intents", params={name: value})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == f"query/{name}"


async def test_what_is_near_a_case_can_be_read(client: Any) -> None:
    created = (await client.post("/api/v1/intents", json=TEXT)).json()
    response = await client.get(f"/api/v1/intents/{created['id']}/related")
    assert response.json() == {"similar": [], "systems": []}
