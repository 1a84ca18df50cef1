"""uvicorn as every service runs it: one process, uvloop, no access log, a graceful end within ten seconds."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast

import uvicorn
from fastapi import FastAPI

from neural_hive.errors import HiveError
from neural_hive.gateway.protocol import HiveProtocol

#: Time for answers that are under way when the process is told to stop, in seconds.
GRACE_S = 6
#: Idle connections are kept this long, in seconds; proxies commonly close theirs after 60, and should be first.
KEEP_ALIVE_S = 75
#: Before that, idle connections get so long to be used once more and told to close: a request that is on its way is not lost.
FAREWELL_S, _LOOK_S = 2.0, 0.02
#: Largest message of a WebSocket, in bytes: 30 s of sound.
MAX_MESSAGE_BYTES = 1_000_000
_BACKLOG = 2048
_STOP = (signal.SIGINT, signal.SIGTERM)


class AddressError(HiveError):
    """The address cannot be listened on; choose another HIVE_HOST or HIVE_PORT."""

    code = "address"


class HiveServer(uvicorn.Server):
    """Says when it is ready, ends streams when it stops, and returns from `serve` instead of re-raising the signal."""

    def __init__(self, app: FastAPI, on_ready: Callable[[], None]) -> None:
        super().__init__(_config(app))
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, then say so."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: they would hold their connections open for as long as we wait. Then tell whoever asks to leave."""
        self._app.state.closing.set()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                while self.server_state.connections and not self.force_exit:  # noqa: ASYNC110 - uvicorn tells nobody when one ends
                    await asyncio.sleep(_LOOK_S)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn raises the signal again at the end, which would kill the process before the hive is closed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in _STOP:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _STOP:
                loop.remove_signal_handler(number)


def _websocket(*arguments: Any, **named: Any) -> asyncio.Protocol:
    """A WebSocket's connection; its library is loaded with the first one, not at every start."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    return WebSocketsSansIOProtocol(*arguments, **named)


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=HiveProtocol,
        ws=cast("type[asyncio.Protocol]", _websocket),
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; `port` 0 takes a free one.

    Raises:
        AddressError: the address is not ours, or in use. The message names the setting.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise AddressError(f"HIVE_HOST: {host!r} is no address of this machine ({error.strerror}).") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        advice = "stop what listens there or choose another HIVE_PORT (0 takes a free one)"
        raise AddressError(f"HIVE_PORT: cannot listen on {host}:{port} ({error.strerror}); {advice}.") from error
    return listener


def address_of(listener: socket.socket) -> str:
    """http://host:port of a listening socket, as this machine reaches it: loopback where it listens on every address."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def keep_what_is_loaded() -> None:
    """Spare the collector what stays for good: 140,000 objects, 50 ms and more of standstill at every full collection.

    Source: `gc.freeze` in the Python documentation.
    """
    gc.collect()
    gc.freeze()


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` to its end on uvloop, where there is one."""
    try:
        from uvloop import new_event_loop
    except ModuleNotFoundError:
        asyncio.run(main)
        return
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main)
