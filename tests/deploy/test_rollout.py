"""A rolling update under load: two gateways are replaced one after the other, clients keep their connections, no request is lost."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HIVE = str(Path(sys.executable).with_name("hive"))
PATIENCE_S = 60.0
N_CLIENTS = 8
#: Requests of each client before, between and after the two restarts.
N_CALM = 5
_LISTENING = re.compile(r"listening on http://\S+:(\d+)")


@dataclass(slots=True)
class Replica:
    """One gateway."""

    process: Process
    port: int
    listener: asyncio.Task[bytes]

    async def replace(self, folder: Path) -> Replica:
        """What Kubernetes does: end it as it asks to be ended, and start another."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            assert await self.process.wait() == 0
        return await start(folder)


@dataclass(slots=True)
class Load:
    """Clients that keep their connections, as a proxy does. ports: the replicas that the service has now."""

    ports: set[int] = field(default_factory=set)
    answered: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def client(self, name: int) -> None:
        """Ask until told to stop, with pauses, over a connection that is kept until the server ends it."""
        chance, number = random.Random(name), 0
        while not self.stopping.is_set():
            reader, writer = await asyncio.open_connection("127.0.0.1", chance.choice(sorted(self.ports)))
            is_kept = True
            while is_kept and not self.stopping.is_set():
                number += 1
                try:
                    is_kept = await self._ask(reader, writer, f"Add a report about room {name}-{number}")
                except (OSError, EOFError) as error:
                    self.lost.append(f"client {name}: {error!r}")
                    is_kept = False
                await asyncio.sleep(chance.random() * 0.02)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: str) -> bool:
        body = json.dumps({"text": text}).encode()
        head = f"POST /api/v1/intents HTTP/1.1\r\nHost: hive\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(re.search(r"content-length: (\d+)", answer)[1])  # type: ignore[index]
        case = json.loads(await reader.readexactly(length))
        if answer.split()[1] != "201":
            self.lost.append(f"{answer.splitlines()[0]}: {case}")
        self.answered.append(case.get("id", ""))
        self.came.set()
        return "connection: close" not in answer

    async def answers(self, n_more: int) -> None:
        """Wait until so many more were answered."""
        enough = len(self.answered) + n_more
        async with asyncio.timeout(PATIENCE_S):
            while len(self.answered) < enough:
                self.came.clear()
                await self.came.wait()


async def start(folder: Path) -> Replica:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HIVE_")}
    environment |= {"HIVE_RATE_LIMIT_PER_MINUTE": "0", "HIVE_INSECURE": "true", "HIVE_HOST": "0.0.0.0", "HIVE_PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        HIVE, "serve", "gateway", cwd=folder, env=environment, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_S):
        while line := await process.stderr.readline():
            if found := _LISTENING.search(line.decode()):
                reading = asyncio.create_task(process.stderr.read())  # a full pipe would stop the process
                return Replica(process, int(found[1]), reading)
    raise AssertionError(f"the gateway ended with {await process.wait()}")


async def roll_out(folder: Path, on_step: Callable[[str, Load], None] = lambda _step, _load: None) -> Load:
    """Replace both replicas while clients ask; what was answered and what was lost."""
    load = Load()
    replicas = [await start(folder), await start(folder)]
    load.ports = {replica.port for replica in replicas}
    clients = [asyncio.create_task(load.client(name)) for name in range(N_CLIENTS)]
    try:
        for number in range(len(replicas)):
            await load.answers(N_CALM * N_CLIENTS)
            load.ports.discard(replicas[number].port)  # the service sends no new connection; the old ones stay
            await load.answers(N_CLIENTS)
            replicas[number] = await replicas[number].replace(folder)
            load.ports.add(replicas[number].port)
            on_step(f"replaced {number + 1}", load)
        await load.answers(N_CALM * N_CLIENTS)
        load.stopping.set()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*clients)
    finally:
        for replica in replicas:
            with suppress(ProcessLookupError):
                replica.process.kill()
            await replica.process.wait()
    return load


@pytest.mark.slow
async def test_a_rolling_update_under_load_loses_no_request(tmp_path: Path) -> None:
    load = await roll_out(tmp_path)
    assert load.lost == []
    assert len(set(load.answered)) == len(load.answered) >= 3 * N_CALM * N_CLIENTS
