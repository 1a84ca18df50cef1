"""The console on a real socket, in a thread of its own, around a hive in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fake_hive import FakeHive, console_app

from neural_hive.settings import Settings


@dataclass
class Served:
    """A console that is being served. address: http://127.0.0.1:port."""

    hive: FakeHive
    address: str
    loop: asyncio.AbstractEventLoop

    def release(self, n: int = 1) -> None:
        """Let the next events of a paced case happen."""
        self.loop.call_soon_threadsafe(self.hive.release, n)


@contextmanager
def served(**chosen: Any) -> Iterator[Served]:
    """Serve a fake hive with the given settings until the end of the block."""
    hive = FakeHive(Settings(**chosen))
    app = console_app(hive)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", loop="asyncio", timeout_graceful_shutdown=2))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(hive, f"http://127.0.0.1:{port}", loop)
    finally:
        loop.call_soon_threadsafe(app.state.closing.set)
        server.should_exit = True
        thread.join(10)
        loop.close()
