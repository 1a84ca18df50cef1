"""A whole cluster of one test: servers of its own, five specialists, gateways and workers, each a process that can be killed or frozen."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.conftest import HIVE, RunningHive, clean_environment
from tests.servers import layout, process
from tests.servers.product import Launch, Server, ServerError
from tests.servers.products import SERVERS

NAMES = ("architecture", "behavior", "business", "evolution", "technical")
#: Server → the setting that it is behind.
SETTINGS = {
    "mongodb": "HIVE_LEDGER_URL",
    "neo4j": "HIVE_GRAPH_URL",
    "redis": "HIVE_CACHE_URL",
    "kafka": "HIVE_BUS_URL",
    "mlflow": "HIVE_MODELS_URL",
}
#: Longest that anything may take to come back on a busy machine, in seconds.
PATIENCE_S = 180.0


class OwnServer:
    """A product of `tests.servers` with data, ports and a process of its own, so that other tests keep theirs."""

    def __init__(self, product: Server, owner: str) -> None:
        self._product = product
        self.product, self.name, self.n_ports = product.name, f"{product.name}@{owner}", product.n_ports

    def install(self) -> None:
        """See `Server.install`."""
        self._product.install()

    def version(self) -> str:
        """See `Server.version`."""
        return self._product.version()

    def prepare(self, home: Path, ports: list[int]) -> Launch:
        """See `Server.prepare`."""
        return self._product.prepare(home, ports)

    def urls(self, home: Path, ports: list[int]) -> dict[str, str]:
        """See `Server.urls`."""
        return self._product.urls(home, ports)

    @property
    def url(self) -> str:
        """Where clients reach it; the same after every start."""
        home = layout.running(self.name)
        return next(iter(self.urls(home, process.ports_of(self)).values()))

    # what the monkey does
    def start(self) -> None:
        """Run it, and wait until it is ready."""
        process.start(self)

    def kill(self) -> None:
        """End it without notice."""
        process.stop(self.name, hard=True)

    def freeze(self) -> None:
        """Let it keep its connections and answer nothing."""
        process.freeze(self.name)

    def thaw(self) -> None:
        """Let it go on."""
        with suppress(ServerError):
            process.thaw(self.name)


@dataclass(slots=True)
class Role:
    """One process of the hive on a port of its own, which it keeps from start to start."""

    name: str
    words: tuple[str, ...]
    folder: Path
    settings: Mapping[str, str]
    port: int = 0
    running: RunningHive | None = None
    up_since_s: float = math.inf

    @property
    def url(self) -> str:
        """Where it listens, or will."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it, and wait until it listens."""
        self.kill()
        self.port = self.port or free_port()
        environment = clean_environment() | dict(self.settings) | {"HIVE_PORT": str(self.port)}
        child = subprocess.Popen(
            [HIVE, *self.words], cwd=self.folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.running = RunningHive(child)
        self.running.wait_until_it_listens(PATIENCE_S)
        self.up_since_s = time.monotonic()

    def kill(self) -> None:
        """End it without notice."""
        self.up_since_s = math.inf
        if self.running is not None:
            self.running.kill()
            self.running = None

    def freeze(self) -> None:
        """Let it keep its connections and answer nothing."""
        assert self.running is not None
        self.running.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self.running is not None:
            self.running.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        assert self.running is not None
        return self.running.stop()

    def get(self, path: str) -> Any:
        """The answer to a GET, with its status."""
        assert self.running is not None
        with self.running.client() as http:
            return http.get(path)


@dataclass(slots=True)
class Cluster:
    """Servers by product, and roles by name."""

    folder: Path
    servers: dict[str, OwnServer]
    roles: dict[str, Role] = field(default_factory=dict)
    token: str = "between-services"

    def stores(self, **instead: str) -> dict[str, str]:
        """The settings that name the servers."""
        database = f"/{self.folder.name.replace('-', '_')[-30:]}"
        urls = {SETTINGS[name]: server.url for name, server in self.servers.items()}
        urls["HIVE_LEDGER_URL"] += database
        urls["HIVE_BUS_URL"] += database
        return urls | {"HIVE_SPECIALISTS__TOKEN": self.token, "HIVE_RATE_LIMIT_PER_MINUTE": "100000"} | instead

    def role(self, name: str, *words: str, **settings: str) -> Role:
        """A role that is not started yet."""
        self.roles[name] = Role(name, ("serve", *words), self.folder, self.stores(**settings))
        return self.roles[name]

    def start_specialists(self) -> dict[str, str]:
        """Start all five; the settings that send a gateway to them."""
        roles = [self.role(f"specialist-{name}", "specialist", name) for name in NAMES]
        together(roles)
        return {f"HIVE_SPECIALISTS__{name.upper()}_URL": role.url for name, role in zip(NAMES, roles, strict=True)}


def together(things: Any) -> None:
    """Start things at the same time."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda thing: thing.start(), things))


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Servers of its own that run; whatever runs at the end is killed. Skips where they cannot be had, unless they are required."""
    owner = f"{os.getpid()}"
    servers = {name: OwnServer(SERVERS[name], owner) for name in SETTINGS}
    found = Cluster(folder, servers)
    try:
        try:
            for server in servers.values():
                server.install()
            together(servers.values())
        except ServerError as error:
            _cannot(str(error))
        yield found
    finally:
        for role in found.roles.values():
            role.thaw()
            role.kill()
        for server in servers.values():
            server.thaw()
            server.kill()
            process.forget(server.name)


def _cannot(reason: str) -> None:
    if "chaos" in os.environ.get("HIVE_TEST_REQUIRE", "").split(","):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: str, is_so: Any) -> None:
    """Ask again and again; fails when it is not so in time."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < give_up_at, f"{what}: not within {PATIENCE_S:g} s"
        threading.Event().wait(0.2)
