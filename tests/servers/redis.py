"""Redis from the distribution's packages, unpacked below `.servers/` unless a `redis-server` is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.servers.debian import libraries, unpack
from tests.servers.layout import installed
from tests.servers.product import Launch

_PACKAGES = ("redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1")


class Redis:
    """A cache that loses its values when it stops, as a cache may."""

    name = "redis"
    n_ports = 1

    def install(self) -> None:
        """See `Server.install`."""
        if shutil.which("redis-server") is None and not self._binary().exists():
            unpack(_PACKAGES, installed(self.name))

    def version(self) -> str:
        """See `Server.version`."""
        answer = subprocess.run(
            [str(self._binary()), "--version"], env=self._environment(), capture_output=True, text=True, check=True
        )
        return "Redis " + answer.stdout.split("v=")[1].split()[0]

    def prepare(self, home: Path, ports: list[int]) -> Launch:
        """See `Server.prepare`."""
        options = ["--bind", "127.0.0.1", "--port", str(ports[0]), "--save", "", "--appendonly", "no"]
        return Launch([str(self._binary()), *options], self._environment(), ready="Ready to accept connections")

    def urls(self, home: Path, ports: list[int]) -> dict[str, str]:
        """See `Server.urls`."""
        return {"HIVE_TEST_REDIS_URL": f"redis://127.0.0.1:{ports[0]}/0"}

    def _environment(self) -> dict[str, str]:
        return libraries(installed(self.name))

    def _binary(self) -> Path:
        found = shutil.which("redis-server")
        return Path(found) if found else installed(self.name) / "usr" / "bin" / "redis-server"
