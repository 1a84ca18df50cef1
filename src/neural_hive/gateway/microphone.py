"""Sound that a client sends over a WebSocket: read as it comes, handed on as fast as it is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from neural_hive.errors import AudioRejectedError, HiveError
from neural_hive.gateway.refusals import IdleError, MalformedBodyError
from neural_hive.understanding.speech.streaming import SAMPLE_RATE_HZ

#: Longest that a client may talk, in seconds of sound; it bounds what is kept of a client that sends faster than we hear.
MAX_SOUND_S = 120.0
#: Longest silence of a connection, in seconds. A microphone that is on sends silence as sound.
IDLE_S = 10.0
_BYTES_PER_S = 2 * SAMPLE_RATE_HZ
#: Most that is handed on at once, in bytes: a stream takes 30 s.
_PIECE_BYTES = 10 * _BYTES_PER_S


async def next_message(socket: WebSocket) -> bytes | dict[str, Any]:
    """Sound, or a JSON object.

    Raises:
        IdleError: nothing came for `IDLE_S` seconds.
        MalformedBodyError: text that is no JSON object.
        WebSocketDisconnect: the client went away.
    """
    try:
        async with asyncio.timeout(IDLE_S):
            message = await socket.receive()
    except TimeoutError as error:
        raise IdleError from error
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
    sound = message.get("bytes")
    return sound if sound is not None else _object(message.get("text") or "")


def _object(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedBodyError("Text messages are JSON objects; send sound as binary messages.") from error
    if not isinstance(found, dict):
        raise MalformedBodyError("Text messages are JSON objects; send sound as binary messages.")
    return found


class Microphone:
    """Collects what comes; `listen` must run as a task of its own while `chunks` is read."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._sound = bytearray()
        self._n_bytes = 0
        self._news = asyncio.Event()
        self._is_over = False
        self._failure: HiveError | WebSocketDisconnect | None = None

    async def listen(self) -> None:
        """Read until the client says that it is done, goes away or breaks a rule; `chunks` raises what happened."""
        try:
            while not self._is_over:
                self._take(await next_message(self._socket))
                self._news.set()
        except (HiveError, WebSocketDisconnect) as error:
            self._failure = error
            self._news.set()

    def _take(self, message: bytes | dict[str, Any]) -> None:
        if isinstance(message, dict):
            if message.get("type") != "end":
                raise MalformedBodyError('After "start" send sound, or {"type": "end"}.')
            self._is_over = True
            return
        self._n_bytes += len(message)
        if len(message) % 2:
            raise AudioRejectedError("A message ends within a sample; send 16-bit samples, mono, 16 kHz.")
        if self._n_bytes > MAX_SOUND_S * _BYTES_PER_S:
            raise AudioRejectedError(f"More than {MAX_SOUND_S:.0f} s came without an end; pause, and say it in fewer words.")
        self._sound += message

    async def chunks(self) -> AsyncIterator[bytes]:
        """Sound in order, whatever has come since the last piece; ends when the client is done.

        Raises:
            HiveError: the client broke a rule.
            WebSocketDisconnect: the client went away.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            while self._sound and self._failure is None:
                piece = bytes(self._sound[:_PIECE_BYTES])
                del self._sound[:_PIECE_BYTES]
                yield piece
            if self._failure is not None:
                raise self._failure
            if self._is_over and not self._sound:
                return
