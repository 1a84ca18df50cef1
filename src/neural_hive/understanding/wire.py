"""Messages between the hive and its worker processes: a JSON head and raw bytes, each with its length before it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import orjson

_LENGTHS = struct.Struct("<IQ")
_MAX_HEAD, _MAX_BODY = 16 << 20, 64 << 20


def packed(head: dict[str, Any], body: bytes | memoryview = b"") -> bytes:
    """One message as it travels."""
    raw = orjson.dumps(head)
    return b"".join((_LENGTHS.pack(len(raw), len(body)), raw, body))


def send(connection: socket.socket, head: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Send one message.

    Raises:
        OSError: the other side is gone, or does not read within the socket's time-out.
    """
    raw = orjson.dumps(head)
    connection.sendall(_LENGTHS.pack(len(raw), len(body)) + raw)
    connection.sendall(body)


async def receive_from(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """Receive one message on the event loop.

    Raises:
        EOFError: the other side is gone.
        OSError: the connection broke.
        ValueError: what came is not a message.
    """
    n_head, n_body = _sizes(await reader.readexactly(_LENGTHS.size))
    head = orjson.loads(await reader.readexactly(n_head))
    return head, await reader.readexactly(n_body) if n_body else b""


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytearray]:
    """Receive one message.

    Raises:
        EOFError: the other side is gone.
        OSError: nothing came within the socket's time-out (TimeoutError), or the connection broke.
        ValueError: what came is not a message.
    """
    n_head, n_body = _sizes(_exactly(connection, _LENGTHS.size))
    head = orjson.loads(_exactly(connection, n_head))
    return head, _exactly(connection, n_body)


def _sizes(raw: bytes | bytearray) -> tuple[int, int]:
    n_head, n_body = _LENGTHS.unpack(raw)
    if n_head > _MAX_HEAD or n_body > _MAX_BODY:
        raise ValueError("a message of impossible size")
    return n_head, n_body


def _exactly(connection: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        n = connection.recv_into(view[at:])
        if n == 0:
            raise EOFError("the other side closed the connection")
        at += n
    return data
