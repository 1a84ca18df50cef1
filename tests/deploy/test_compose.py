"""deploy/compose.yaml: understood by Compose, closed to the outside, and speaking of nothing that the code does not know."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from neural_hive.settings import environment_names, load_settings
from neural_hive.storage.open import find_opener
from tests.deploy.objects import container, of_kind
from tests.deploy.toolbox import DEPLOY, find, run

FILE = DEPLOY / "compose.yaml"
SECRETS = {"HIVE_AUTH_TOKENS": "a-token=acme:ana:user", "HIVE_SPECIALISTS__TOKEN": "between-services"}
NAMES = ("architecture", "behavior", "business", "evolution", "technical")
PRODUCTS = ("mongodb", "neo4j", "redis", "kafka", "mlflow")
#: Their images have no program that could ask them.
WITHOUT_CHECK = {"loki", "tempo", "alloy"}


@cache
def _project() -> str:
    return run(find("composecheck"), FILE, **SECRETS)


def services() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_project())["services"]
    return found


def roles() -> dict[str, Any]:
    """The services that are the hive."""
    return {name: one for name, one in services().items() if one["image"].startswith("neural-hive-mind:")}


def test_it_has_every_role_with_the_commands_of_the_cluster() -> None:
    said = {name: one["command"] for name, one in roles().items()}
    there = {one["metadata"]["name"]: container(one)["args"] for one in of_kind("cluster", "Deployment")}
    there["gateway"] = there.pop("gateway-intencoes")
    assert said == there


def test_it_wants_its_secrets() -> None:
    with pytest.raises(AssertionError, match=r"make deploy/\.env first"):
        run(find("composecheck"), FILE)


def test_every_variable_is_a_setting_and_the_settings_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in roles().values():
        found = {name: value for name, value in one["environment"].items() if name.startswith("HIVE_")}
        assert set(found) <= set(environment_names())
        with monkeypatch.context() as patch:
            for name, value in found.items():
                patch.setenv(name, value)
            settings = load_settings()
        for role in ("ledger", "graph", "cache", "bus", "models"):
            find_opener(role, getattr(settings, f"{role}_url"), f"HIVE_{role.upper()}_URL")


@pytest.mark.parametrize("name", ["gateway", "worker"])
def test_every_host_in_a_url_is_a_service_in_a_shared_network(name: str) -> None:
    found = services()
    one = found[name]
    hosts = {urlsplit(value).hostname for key, value in one["environment"].items() if key.endswith(("_URL", "_ENDPOINT"))}
    assert hosts == {*PRODUCTS, "tempo", *(f"specialist-{n}" for n in NAMES)}
    for host in hosts:
        assert set(one["networks"]) & set(found[host]["networks"]), host


def test_prometheus_reaches_every_target() -> None:
    found, config = services(), yaml.safe_load((DEPLOY / "observability/prometheus/prometheus.yaml").read_text("utf-8"))
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    targets = {target for group in jobs["hive"]["static_configs"] for target in group["targets"]}
    assert targets == {f"{name}:8000" for name in roles()}
    for target in targets:
        assert "watching" in found[target.partition(":")[0]]["networks"]


def test_only_the_gateway_and_grafana_can_be_reached_and_only_from_this_machine() -> None:
    ports = {name: one["ports"] for name, one in services().items() if one.get("ports")}
    assert set(ports) == {"gateway", "grafana"}
    assert {port["host_ip"] for found in ports.values() for port in found} == {"127.0.0.1"}
    networks = json.loads(_project())["networks"]
    assert [name for name, one in networks.items() if not one.get("internal")] == ["front"]


def test_the_hive_is_as_closed_as_in_kubernetes() -> None:
    for one in roles().values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert one["tmpfs"] == ["/tmp"]
        assert one["stop_grace_period"] == "20s"


def test_everything_is_checked_named_and_kept() -> None:
    for name, one in services().items():
        _, _, tag = one["image"].rpartition(":")
        assert tag not in ("", "latest"), name
        if name not in WITHOUT_CHECK and name not in roles():  # the hive's check is in its image
            assert one["healthcheck"]["test"][0] == "CMD"
        for volume in one.get("volumes", ()):
            if volume["type"] == "bind" and not volume["source"].endswith("docker.sock"):
                assert Path(volume["source"]).exists(), volume["source"]
                assert volume["read_only"] is True
    volumes = {volume["source"] for one in services().values() for volume in one.get("volumes", ()) if volume["type"] == "volume"}
    assert volumes == set(json.loads(_project())["volumes"])
