"""Keep-alive HTTP/1.1 to one address: a request's bytes out, an answer in, and nothing that a request between our services lacks.

A general client spends 1.1 to 1.6 ms of processor time on such a request, this 0.2 ms (2 cores, under load); with five specialists
that was more than all the judging. What an answer may be is left to httptools, the parser of our own servers.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

import httptools


class UnreachableError(Exception):
    """No connection could be made; the cause says why."""


class BrokenError(Exception):
    """The connection ended before the answer did, or what came is not HTTP."""


class TooLargeError(Exception):
    """The answer is larger than anybody wants to read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. headers: names in lower case; of one that comes twice, the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes


#: Sends a body with headers of its own and gives the answer; raises the three errors above.
Post = Callable[[bytes, Mapping[str, str]], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go.

    host, port: to connect to. head: the request line and the headers that every request has, each line with its CRLF.
    tls: for https. max_bytes: largest answer. keep_s: how long an idle connection is kept, in seconds.
    """

    host: str
    port: int
    head: bytes
    tls: ssl.SSLContext | None = None
    max_bytes: int = 1_000_000
    keep_s: float = 60.0


class Connections:
    """Connections to one target, made when they are needed; as many as there are requests at a time."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._idle: list[_Connection] = []
        self._is_closed = False

    async def post(self, content: bytes, headers: Mapping[str, str]) -> Reply:
        """See `Post`. Cancelling it ends the connection. A kept connection that ended meanwhile is replaced once, unseen."""
        extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = b"%s%sContent-Length: %d\r\n\r\n%s" % (self._target.head, extra.encode("ascii"), len(content), content)
        kept = self._kept()
        if kept is not None:
            try:
                return await self._ask(kept, request)
            except BrokenError:
                if kept.has_answered:
                    raise
        return await self._ask(await self._connect(), request)

    async def close(self) -> None:
        """End every idle connection; nothing can be sent any more."""
        self._is_closed = True
        for connection in self._idle:
            connection.abort()
        self._idle.clear()

    def _kept(self) -> _Connection | None:
        oldest_s = asyncio.get_running_loop().time() - self._target.keep_s
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.idle_since_s > oldest_s:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> _Connection:
        if self._is_closed:
            raise UnreachableError
        target, loop = self._target, asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(target.max_bytes), target.host, target.port, ssl=target.tls
            )
        except (OSError, ValueError) as error:  # ValueError: a host name that no name server would take
            raise UnreachableError from error
        return connection

    async def _ask(self, connection: _Connection, request: bytes) -> Reply:
        try:
            reply = await connection.ask(request)
        except BaseException:
            connection.abort()
            raise
        if connection.may_be_kept and not self._is_closed:
            connection.idle_since_s = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.abort()
        return reply


@dataclass(slots=True)
class _Answer:
    """An answer that is being read."""

    reply: asyncio.Future[Reply]
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    n_bytes: int = 0


class _Connection(asyncio.Protocol):
    """One connection, one request at a time. Its methods named `on_…` are those that httptools calls."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._transport: asyncio.Transport | None = None
        self._answer: _Answer | None = None
        self._parser = httptools.HttpResponseParser(self)
        self.is_open = self.may_be_kept = self.has_answered = False
        self.idle_since_s = 0.0

    async def ask(self, request: bytes) -> Reply:
        """Send a request and read its answer."""
        if self._transport is None or not self.is_open:
            raise BrokenError
        self._answer = _Answer(asyncio.get_running_loop().create_future())
        self._parser = httptools.HttpResponseParser(self)
        self.may_be_kept = self.has_answered = False
        self._transport.write(request)
        return await self._answer.reply

    def abort(self) -> None:
        """End it at once."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport, self.is_open = cast(asyncio.Transport, transport), True  # uvloop's is not derived from it

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self.is_open = False
        self._fail(BrokenError(), exc)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`. Bytes that nobody asked for end the connection."""
        answer = self._answer
        if answer is None or answer.reply.done():
            self.abort()
            return
        self.has_answered = True
        answer.n_bytes += len(data)
        if answer.n_bytes > 2 * self._max_bytes:  # chunks and headers count, too
            self._fail(TooLargeError())
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(BrokenError(), error)

    def on_message_begin(self) -> None:
        """An answer begins; a second one to the same request was not asked for."""
        if self._answer is not None and self._answer.reply.done():
            self.may_be_kept = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self._answer is not None and not self._answer.reply.done():
            self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self._answer is not None:
            self._answer.body += piece
            if len(self._answer.body) > self._max_bytes:
                self._fail(TooLargeError())

    def on_message_complete(self) -> None:
        """The answer is there, or only a word that it will come (1xx)."""
        answer, status = self._answer, self._parser.get_status_code()
        if answer is None or answer.reply.done():
            return
        if status < 200:
            answer.headers.clear()
            return
        self.may_be_kept = self._parser.should_keep_alive()
        answer.reply.set_result(Reply(status, MappingProxyType(answer.headers), bytes(answer.body)))

    def _fail(self, error: Exception, cause: BaseException | None = None) -> None:
        error.__cause__ = cause
        if self._answer is not None and not self._answer.reply.done():
            self._answer.reply.set_exception(error)
