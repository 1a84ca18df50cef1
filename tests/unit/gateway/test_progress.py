"""Server-sent events: in order, resumable, alive while nothing happens, ending with the decision."""

import asyncio
from typing import Any

import pytest

from neural_hive.gateway import progress

NAMES = ["architecture", "behavior", "business", "evolution", "technical"]
ALL = ["accepted", "understood", *(f"opinion:{name}" for name in NAMES), "decided"]


def ids(text: str, case_id: str) -> list[str]:
    return [line.removeprefix(f"id: {case_id}:") for line in text.splitlines() if line.startswith("id: ")]


async def create(client: Any) -> str:
    return str((await client.post("/api/v1/intents", json={"text": "a"})).json()["id"])


async def test_a_case_tells_what_happened_and_ends(client: Any) -> None:
    case_id = await create(client)
    response = await client.get(f"/api/v1/intents/{case_id}/events")
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert ids(response.text, case_id) == ALL
    assert response.text.count("event: opinion\n") == 5
    assert response.text.endswith("\n\n")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("accepted", ALL[1:]),
        ("understood", ALL[2:]),
        ("opinion:behavior", ["opinion:architecture", *ALL[4:]]),
        ("decided", []),
        ("nonsense", ALL),
    ],
)
async def test_a_stream_goes_on_after_what_was_seen(client: Any, seen: str, expected: list[str]) -> None:
    case_id = await create(client)
    response = await client.get(f"/api/v1/intents/{case_id}/events", headers={"Last-Event-ID": f"{case_id}:{seen}"})
    assert ids(response.text, case_id) == expected


async def test_an_event_of_another_case_means_nothing_here(client: Any) -> None:
    case_id = await create(client)
    response = await client.get(f"/api/v1/intents/{case_id}/events", headers={"Last-Event-ID": "other:decided"})
    assert ids(response.text, case_id) == ALL


async def test_silence_is_filled_with_comments(client: Any, hive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = await create(client)
    monkeypatch.setattr(progress, "KEEP_ALIVE_S", 0.01)
    hive.hold = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, hive.hold.set)
    response = await client.get(f"/api/v1/intents/{case_id}/events")
    assert ": keep-alive\n\n" in response.text
    assert ids(response.text, case_id) == ALL


async def test_streams_end_when_the_gateway_closes(client: Any, hive: Any) -> None:
    case_id = await create(client)
    hive.hold = asyncio.Event()
    app = client._transport.app
    asyncio.get_running_loop().call_soon(app.state.closing.set)
    response = await client.get(f"/api/v1/intents/{case_id}/events")
    assert ids(response.text, case_id) == ["accepted"]
