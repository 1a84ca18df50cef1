"""Sound as it comes over a WebSocket: in order, bounded, and with an end."""

import asyncio
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

from neural_hive.errors import AudioRejectedError
from neural_hive.gateway import microphone
from neural_hive.gateway.microphone import Microphone
from neural_hive.gateway.refusals import IdleError, MalformedBodyError


class Socket:
    """Gives messages, then nothing."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = list(messages)

    async def receive(self) -> dict[str, Any]:
        if not self._messages:
            await asyncio.Event().wait()
        return {"type": "websocket.receive"} | self._messages.pop(0)


async def heard(*messages: dict[str, Any]) -> bytes:
    """All sound of some messages."""
    source = Microphone(Socket(*messages))  # type: ignore[arg-type]
    listening = asyncio.create_task(source.listen())
    try:
        return b"".join([piece async for piece in source.chunks()])
    finally:
        await listening


END = {"text": '{"type": "end"}'}


async def test_sound_comes_in_order_and_whole() -> None:
    assert await heard({"bytes": b"ab"}, {"bytes": bytes(2_000_000)}, {"bytes": b"cd"}, END) == b"ab" + bytes(2_000_000) + b"cd"
    assert await heard(END) == b""


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([{"bytes": b"abc"}], AudioRejectedError),
        ([{"bytes": bytes(2_000_000)}] * 2, AudioRejectedError),
        ([{"text": "[]"}], MalformedBodyError),
        ([{"text": '{"type": "start"}'}], MalformedBodyError),
        ([{"type": "websocket.disconnect", "code": 1006}], WebSocketDisconnect),
    ],
)
async def test_a_broken_rule_is_told_to_whoever_reads(messages: list[dict[str, Any]], error: type[Exception]) -> None:
    with pytest.raises(error):
        await heard(*messages)


async def test_a_connection_on_which_nothing_comes_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "IDLE_S", 0.01)
    with pytest.raises(IdleError):
        await heard({"bytes": b"ab"})
