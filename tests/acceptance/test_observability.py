"""What an operator sees of a running hive, and that nobody's data is in it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from neural_hive.observability.metric_table import PROCESS, TABLE

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: Made-up people's data, of every kind that a text below has.
PERSONAL = (
    "529.982.247-25",
    "52998224725",
    "joaquina.albuquerque@exemplo.com.br",
    "Joaquina",
    "Albuquerque",
    "PT50 0002 0123 1234 5678 9015 4",
    "4111 1111 1111 1111",
    "+351 912 345 678",
    "Bartholomew",
    "Featherstone",
    "078-05-1120",
)
TEXTS = (
    "Apagar a conta da cliente Joaquina Albuquerque, CPF 529.982.247-25, e avisar joaquina.albuquerque@exemplo.com.br",
    "Transferir o reembolso para o IBAN PT50 0002 0123 1234 5678 9015 4 e ligar para +351 912 345 678",
    "Delete the account of Mr. Bartholomew Featherstone, SSN 078-05-1120, card 4111 1111 1111 1111",
)


@pytest.fixture(scope="module")
def observed(hive_starter: Callable[..., Any]) -> Any:
    """A hive that logs all it can."""
    return hive_starter(HIVE_LOG_FORMAT="json", HIVE_LOG_LEVEL="debug", HIVE_RATE_LIMIT_PER_MINUTE="1000")


@pytest.fixture(scope="module")
def cases(observed: Any) -> list[dict[str, Any]]:
    """Decided and reviewed cases, and requests that fail in several ways, all of them full of personal data."""
    found = []
    with observed.client(traceparent=TRACE) as client:
        for text in TEXTS:
            body = {"text": text, "context": {"note": text}, "constraints": {"contact": PERSONAL[2]}}
            answer = client.post(
                "/api/v1/intents",
                json=body,
                headers={"X-Request-ID": PERSONAL[1], "Idempotency-Key": text[:40].encode("ascii", "ignore").decode().strip()},
            )
            assert answer.status_code == 201, answer.text
            found.append(answer.json())
            review = {"verdict": "rejected", "comment": text}
            assert client.post(f"/api/v1/intents/{found[-1]['id']}/reviews", json=review).is_success
            client.post("/api/v1/intents", json={"text": text, "language": text})
            client.post("/api/v1/intents", content=text.encode())
            client.get("/api/v1/intents", params={"q": text, "cursor": text})
            client.get(f"/api/v1/intents/{PERSONAL[1]}")
            client.get(f"/{PERSONAL[3]}")
    return found


@pytest.fixture(scope="module")
def lines(observed: Any, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What it logged, once it has logged the last case's last answer."""
    deadline = time.monotonic() + 30
    while not any('"published"' in line for line in observed.said) and time.monotonic() < deadline:
        with observed.client() as client:
            client.get("/health")
    return [json.loads(line) for line in observed.said]


def test_every_line_of_the_log_is_json_with_time_level_logger_and_message(lines: list[dict[str, Any]]) -> None:
    assert lines
    for line in lines:
        assert datetime.fromisoformat(line["timestamp"]).utcoffset() is not None
        assert line["level"] in ("debug", "info", "warning", "error")
        assert line["logger"]
        assert line["message"]


def test_a_case_is_found_in_the_log_by_its_id_and_its_trace(lines: list[dict[str, Any]], cases: list[dict[str, Any]]) -> None:
    for case in cases:
        of_case = [line for line in lines if line.get("case_id") == case["id"]]
        said = [line["message"] for line in of_case]
        assert said == ["accepted", "understood", *["opinion"] * 5, "decided", "reviewed"]
        assert {line["trace_id"] for line in of_case} == {TRACE[3:35]}
        decided = of_case[-2]
        assert decided["outcome"] == case["decision"]["outcome"]
        assert decided["duration_ms"] > 0


