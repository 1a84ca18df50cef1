"""What is no good request is told so: 4xx, a problem, no echo; the hive never sees it."""

import json
from typing import Any

import pytest

JSON = {"content-type": "application/json"}
DEEP = '{"text": "x y", "context": ' + '{"a":' * 40 + "1" + "}" * 41
VERY_DEEP = '{"text": "x y", "context": {"a": ' + "[" * 5000 + "]" * 5000 + "}}"

BAD_BODIES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "blank": (b"   ", 400),
    "not json": (b"text=hello", 400),
    "cut off": (b'{"text": "hello', 400),
    "two values": (b'{"text": "a"}{"text": "b"}', 400),
    "not utf-8": (b'{"text": "caf\xe9"}', 400),
    "utf-16": ('{"text": "a"}'.encode("utf-16"), 400),
    "lone surrogate": (b'{"text": "a \\ud800 b"}', 400),
    "raw surrogate": (b'{"text": "a \xed\xa0\x80 b"}', 400),
    "raw NUL": (b'{"text": "a\x00b"}', 400),
    "too deep to parse": (VERY_DEEP.encode(), 400),
    "a name twice": (b'{"text": "delete nothing", "text": "delete all"}', 400),
    "a name twice inside": (b'{"text": "a", "context": {"b": 1, "b": 2}}', 400),
    "a huge integer": (b'{"text": "a", "context": {"b": ' + b"1" * 5000 + b"}}", 400),
    "too deep": (DEEP.encode(), 422),
    "an array": (b"[]", 422),
    "a string": (b'"text"', 422),
    "null": (b"null", 422),
    "no text": (b"{}", 422),
    "text is a number": (b'{"text": 5}', 422),
    "text is null": (b'{"text": null}', 422),
    "text is a list": (b'{"text": ["a"]}', 422),
    "empty text": (b'{"text": ""}', 422),
    "blank text": (b'{"text": " \\t\\n "}', 422),
    "zero-width text": (b'{"text": "\\u200b\\u200d\\ufeff\\u2060"}', 422),
    "punctuation only": (b'{"text": "?!..."}', 422),
    "controls only": (b'{"text": "\\u0001\\u0007\\u001b"}', 422),
    "escaped NUL": (b'{"text": "a\\u0000b"}', 422),
    "long text": (json.dumps({"text": "a " * 10_001}).encode(), 422),
    "an unknown field": (b'{"text": "a", "priority": 1}', 422),
    "an unknown language": (b'{"text": "a", "language": "fr"}', 422),
    "context is a list": (b'{"text": "a", "context": []}', 422),
    "NaN": (b'{"text": "a", "context": {"b": NaN}}', 422),
    "infinity": (b'{"text": "a", "context": {"b": -Infinity}}', 422),
    "overflow": (b'{"text": "a", "constraints": {"b": 1e999}}', 422),
    "a 65-bit integer": (b'{"text": "a", "context": {"b": [18446744073709551616]}}', 422),
    "NUL in a fact": (b'{"text": "a", "context": {"b": {"c": "\\u0000"}}}', 422),
    "NUL in a name": (b'{"text": "a", "context": {"\\u0000": 1}}', 422),
    "NUL in a plan": (b'{"text": "a", "plan": {"tasks": [{"id": "a\\u0000"}]}}', 422),
    "an empty plan": (b'{"text": "a", "plan": {"tasks": []}}', 422),
    "a duration as text": (b'{"text": "a", "plan": {"tasks": [{"id": "a", "duration_minutes": "5"}]}}', 422),
    "a negative duration": (b'{"text": "a", "plan": {"tasks": [{"id": "a", "duration_minutes": -5}]}}', 422),
    "a NaN duration": (b'{"text": "a", "plan": {"tasks": [{"id": "a", "duration_minutes": NaN}]}}', 422),
}


@pytest.mark.parametrize("kind", BAD_BODIES)
async def test_a_bad_body_is_refused_with_a_problem(client: Any, hive: Any, kind: str) -> None:
    body, status = BAD_BODIES[kind]
    response = await client.post("/api/v1/intents", content=body, headers=JSON)
    problem = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert set(problem) >= {"type", "title", "status", "detail", "instance", "request_id"}
    assert (problem["status"], problem["instance"]) == (status, "/api/v1/intents")
    assert hive.asks == []


async def test_a_refusal_names_the_field_and_never_repeats_the_input(client: Any) -> None:
    body = {"text": "x", "language": "klingon-secret", "plan": {"tasks": [{"id": 7, "cost": "1234-secret"}]}}
    response = await client.post("/api/v1/intents", json=body)
    assert {e["pointer"] for e in response.json()["errors"]} >= {"/language", "/plan/tasks/0/id", "/plan/tasks/0/cost"}
    assert "secret" not in response.text


async def test_a_pointer_escapes_what_rfc_6901_says(client: Any) -> None:
    response = await client.post("/api/v1/intents", json={"text": "x", "a/b~c": 1})
    assert response.json()["errors"][0]["pointer"] == "/a~1b~0c"


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", ";"],
)
async def test_another_content_type_is_refused(client: Any, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = await client.post("/api/v1/intents", content=b'{"text": "a"}', headers=headers)
    assert response.status_code == 415


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.hive+json"])
async def test_json_may_be_called_what_it_is(client: Any, content_type: str) -> None:
    response = await client.post("/api/v1/intents", content=b'{"text": "a"}', headers={"content-type": content_type})
    assert response.status_code == 201


async def test_facts_and_plans_are_taken_as_they_are(client: Any, hive: Any) -> None:
    plan = {
        "tasks": [{"id": "a"}, {"id": "b", "depends_on": ["a"], "duration_minutes": 5, "cost": 1.5}],
        "currency": "EUR",
    }
    body = {"text": "a", "plan": plan, "context": {"n": 2**63 - 1, "x": [1.5, None, True, {"é": "ü"}]}}
    response = await client.post("/api/v1/intents", json=body)
    assert response.status_code == 201
    assert hive.asks[0].context == body["context"]
    assert hive.asks[0].plan.tasks[1].depends_on == ("a",)


async def test_a_body_over_the_limit_is_refused_before_it_is_read(client: Any) -> None:
    response = await client.post("/api/v1/intents", content=b"x" * 1_000_001, headers=JSON)
    assert response.status_code == 413


async def test_a_body_without_a_length_is_refused_once_it_passes_the_limit(client: Any) -> None:
    n_sent = 0

    async def chunks() -> Any:
        nonlocal n_sent
        for _ in range(1200):
            n_sent += 10_000
            yield b"x" * 10_000

    headers = JSON | {"transfer-encoding": "chunked"}
    response = await client.post("/api/v1/intents", content=chunks(), headers=headers)
    assert response.status_code == 413


async def test_a_length_that_is_no_number_is_refused(client: Any) -> None:
    response = await client.post("/api/v1/intents", content=b"{}", headers=JSON | {"content-length": "-5"})
    assert response.status_code == 413
