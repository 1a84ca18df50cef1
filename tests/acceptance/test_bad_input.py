"""What the worst clients send to a real hive: it says no, says why, and goes on."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

JSON = {"content-type": "application/json"}
MEGABYTE = 1_000_000

BAD: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"Apagar as contas",
    "no text": b"{}",
    "an empty text": b'{"text": ""}',
    "a blank text": b'{"text": "  \\n"}',
    "a text of zero width": b'{"text": "\\u200b\\u200d"}',
    "20 kB of text": json.dumps({"text": "apagar " * 2900}).encode(),
    "a number for a text": b'{"text": 7}',
    "an array for a text": b'{"text": ["a"]}',
    "NUL": b'{"text": "a\\u0000b"}',
    "a raw NUL": b'{"text": "a\x00b"}',
    "a lone surrogate": b'{"text": "a \\ud800"}',
    "a raw surrogate": b'{"text": "a \xed\xa0\x80"}',
    "not UTF-8": b'{"text": "caf\xe9"}',
    "NaN": b'{"text": "a", "context": {"b": NaN}}',
    "a name twice": b'{"text": "a", "text": "b"}',
    "an unknown field": b'{"text": "a", "priority": 1}',
    "an unknown language": b'{"text": "a", "language": "xx"}',
    "a deep nesting": b'{"text": "a", "context": {"b":' + b"[" * 900 + b"]" * 900 + b"}}",
    "a plan in a circle": b'{"text": "a", "plan": {"tasks": [{"id": "a", "depends_on": ["a"]}]}}',
    "a plan that waits for nothing known": b'{"text": "a", "plan": {"tasks": [{"id": "a", "depends_on": ["b"]}]}}',
    "a plan with a task twice": b'{"text": "a", "plan": {"tasks": [{"id": "a"}, {"id": "a"}]}}',
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_body_is_a_problem_and_the_hive_goes_on(http: httpx2.Client, kind: str) -> None:
    response = http.post("/api/v1/intents", content=BAD[kind], headers=JSON)
    problem = response.json()
    assert 400 <= response.status_code < 500
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status_code
    assert problem["detail"]
    assert http.get("/health").json()["status"] == "healthy"


def test_twelve_megabytes_are_refused(http: httpx2.Client) -> None:
    body = b'{"text": "' + b"a" * 12 * MEGABYTE + b'"}'
    assert http.post("/api/v1/intents", content=body, headers=JSON).status_code == 413
    assert http.get("/health").status_code == 200


def test_twelve_megabytes_without_a_length_are_refused(http: httpx2.Client) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"text": "'
        for _ in range(120):
            yield b"a" * 100_000

    assert http.post("/api/v1/intents", content=chunks(), headers=JSON).status_code == 413
    assert http.get("/health").status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_another_content_type_is_refused(http: httpx2.Client, content_type: str) -> None:
    response = http.post("/api/v1/intents", content=b'{"text": "a"}', headers={"content-type": content_type})
    assert response.status_code == 415


@pytest.mark.parametrize("cursor", ["nope", "../..", "01a208f4-1a32-7251-a61a-e009a278bc2f", "\u20ac", "'; --"])
def test_a_cursor_from_nowhere_breaks_nothing(http: httpx2.Client, cursor: str) -> None:
    assert http.get("/api/v1/intents", params={"cursor": cursor}).status_code in {200, 422}


@pytest.mark.parametrize("q", ['"', "a AND", "NEAR(", "%", "*", "\u200b", "' OR 1=1 --", "a" * 200])
def test_a_strange_search_breaks_nothing(http: httpx2.Client, q: str) -> None:
    assert http.get("/api/v1/intents", params={"q": q}).status_code in {200, 422}


def raw(address: tuple[str, int], *parts: bytes) -> bytes:
    """Everything that the hive answers to these bytes."""
    with socket.create_connection(address, timeout=30) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                break
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nothing of the kind\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/v1/intents HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_problem_too(running_hive: Any, http: httpx2.Client, request_bytes: bytes) -> None:
    answer = raw(running_hive.address, request_bytes)
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"application/problem+json" in answer
    assert http.get("/health").status_code == 200


def test_a_client_that_hangs_up_halfway_breaks_nothing(running_hive: Any, http: httpx2.Client) -> None:
    head = b"POST /api/v1/intents HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for _ in range(5):
        raw(running_hive.address, head + b"Content-Length: 500\r\n\r\n", b'{"text": "Apagar')
    assert http.post("/api/v1/intents", json={"text": "Apagar as contas"}).status_code == 201
    assert not any("Traceback" in line for line in running_hive.said)
