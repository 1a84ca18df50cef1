"""SecantusDB: MongoDB's wire protocol and error codes on WiredTiger, MongoDB's own storage engine; synced at each commit.

It stands in for MongoDB, whose server is in no package registry: what it proves is the protocol, unique keys, atomic
single-document updates and durability, not replication.
"""

from __future__ import annotations

from pathlib import Path

from tests.servers.layout import installed
from tests.servers.product import Launch
from tests.servers.python import environment

_VERSION = "0.7.0b3"


class MongoDB:
    """One node, without a replica set."""

    name = "mongodb"
    n_ports = 1

    def install(self) -> None:
        """See `Server.install`."""
        environment(self._folder(), "mongodb.txt")

    def version(self) -> str:
        """See `Server.version`."""
        return f"SecantusDB {_VERSION} (MongoDB protocol on WiredTiger)"

    def prepare(self, home: Path, ports: list[int]) -> Launch:
        """See `Server.prepare`."""
        options = ["--host", "127.0.0.1", "--port", str(ports[0]), "--storage-path", str(home / "data")]
        program = ["-c", "import sys; from secantus.cli import main; sys.exit(main())"]
        return Launch([str(self._folder() / "bin" / "python"), *program, *options, "--sync-on-commit"])

    def urls(self, home: Path, ports: list[int]) -> dict[str, str]:
        """See `Server.urls`."""
        return {"HIVE_TEST_MONGODB_URL": f"mongodb://127.0.0.1:{ports[0]}"}

    def _folder(self) -> Path:
        return installed(f"secantusdb-{_VERSION}")
