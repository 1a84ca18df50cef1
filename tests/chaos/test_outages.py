"""Every server down, from the start and in the middle: the process lives, readiness tells, work goes on or is refused, the backlog drains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.chaos.cluster import SETTINGS, Cluster, Role, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    *(pytest.mark.server(name) for name in SETTINGS),
]
#: Server → its name in /ready.
PARTS = {"mongodb": "ledger", "neo4j": "graph", "redis": "cache", "kafka": "bus", "mlflow": "models"}
TEXT = {"text": "Fix the typo in the footer of the help page"}
SECRETS = "between-services"


def ask(role: Role, **headers: str) -> Any:
    assert role.running is not None
    with role.running.client(**headers) as http:
        return http.post("/api/v1/intents", json=TEXT)


def part(role: Role, name: str) -> dict[str, str]:
    """How a gateway says that a server is; readiness never fails for it."""
    answer = role.get("/ready")
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()["dependencies"][PARTS[name]]
    return found


def assert_it_lives_without(role: Role, name: str) -> None:
    """What must hold while a server is away."""
    assert role.get("/health").status_code == 200
    wait_until(f"{name} is told to be away", lambda: part(role, name)["status"] == "degraded")
    assert SETTINGS[name] in part(role, name)["detail"] or "no answer" in part(role, name)["detail"]
    if name == "mongodb":
        answer = ask(role)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "HIVE_LEDGER_URL" in answer.text or "did not answer in time" in answer.text
    elif name == "neo4j":
        answer = ask(role)
        assert (answer.status_code, answer.json()["decision"]["degraded"]) == (201, True), answer.text
    else:  # a graph that is slow for a moment may degrade an answer or two; its absence never does
        wait_until("work goes on", lambda: _is_whole(ask(role)))


def assert_it_recovers(role: Role, name: str) -> None:
    """What must hold once the server is back."""
    wait_until(f"{name} is back", lambda: part(role, name)["status"] == "ok")
    wait_until("work is whole again", lambda: _is_whole(ask(role)))
    wait_until("the outbox is empty", lambda: waiting(role, "outbox") == 0)
    wait_until("everything is filed", lambda: waiting(role, "filing") == 0)


def _is_whole(answer: Any) -> bool:
    return answer.status_code == 201 and not answer.json()["decision"]["degraded"]


def waiting(role: Role, queue: str) -> float:
    """The depth of a queue, as the metrics say."""
    lines = role.get("/metrics").text.splitlines()
    found = [float(line.rpartition(" ")[2]) for line in lines if line.startswith(f'hive_queue_depth{{queue="{queue}"')]
    return found[0] if found else -1


@pytest.fixture(scope="module")
def gateway(own_cluster: Cluster) -> Iterator[Role]:
    """A gateway whose model is the registry's champion."""
    publish(own_cluster)
    role = own_cluster.role("gateway", "gateway", HIVE_MODELS_INTERVAL_S="0.5")
    role.start()
    yield role
    role.kill()


def publish(cluster: Cluster) -> None:
    """Make the bundled model the champion of the cluster's registry."""
    import subprocess
    from importlib import resources

    from tests.acceptance.conftest import HIVE, clean_environment

    folder = str(resources.files("neural_hive").joinpath("models", "understanding"))
    command = [HIVE, "models", "publish", folder, "--promote"]
    ran = subprocess.run(command, cwd=cluster.folder, env=clean_environment() | cluster.stores(), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("how", ["killed", "frozen"])
@pytest.mark.parametrize("name", ["redis", "mongodb", "kafka", "neo4j", "mlflow"])
def test_a_server_that_goes_away_in_the_middle(own_cluster: Cluster, gateway: Role, name: str, how: str) -> None:
    assert_it_recovers(gateway, name)
    server = own_cluster.servers[name]
    if how == "killed":
        server.kill()
    else:
        server.freeze()
    try:
        assert_it_lives_without(gateway, name)
    finally:
        server.start() if how == "killed" else server.thaw()
    assert_it_recovers(gateway, name)
    assert gateway.get("/api/v1/ledger/verify").json()["ok"] is True


@pytest.mark.parametrize("name", ["redis", "mongodb", "kafka", "neo4j", "mlflow"])
def test_a_server_that_is_away_from_the_start(own_cluster: Cluster, gateway: Role, name: str) -> None:
    assert_it_recovers(gateway, name)
    server = own_cluster.servers[name]
    server.kill()
    late = own_cluster.role("late", "gateway", HIVE_MODELS_INTERVAL_S="0.5")
    try:
        late.start()
        assert_it_lives_without(late, name)
    finally:
        server.start()
    assert_it_recovers(late, name)
    assert late.stop() == 0
    late.kill()


def test_what_is_said_holds_no_secret(own_cluster: Cluster, gateway: Role) -> None:
    assert gateway.running is not None
    assert SECRETS not in "".join(gateway.running.said)
