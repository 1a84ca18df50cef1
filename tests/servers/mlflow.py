"""The MLflow server from the Python package index, with its records and artefacts in its own folder."""

from __future__ import annotations

from pathlib import Path

from tests.servers.layout import installed
from tests.servers.product import Launch
from tests.servers.python import environment

_VERSION = "3.17.2"


class MLflow:
    """One worker, without authentication."""

    name = "mlflow"
    n_ports = 1

    def install(self) -> None:
        """See `Server.install`."""
        environment(self._folder(), "mlflow.txt")

    def version(self) -> str:
        """See `Server.version`."""
        return f"MLflow {_VERSION}"

    def prepare(self, home: Path, ports: list[int]) -> Launch:
        """See `Server.prepare`."""
        where = ["--host", "127.0.0.1", "--port", str(ports[0]), "--workers", "1"]
        stores = ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", f"{home}/artifacts"]
        python = str(self._folder() / "bin" / "python")
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "PATH": f"{self._folder()}/bin:/usr/bin:/bin"}
        quiet["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # half a dozen processes that a registry does not need
        return Launch([python, "-m", "mlflow", "server", *where, *stores], quiet, ready="Application startup complete")

    def urls(self, home: Path, ports: list[int]) -> dict[str, str]:
        """See `Server.urls`."""
        return {"HIVE_TEST_MLFLOW_URL": f"mlflow+http://127.0.0.1:{ports[0]}"}

    def _folder(self) -> Path:
        return installed(f"mlflow-{_VERSION}")
