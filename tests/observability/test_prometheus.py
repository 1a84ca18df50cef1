"""Rules and dashboards in a real Prometheus that scrapes a real hive."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import promql_parser as promql
import pytest
import yaml

from tests.acceptance.conftest import PATIENCE_S, RunningHive, hive_starter
from tests.observability.files import DEPLOY, RULES, alerts, queries
from tests.observability.promql import Query
from tests.observability.tools import tool

__all__ = ["hive_starter"]
ALERT_TESTS = Path(__file__).with_name("alerts.test.yaml")
#: Metrics that only a recording makes.
NOT_SEEN = {"hive_transcription_seconds_count"}


def test_the_configuration_is_one_that_prometheus_takes() -> None:
    config = DEPLOY / "prometheus" / "prometheus.yaml"
    ran = subprocess.run([tool("promtool"), "check", "config", "--syntax-only", str(config)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_the_rules_are_ones_that_prometheus_takes() -> None:
    ran = subprocess.run([tool("promtool"), "check", "rules", "--lint-fatal", *map(str, RULES)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_each_alert_fires_when_it_should_and_no_other() -> None:
    ran = subprocess.run([tool("promtool"), "test", "rules", str(ALERT_TESTS)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_is_seen_firing_in_a_test() -> None:
    said = ALERT_TESTS.read_text("utf-8")
    for alert in alerts():
        assert f'{{alertname="{alert["alert"]}", severity="{alert["labels"]["severity"]}"}}' in said


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def busy_hive(hive_starter: Callable[..., RunningHive]) -> dict[str, RunningHive]:
    """A gateway with one specialist elsewhere and one nowhere, after requests of several kinds."""
    technical = hive_starter("serve", "specialist", "technical")
    nowhere = f"http://127.0.0.1:{free_port()}"
    gateway = hive_starter(
        HIVE_SPECIALISTS__TECHNICAL_URL=technical.url, HIVE_SPECIALISTS__BUSINESS_URL=nowhere, HIVE_SPECIALIST_RETRIES="0"
    )
    with gateway.client() as http:
        for text in ("Delete every customer record in production without a backup", "Fix the typo in the footer", "asdf qwer"):
            case = http.post("/api/v1/intents", json={"text": text}).json()
        assert http.post(f"/api/v1/intents/{case['id']}/reviews", json={"verdict": "rejected", "comment": ""}).is_success
        assert http.get("/nowhere").status_code == 404
    return {"gateway": gateway, "specialist-technical": technical}


class Prometheus:
    """A server that scrapes the busy hive every second."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    def get(self, path: str, **asked: str) -> Any:
        """The data of an answer; whatever is wrong with a query fails here."""
        answer = self._http.get(f"/api/v1/{path}", params=asked)
        assert answer.status_code == 200, (asked, answer.text)
        return answer.json()["data"]

    def until(self, is_so: Callable[[], bool]) -> None:
        """Ask again until it is so."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not self._holds(is_so):
            assert time.monotonic() < deadline_s, "it never came"
            threading.Event().wait(0.2)

    def _holds(self, is_so: Callable[[], bool]) -> bool:
        try:
            return is_so()
        except httpx2.TransportError:
            return False


@pytest.fixture(scope="module")
def prometheus(busy_hive: dict[str, RunningHive], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """As deployed, but for the targets and the pace."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = list(map(str, RULES))
    config["scrape_configs"][0]["static_configs"] = [
        {"targets": [f"{hive.address[0]}:{hive.address[1]}"], "labels": {"service": name}} for name, hive in busy_hive.items()
    ]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    command = [tool("prometheus"), f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as http:
                server = Prometheus(http)
                server.until(lambda: len(server.get("query", query='up{job="hive"} == 1')["result"]) == len(busy_hive))
                server.until(lambda: bool(server.get("query", query="rate(hive_decisions_total[1m])")["result"]))
                yield server
        finally:
            process.kill()
            process.wait()


QUERIES = list(queries())


@pytest.mark.parametrize("query", QUERIES, ids=[query.where for query in QUERIES])
def test_a_query_is_answered_by_a_real_server(prometheus: Prometheus, query: Query) -> None:
    assert prometheus.get("query", query=query.expression)["resultType"] in ("vector", "scalar")


def test_every_metric_that_is_asked_for_was_really_scraped(prometheus: Prometheus) -> None:
    scraped = set(prometheus.get("label/__name__/values"))
    asked: set[str] = set()
    for query in QUERIES:
        promql.walk(promql.parse(query.expression), lambda node: _note(node, asked))
    asked = {name for name in asked if not name.startswith("hive:")}
    assert "hive_http_requests_total" in asked
    assert asked - scraped <= NOT_SEEN


def _note(node: Any, names: set[str]) -> None:
    if isinstance(node, promql.VectorSelector):
        names.add(node.name)


def test_every_rule_is_evaluated_without_an_error(prometheus: Prometheus) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]

    prometheus.until(lambda: all(rule["health"] != "unknown" for rule in rules()))
    assert {rule["health"]: rule.get("lastError", "") for rule in rules()} == {"ok": ""}
