"""The HTTP API of a real hive, from outside."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import httpx2

HARMLESS = {"text": "Corrigir um erro de digitação no título da página de ajuda"}
HARD = {"text": "Apagar de vez todas as contas inativas da base de produção, sem backup"}


def decided(http: httpx2.Client, case_id: str) -> dict[str, Any]:
    """The case once it is decided; its stream of events ends then."""
    assert http.get(f"/api/v1/intents/{case_id}/events").text.count("event: decided") == 1
    case: dict[str, Any] = http.get(f"/api/v1/intents/{case_id}").json()
    return case


def test_an_intent_gets_five_opinions_and_a_recorded_decision(http: httpx2.Client) -> None:
    response = http.post("/api/v1/intents", json=HARD)
    case = response.json()
    assert response.status_code == 201
    assert [o["specialist"] for o in case["opinions"]] == [
        "architecture",
        "behavior",
        "business",
        "evolution",
        "technical",
    ]
    assert case["decision"]["outcome"] in {"needs_review", "rejected"}
    assert len(case["decision"]["hash"]) == 64
    assert http.get(response.headers["location"]).json() == case


def test_an_intent_may_be_judged_later(http: httpx2.Client) -> None:
    response = http.post("/api/v1/intents", json=HARMLESS, headers={"Prefer": "respond-async"})
    assert (response.status_code, response.headers["preference-applied"]) == (202, "respond-async")
    case = decided(http, response.json()["id"])
    assert case["status"] == "decided"
    assert response.headers["location"].endswith(case["id"])


def test_progress_comes_in_order_and_can_be_resumed(http: httpx2.Client) -> None:
    case_id = http.post("/api/v1/intents", json=HARMLESS, headers={"Prefer": "respond-async"}).json()["id"]
    text = http.get(f"/api/v1/intents/{case_id}/events").text
    kinds = [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]
    assert kinds == ["accepted", "understood", *["opinion"] * 5, "decided"]
    ids = [line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: ")]
    rest = http.get(f"/api/v1/intents/{case_id}/events", headers={"Last-Event-ID": ids[1]}).text
    assert [line for line in rest.splitlines() if line.startswith("id: ")] == [f"id: {i}" for i in ids[2:]]


def test_a_key_stands_for_one_intent(http: httpx2.Client) -> None:
    headers = {"Idempotency-Key": "order-66"}
    first = http.post("/api/v1/intents", json=HARMLESS, headers=headers)
    again = http.post("/api/v1/intents", json=HARMLESS, headers=headers)
    other = http.post("/api/v1/intents", json=HARD, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    assert (other.status_code, other.json()["type"]) == (409, "urn:neural-hive:problem:idempotency-conflict")


def test_a_person_decides_what_waits_for_one(http: httpx2.Client) -> None:
    nonsense = http.post("/api/v1/intents", json={"text": "asdf qwerty zxcv"}).json()
    assert nonsense["decision"]["outcome"] == "needs_review"
    waiting = [case["id"] for case in http.get("/api/v1/reviews").json()["items"]]
    verdict = {"verdict": "rejected", "comment": "Not a request."}
    reviewed = http.post(f"/api/v1/intents/{nonsense['id']}/reviews", json=verdict)
    still = [case["id"] for case in http.get("/api/v1/reviews").json()["items"]]
    assert nonsense["id"] in waiting
    assert (reviewed.status_code, reviewed.json()["reviews"][0]["verdict"]) == (201, "rejected")
    assert nonsense["id"] not in still


def test_cases_are_paged_newest_first(http: httpx2.Client) -> None:
    made = [http.post("/api/v1/intents", json=HARMLESS).json()["id"] for _ in range(3)]
    first = http.get("/api/v1/intents", params={"limit": 2}).json()
    second = http.get("/api/v1/intents", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [c["id"] for c in (first["items"] + second["items"])][:3] == made[::-1]


def test_the_hive_tells_about_itself(http: httpx2.Client) -> None:
    assert {s["name"] for s in http.get("/api/v1/specialists").json()["items"]} >= {"business", "technical"}
    assert http.get("/api/v1/ledger/verify").json()["ok"] is True
    assert http.get("/health").json()["status"] == "healthy"
    assert http.get("/ready").json()["ready"] is True
    assert "# HELP" in http.get("/metrics").text


def test_every_answer_carries_the_security_headers(http: httpx2.Client) -> None:
    for path in ("/health", "/api/v1/docs", "/nope", "/api/v1/intents"):
        headers = http.get(path).headers
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-request-id"]
        assert "server" not in headers


def test_a_foreign_name_for_this_machine_is_not_answered(http: httpx2.Client) -> None:
    assert http.get("/api/v1/intents", headers={"Host": "evil.example"}).status_code == 421
    refused = http.post("/api/v1/intents", json=HARMLESS, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403


def test_the_rate_limit_is_enforced(hive_starter: Callable[..., Any]) -> None:
    with hive_starter(HIVE_RATE_LIMIT_PER_MINUTE="5").client() as http:
        answers = [http.get("/api/v1/intents") for _ in range(8)]
        statuses = [a.status_code for a in answers]
        assert statuses == [200] * statuses.count(200) + [429] * statuses.count(429)
        assert statuses.count(429) >= 3
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert http.get("/health").status_code == 200


def test_tokens_keep_tenants_and_roles_apart(hive_starter: Callable[..., Any]) -> None:
    hive = hive_starter(HIVE_AUTH_TOKENS="alpha=acme:u-17,beta=globex:u-18:reviewer,gamma=acme:u-19:reviewer")
    with hive.client() as nobody, hive.client(Authorization="Bearer alpha") as user:
        assert nobody.get("/api/v1/intents").status_code == 401
        assert nobody.get("/health").status_code == 200
        case = user.post("/api/v1/intents", json=HARMLESS).json()
        path = f"/api/v1/intents/{case['id']}"
        verdict = {"verdict": "approved"}
        assert (case["intent"]["tenant"], case["intent"]["actor"]) == ("acme", "u-17")
        assert user.post(f"{path}/reviews", json=verdict).status_code == 403
        assert user.get(path, headers={"Authorization": "Bearer beta"}).status_code == 404
        as_reviewer = {"Authorization": "Bearer gamma"}
        assert user.post(f"{path}/reviews", json=verdict, headers=as_reviewer).status_code == 201


def test_a_public_address_without_authentication_is_refused(hive_command: Callable[..., Any]) -> None:
    result = hive_command("up", "--host", "0.0.0.0", "--port", "0")
    assert result.returncode == 2
    assert "HIVE_HOST" in result.stderr
    assert "--insecure" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_one_clear_line(hive_command: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = hive_command("up", "--port", str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "HIVE_PORT" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_hive_that_is_told_to_stop_finishes_what_it_began(hive_starter: Callable[..., Any]) -> None:
    hive = hive_starter()
    with hive.client() as http:
        case_id = http.post("/api/v1/intents", json=HARMLESS, headers={"Prefer": "respond-async"}).json()["id"]
        with http.stream("GET", f"/api/v1/intents/{case_id}/events") as stream:
            started_s = time.monotonic()
            assert hive.stop() == 0
            stream.read()
    assert time.monotonic() - started_s < 30
    assert "Traceback" not in "".join(hive.said)


def test_a_specialist_answers_on_its_own(hive_starter: Callable[..., Any], http: httpx2.Client) -> None:
    case = http.post("/api/v1/intents", json=HARD).json()
    brief = {
        "id": case["id"],
        "text": case["intent"]["text"],
        "answer_language": "pt",
        "understanding": case["understanding"],
    }
    with hive_starter("serve", "specialist", "technical").client() as specialist:
        answer = specialist.post("/api/v1/opinions", json={"briefs": [brief, brief]}).json()
        health = specialist.get("/health").json()
    ours = next(opinion for opinion in case["opinions"] if opinion["specialist"] == "technical")
    assert [o["risk"] for o in answer["opinions"]] == [ours["risk"]] * 2
    assert health["service"] == "specialist-technical"
