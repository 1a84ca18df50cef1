"""The HTTP parser's connection: what is no HTTP at all gets a problem too, and headers cannot grow without end."""

from __future__ import annotations

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from neural_hive.gateway.headers import NO_STORE, SECURITY_HEADERS, request_id
from neural_hive.gateway.problems import MEDIA_TYPE, TYPE_PREFIX, title
from neural_hive.gateway.refusals import MalformedRequestError

#: Most bytes of a request's address and headers together. Source: nginx, large_client_header_buffers (4 × 8 kB).
MAX_HEAD_BYTES = 32_768


class HeadTooLargeError(Exception):
    """Stops the parser; it answers 400 and closes."""


class HiveProtocol(HttpToolsProtocol):
    """uvicorn's httptools protocol with two changes of ours."""

    _n_head_bytes = 0

    def on_message_begin(self) -> None:
        """A new request begins."""
        self._n_head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Part of the address came."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, n_bytes: int) -> None:
        self._n_head_bytes += n_bytes
        if self._n_head_bytes > MAX_HEAD_BYTES:
            raise HeadTooLargeError

    def send_400_response(self, msg: str) -> None:
        """Answer what could not be parsed, and close."""
        error, own_id = MalformedRequestError(), request_id(None)
        body = orjson.dumps(
            {
                "type": TYPE_PREFIX + error.code,
                "title": title(error),
                "status": error.status,
                "detail": f"{error} Address and headers may have {MAX_HEAD_BYTES} bytes.",
                "instance": "",
                "request_id": own_id,
            }
        )
        head = [*SECURITY_HEADERS, NO_STORE, (b"x-request-id", own_id.encode())]
        head += [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%s: %s\r\n" % pair for pair in [*self.server_state.default_headers, *head])
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + lines + b"\r\n" + body)
        self.transport.close()
