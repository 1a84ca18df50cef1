"""Messages between the hive and its speech worker: a JSON head and raw bytes, each with its length before it."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTHS = struct.Struct("<IQ")
_MAX_HEAD, _MAX_BODY = 16 << 20, 64 << 20


def send(connection: socket.socket, head: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Send one message.

    Raises:
        OSError: the other side is gone, or does not read within the socket's time-out.
    """
    raw = json.dumps(head).encode()
    connection.sendall(_LENGTHS.pack(len(raw), len(body)) + raw)
    connection.sendall(body)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytearray]:
    """Receive one message.

    Raises:
        EOFError: the other side is gone.
        OSError: nothing came within the socket's time-out (TimeoutError), or the connection broke.
        ValueError: what came is not a message.
    """
    n_head, n_body = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size))
    if n_head > _MAX_HEAD or n_body > _MAX_BODY:
        raise ValueError("a message of impossible size")
    head = json.loads(_exactly(connection, n_head))
    return head, _exactly(connection, n_body)


def _exactly(connection: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        n = connection.recv_into(view[at:])
        if n == 0:
            raise EOFError("the other side closed the connection")
        at += n
    return data
