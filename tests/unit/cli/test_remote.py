"""A hive behind a URL."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from cli_fakes import CASE_ID, case

from neural_hive.cli import remote
from neural_hive.cli.remote import RemoteHive, base_url
from neural_hive.contracts import Ask, Caller, Outcome, Page
from neural_hive.errors import (
    ForbiddenError,
    HiveError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    UsageError,
)
from neural_hive.ports import CaseQuery

Handler = Callable[[httpx2.Request], httpx2.Response]


def hive_at(handler: Handler) -> RemoteHive:
    """A client whose server is a function."""
    return RemoteHive(httpx2.AsyncClient(transport=httpx2.MockTransport(handler), base_url="http://hive.test"))


def answering(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Handler:
    return lambda _: httpx2.Response(status, json=body, headers=headers)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_: float) -> None:
        return

    monkeypatch.setattr(remote.asyncio, "sleep", at_once)


async def test_a_case_comes_back_whole() -> None:
    hive = hive_at(lambda _: httpx2.Response(201, content=case().model_dump_json()))
    assert await hive.ask(Ask(text="x"), Caller()) == case()


async def test_a_retry_carries_the_same_key_so_that_one_intent_is_one_case() -> None:
    keys: list[str] = []

    def busy_twice(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 3:
            return httpx2.Response(201, content=case().model_dump_json())
        return httpx2.Response(429, json={"detail": "busy"}, headers={"Retry-After": "1"})

    await hive_at(busy_twice).ask(Ask(text="x"), Caller())
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_a_server_that_stays_busy_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="busy"):
        await hive_at(answering(429, {"detail": "busy"})).ask(Ask(text="x"), Caller())


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, UnauthenticatedError), (403, ForbiddenError), (404, NotFoundError), (422, UsageError), (500, HiveError)],
)
async def test_a_problem_is_the_error_it_was_there(status: int, kind: type[HiveError]) -> None:
    with pytest.raises(kind, match="said the server"):
        await hive_at(answering(status, {"detail": "said the server"})).case("", CASE_ID)


async def test_what_is_no_hive_is_said_to_be_none() -> None:
    with pytest.raises(HiveError, match="no hive of this version"):
        await hive_at(answering(200, {"hello": "world"})).case("", CASE_ID)
    with pytest.raises(HiveError, match="answered 404"):
        await hive_at(lambda _: httpx2.Response(404, text="<html>")).verify()


async def test_a_broken_connection_is_told_with_the_address() -> None:
    def gone(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadError("reset")

    with pytest.raises(UnavailableError, match=r"hive\.test"):
        await hive_at(gone).verify()


async def test_a_batch_keeps_its_order_and_sends_only_what_is_set() -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        seen.append(body)
        return httpx2.Response(201, content=case(text=body["text"]).model_dump_json())

    understood = await hive_at(answer).understand([str(n) for n in range(30)], ["pt"] + [None] * 29)
    assert [u.keywords for u in understood] == [(str(n),) for n in range(30)]
    assert {"text": "0", "language": "pt"} in seen
    assert {"text": "7"} in seen


async def test_the_queue_and_the_search_are_asked_where_they_are() -> None:
    paths: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.raw_path.decode())
        return httpx2.Response(200, content=Page(items=(), next_cursor=None).model_dump_json())

    await hive_at(answer).cases(CaseQuery("default", limit=7, cursor="c", waiting=True))
    await hive_at(answer).cases(CaseQuery("default", outcome=Outcome.REJECTED, text="apagar"))
    assert paths == ["/api/v1/reviews?limit=7&cursor=c", "/api/v1/intents?limit=50&outcome=rejected&q=apagar"]


async def test_an_openai_answer_becomes_a_transcript() -> None:
    said = {
        "text": "Olá.",
        "language": "portuguese",
        "duration": 1.5,
        "segments": [{"text": " Olá.", "start": 0.0, "end": 1.5, "avg_logprob": -0.3}],
    }
    heard = await hive_at(answering(200, said)).transcribe(b"sound")
    assert (heard.text, heard.language, heard.duration_s, heard.has_speech) == ("Olá.", "pt", 1.5, True)
    assert heard.segments[0].text == "Olá."


@pytest.mark.parametrize("case_id", ["", "../../metrics", "a b", "x?y"])
async def test_an_id_cannot_change_the_path(case_id: str) -> None:
    with pytest.raises(UsageError):
        await hive_at(answering(200, {})).case("", case_id)


@pytest.mark.parametrize(
    ("given", "used"),
    [("http://h:8000/", "http://h:8000"), ("https://h/hive/api/v1", "https://h/hive"), ("http://h", "http://h")],
)
def test_the_address_may_be_written_in_several_ways(given: str, used: str) -> None:
    assert base_url(given) == used


def test_an_address_without_a_scheme_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="http://127"):
        base_url("localhost:8000")
