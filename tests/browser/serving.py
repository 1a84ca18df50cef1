"""The console on a real socket, in a thread of its own, around a hive in memory or a real one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fake_hive import FakeHive, console_app

from neural_hive.hive import open_hive
from neural_hive.settings import Settings


@dataclass
class Served:
    """A console that is being served. address: http://127.0.0.1:port."""

    hive: Any
    address: str
    loop: asyncio.AbstractEventLoop

    def release(self, n: int = 1) -> None:
        """Let the next events of a paced case happen."""
        self.loop.call_soon_threadsafe(self.hive.release, n)


def served(**chosen: Any) -> AbstractContextManager[Served]:
    """Serve a fake hive with the given settings until the end of the block."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[FakeHive]:
        yield FakeHive(Settings(**chosen))

    return _served(opened())


def served_for_real(folder: Path) -> AbstractContextManager[Served]:
    """Serve a real hive that keeps everything in `folder`, until the end of the block."""
    url = f"sqlite:///{folder / 'hive.db'}"
    return _served(open_hive(Settings(ledger_url=url, graph_url=url, bus_url=url)))


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._ready.set()


@contextmanager
def _served(opening: AbstractAsyncContextManager[Any]) -> Iterator[Served]:
    ready = threading.Event()
    shared: dict[str, Any] = {}

    async def run() -> None:
        try:
            async with opening as hive:
                app = console_app(hive)
                config = uvicorn.Config(app, port=0, log_level="error", loop="asyncio", timeout_graceful_shutdown=2)
                server = _Server(config, ready)
                shared.update(hive=hive, app=app, server=server, loop=asyncio.get_running_loop())
                await server.serve()
        finally:
            ready.set()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    ready.wait(60)
    port = shared["server"].servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(shared["hive"], f"http://127.0.0.1:{port}", shared["loop"])
    finally:
        shared["loop"].call_soon_threadsafe(shared["app"].state.closing.set)
        shared["server"].should_exit = True
        thread.join(20)
