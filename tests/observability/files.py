"""The files of deploy/observability, read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.observability.promql import Query

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "observability"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yaml"))
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


def rules() -> Iterator[dict[str, Any]]:
    """Every rule of every file."""
    for path in RULES:
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
            yield from group["rules"]


def recordings() -> dict[str, str]:
    """Name → expression of every recording rule."""
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def alerts() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for rule in rules() if "alert" in rule]


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Dashboard and every panel that shows something."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            if panel["type"] != "row":
                yield path.stem, panel


def plain(expression: str) -> str:
    """An expression as Grafana sends it: its variables filled in."""
    filled = expression.replace("$__rate_interval", "1m")
    for variable in ("service", "specialist"):
        filled = filled.replace(f"${variable}", ".*")
    return filled


def queries() -> Iterator[Query]:
    """Every expression that Prometheus is asked: rules, alerts, panels, variables of dashboards."""
    for name, expression in recordings().items():
        yield Query(f"rule {name}", expression)
    for alert in alerts():
        yield Query(f"alert {alert['alert']}", alert["expr"], " ".join(alert["annotations"].values()))
    for dashboard, panel in panels():
        for target in panel["targets"]:
            if target["datasource"]["type"] == "prometheus":
                yield Query(f"{dashboard}: {panel['title']}", plain(target["expr"]), target["legendFormat"])
    for path in DASHBOARDS:
        for variable in json.loads(path.read_text("utf-8"))["templating"]["list"]:
            series, _, label = variable["query"]["query"].removeprefix("label_values(").removesuffix(")").rpartition(", ")
            yield Query(f"{path.stem}: ${variable['name']}", f"count by ({label}) ({series})")
