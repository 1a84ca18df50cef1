"""Neo4j Community from its own jars, started by the small program in `Neo4j.java`."""

from __future__ import annotations

from pathlib import Path

from tests.servers.layout import installed
from tests.servers.maven import class_path, fetch
from tests.servers.product import Launch

_VERSION = "5.26.12"
_ARTEFACTS = (f"org.neo4j:neo4j:{_VERSION}", f"org.neo4j:neo4j-bolt:{_VERSION}")
_OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
)


class Neo4j:
    """One database named `neo4j`, reached by Bolt, without a password."""

    name = "neo4j"
    n_ports = 1

    def install(self) -> None:
        """See `Server.install`."""
        fetch(_ARTEFACTS, self._jars(), "neo4j.sha256")

    def version(self) -> str:
        """See `Server.version`."""
        return f"Neo4j Community {_VERSION}"

    def prepare(self, home: Path, ports: list[int]) -> Launch:
        """See `Server.prepare`."""
        program = Path(__file__).with_name("Neo4j.java")
        java = ["java", *_OPTIONS, "-cp", class_path(self._jars()), str(program)]
        return Launch([*java, str(home / "data"), str(ports[0])], ready="Neo4j is ready")

    def urls(self, home: Path, ports: list[int]) -> dict[str, str]:
        """See `Server.urls`."""
        return {"HIVE_TEST_NEO4J_URL": f"bolt://127.0.0.1:{ports[0]}"}

    def _jars(self) -> Path:
        return installed(f"neo4j-{_VERSION}")