def test_personal_data_is_in_no_log_metric_event_or_file(
    observed: Any, cases: list[dict[str, Any]], lines: list[dict[str, Any]], http_of_observed: httpx2.Client
) -> None:
    told = ["".join(observed.said), http_of_observed.get("/metrics").text, json.dumps(cases, ensure_ascii=False)]
    told += [http_of_observed.get(f"/api/v1/intents/{case['id']}/events").text for case in cases]
    told += [http_of_observed.get("/api/v1/intents").text, http_of_observed.get("/ready").text]
    folder = Path(f"/proc/{observed.process.pid}/cwd").resolve()
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert any(file.name == "hive.db" for file in files)
    everything = "\n".join(told).encode() + b"".join(file.read_bytes() for file in files)
    assert lines
    for value in PERSONAL:
        assert value.encode() not in everything, value
    assert not re.search(rb"529\D{0,3}982\D{0,3}247\D{0,3}25", everything)


@pytest.fixture
def http_of_observed(observed: Any) -> Iterator[httpx2.Client]:
    """A client of the hive that logs all it can."""
    with observed.client() as client:
        yield client


def test_it_emits_only_metrics_of_the_table(http_of_observed: httpx2.Client, cases: list[dict[str, Any]]) -> None:
    text = http_of_observed.get("/metrics").text
    known = {f"hive_{row.name}".removesuffix("_total") for row in TABLE} | {n.removesuffix("_total") for n, _, _ in PROCESS}
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert set(families) <= known
    posted = [s for s in families["hive_http_requests"].samples if s.labels["route"] == "/api/v1/intents"]
    assert sum(s.value for s in posted if s.labels["status"] == "2xx" and s.labels["method"] == "POST") == len(cases)
    reviews = families["hive_reviews"].samples
    assert sum(s.value for s in reviews) == len(cases)
    queues = {s.labels["queue"] for s in families["hive_queue_depth"].samples}
    assert queues == {"understanding", "background", "outbox", "filing"}
    assert len({s.labels["name"] for s in families["hive_model_info"].samples}) >= 6


def test_the_callers_trace_is_in_the_case_and_in_its_events(http_of_observed: httpx2.Client, cases: list[dict[str, Any]]) -> None:
    assert cases[0]["intent"]["trace"] == TRACE
    stream = http_of_observed.get(f"/api/v1/intents/{cases[0]['id']}/events").text
    events = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data: ")]
    assert {event["trace"] for event in events} == {TRACE}


def test_status_says_how_a_running_hive_is(observed: Any, cases: list[dict[str, Any]], hive_command: Callable[..., Any]) -> None:
    ran = hive_command("status", "--server", observed.url)
    assert (ran.returncode, ran.stderr) == (0, "")
    found = json.loads(ran.stdout)
    assert found["ready"]
    assert set(found["dependencies"]) >= {"ledger", "graph", "cache", "bus"}
    assert {s["name"]: s["n"] for s in found["specialists"]} == dict.fromkeys(
        ("architecture", "behavior", "business", "evolution", "technical"), len(cases)
    )
    assert sum(found["decisions"].values()) == len(cases)
    assert 0 < found["times"]["decision"]["p50_ms"] <= found["times"]["decision"]["p95_ms"]
    shown = hive_command("status", "--server", observed.url, "--text")
    assert shown.stdout.startswith("ready")
    assert all(word in shown.stdout for word in ("architecture", "ledger", "outbox", "p95 ms"))


def test_logs_follow_a_case_to_its_decision_and_to_what_people_said(
    observed: Any, cases: list[dict[str, Any]], hive_command: Callable[..., Any]
) -> None:
    with observed.client() as client:
        waiting = client.post("/api/v1/intents", json={"text": "Add a dark mode"}, headers={"Prefer": "respond-async"}).json()
    followed = hive_command("logs", "--follow", waiting["id"], "--server", observed.url)
    kinds = [json.loads(line)["type"] for line in followed.stdout.splitlines()]
    assert kinds == ["accepted", "understood", *["opinion"] * 5, "decided"]
    shown = hive_command("logs", cases[0]["id"], "--text", "--server", observed.url)
    assert [word for word in shown.stdout.split() if word in ("accepted", "understood", "decided", "reviewed")][-1] == "reviewed"
    assert "ms" in shown.stdout


@pytest.mark.parametrize("words", [("status",), ("logs", "01934f3a-7c1e-7b42-9d0e-3f6c5a1b2d4e")])
def test_without_a_running_hive_they_say_what_to_do(hive_command: Callable[..., Any], words: tuple[str, ...]) -> None:
    ran = hive_command(*words, "--server", "http://127.0.0.1:9")
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "hive up" in ran.stderr or "No hive answers" in ran.stderr
