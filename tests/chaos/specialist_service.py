"""One specialist behind real HTTP, in the test's own process, with whatever can be wrong with it."""

from __future__ import annotations

import asyncio
import json

from neural_hive.contracts import Brief
from neural_hive.specialists.engine import judge
from neural_hive.specialists.rubric import Rubric

#: How long a slow one takes, in seconds.
SLOW_S = 1.6


class Service:
    """One specialist behind real HTTP; `wrong` says what is wrong with it, or is empty."""

    def __init__(self, rubric: Rubric) -> None:
        self._rubric, self.wrong, self.port = rubric, "", 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen; on the same port as before, if it was open before."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 22)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and break what is connected."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await self._answer(await reader.readexactly(length), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        briefs = [Brief.model_validate(one) for one in json.loads(body)["briefs"]]
        opinions = [judge(self._rubric, brief).model_dump(mode="json") for brief in briefs]
        if self.wrong == "slow":
            await asyncio.sleep(SLOW_S)
        if self.wrong == "huge":
            opinions = [opinion | {"summary": "a" * 2_000_000} for opinion in opinions]
        if self.wrong == "NaN":
            opinions = [opinion | {"risk": float("nan"), "confidence": float("inf")} for opinion in opinions]
        content = b"\x00<html>busy" if self.wrong == "garbage" else json.dumps({"opinions": opinions}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)
        await writer.drain()
