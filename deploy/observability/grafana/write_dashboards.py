"""Writes the dashboards beside it: `python deploy/observability/grafana/write_dashboards.py`; `--check` only compares.

A dashboard is a table of panels; everything that all panels share is said once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
METRICS = {"type": "prometheus", "uid": "hive-metrics"}
LOGS = {"type": "loki", "uid": "hive-logs"}
OUTCOMES = {"approved": "green", "conditional": "yellow", "needs_review": "orange", "rejected": "red"}
STATES = {"closed": "green", "half_open": "yellow", "open": "red"}
#: Grafana's grid is 24 wide.
WIDE, HALF, THIRD, QUARTER = 24, 12, 8, 6


@dataclass(frozen=True)
class Panel:
    """One panel. queries: expression → legend. kind: Grafana's name of the visualisation. more: into its fieldConfig's defaults."""

    title: str
    queries: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = THIRD
    height: int = 8
    meaning: str = ""
    is_stacked: bool = False
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Dashboard:
    """One file. rows: heading → panels. variables: name → label_values query."""

    uid: str
    title: str
    rows: dict[str, list[Panel]]
    variables: dict[str, str] = field(default_factory=dict)


#: Requests about intents: what the objectives count.
INTENTS = 'route=~"/api/v1/intents(/[{]case_id[}].*)?"'
FAILED = f'{INTENTS},status="5xx"'
ANSWERED = 'route="/api/v1/intents",method="POST",status="2xx"'


def braced(matchers: str) -> str:
    """Matchers as a selector has them; nothing for none."""
    return f"{{{matchers}}}" if matchers else ""


def quantile(q: float, histogram: str, by: str = "", matchers: str = "") -> str:
    """A quantile of a histogram over the dashboard's interval."""
    grouped = f"{by}, le" if by else "le"
    return f"histogram_quantile({q}, sum by ({grouped}) (rate(hive_{histogram}_bucket{braced(matchers)}[$__rate_interval])))"


def quantiles(histogram: str, matchers: str = "") -> dict[str, str]:
    """Three quantiles, each with its legend."""
    return {quantile(q, histogram, matchers=matchers): f"p{q * 100:g}" for q in (0.5, 0.95, 0.99)}


def rate(counter: str, by: str = "", matchers: str = "") -> str:
    """Events a second."""
    return f"sum{f' by ({by}) ' if by else ''}(rate(hive_{counter}{braced(matchers)}[$__rate_interval]))"


def budget(name: str, objective: str, allowed: float) -> Panel:
    """How much of an objective's error budget the last three days have left, if the month went on like them."""
    left = f"1 - hive:{name}:ratio_rate3d / {allowed:g}"
    steps = [{"color": "red", "value": None}, {"color": "orange", "value": 0}, {"color": "green", "value": 0.5}]
    shown = {"thresholds": {"mode": "absolute", "steps": steps}, "max": 1}
    meaning = f"Objective: {objective}. 100 % is no error at all, 0 % is just kept, below is broken. Over three days."
    return Panel(f"Budget: {objective}", {left: ""}, "percentunit", "stat", QUARTER, 5, meaning, more=shown)


SERVICES = Dashboard(
    "hive-services",
    "Hive: services",
    {
        "Objectives": [
            budget("intent_errors", "99.9 % not answered 5xx", 0.001),
            budget("intent_slow", "99 % within 250 ms", 0.01),
            budget("decisions_degraded", "99 % not degraded", 0.01),
            Panel("Up", {'up{job="hive"}': "{{service}}"}, "bool_on_off", "stat", QUARTER, 5),
        ],
        "Requests": [
            Panel(
                "Requests by route",
                {rate("http_requests_total", "route, method", 'service=~"$service"'): "{{method}} {{route}}"},
                "reqps",
            ),
            Panel(
                "Answers that are not 2xx",
                {
                    rate(
                        "http_requests_total", "route, status", 'status!~"1xx|2xx|3xx",service=~"$service"'
                    ): "{{status}} {{route}}"
                },
                "reqps",
                meaning="`gone`: the client went away. Streams end so, too.",
            ),
            Panel(
                "95th percentile by route",
                {
                    quantile(
                        0.95, "http_request_seconds", "route, method", 'route!~".*/events",service=~"$service"'
                    ): "{{method}} {{route}}"
                },
                "s",
            ),
            Panel(
                "An intent's answer",
                quantiles("http_request_seconds", ANSWERED),
                "s",
                meaning="POST /api/v1/intents answered 2xx.",
            ),
            Panel(
                "Refused",
                {rate("refusals_total", "code", 'service=~"$service"'): "{{code}}"},
                "reqps",
                meaning="By code of the problem.",
            ),
            Panel(
                "Share of 5xx",
                {f"{rate('http_requests_total', matchers=FAILED)} / {rate('http_requests_total', matchers=INTENTS)}": "5xx"},
                "percentunit",
            ),
        ],
        "Work": [
            Panel(
                "Intents and decisions", {rate("intents_accepted_total"): "accepted", rate("decisions_total"): "decided"}, "ops"
            ),
            Panel("From record to decision", quantiles("decision_seconds"), "s"),
            Panel(
                "95th percentile by stage",
                {
                    quantile(0.95, f"{stage}_seconds"): stage
                    for stage in ("accept", "understanding", "opinion", "decision", "publish")
                },
                "s",
            ),
            Panel(
                "What waits", {"max by (queue) (hive_queue_depth)": "{{queue}}"}, meaning="Every gateway sees the same outbox."
            ),
            Panel(
                "Stages that failed, cases left out of the graph",
                {rate("stage_failures_total", "stage"): "{{stage}}", rate("cases_unfiled_total"): "never filed"},
                "ops",
            ),
            Panel(
                "Events and cases taken up again",
                {rate("events_published_total"): "published", rate("cases_resumed_total"): "taken up again"},
                "ops",
            ),
        ],
        "Processes": [
            Panel(
                "Memory", {'process_resident_memory_bytes{job="hive",service=~"$service"}': "{{service}} {{instance}}"}, "bytes"
            ),
            Panel(
                "Processor",
                {'rate(process_cpu_seconds_total{job="hive",service=~"$service"}[$__rate_interval])': "{{service}} {{instance}}"},
                "percentunit",
                meaning="100 % is one core.",
            ),
            Panel("Open files", {'process_open_fds{job="hive",service=~"$service"}': "{{service}} {{instance}}"}),
            Panel(
                "Running since",
                {'process_start_time_seconds{job="hive"} * 1000': "{{service}} {{instance}}"},
                "dateTimeAsIso",
                "stat",
                HALF,
                6,
            ),
            Panel(
                "Versions",
                {"count by (version, python) (hive_build_info)": "{{version}} on Python {{python}}"},
                kind="stat",
                width=QUARTER,
                height=6,
            ),
            Panel(
                "Observers that fail",
                {rate("listener_failures_total", "listener"): "{{listener}}"},
                "ops",
                width=QUARTER,
                height=6,
            ),
        ],
        "Log": [
            Panel(
                "Warnings and errors",
                {'{job="hive",service=~"$service",level=~"warning|error|critical"}': ""},
                kind="logs",
                width=WIDE,
                height=10,
            ),
        ],
    },
    {"service": 'label_values(up{job="hive"}, service)'},
)

WHO = 'specialist=~"$specialist"'
SPECIALISTS = Dashboard(
    "hive-specialists",
    "Hive: specialists",
    {
        "Answers": [
            Panel("Opinions", {rate("opinion_seconds_count", "specialist", WHO): "{{specialist}}"}, "ops"),
            Panel(
                "95th percentile, as the hive sees it",
                {quantile(0.95, "opinion_seconds", "specialist", WHO): "{{specialist}}"},
                "s",
            ),
            Panel(
                "95th percentile in their own processes",
                {quantile(0.95, "specialist_opinion_seconds", "specialist", WHO): "{{specialist}}"},
                "s",
                meaning="Only of specialists that run as services. The difference is the network and waiting.",
            ),
        ],
        "Silence": [
            Panel(
                "Share that is silent",
                {
                    f"{rate('specialist_failures_total', 'specialist', WHO)} / {rate('opinion_seconds_count', 'specialist', WHO)}": "{{specialist}}"
                },
                "percentunit",
            ),
            Panel("Why", {rate("specialist_failures_total", "specialist, reason", WHO): "{{specialist}}: {{reason}}"}, "ops"),
            Panel(
                "Breakers",
                {f"max by (specialist, state) (hive_breaker_state{{{WHO}}}) == 1": "{{specialist}} {{state}}"},
                kind="state-timeline",
                meaning="closed: asked. half_open: probed. open: not asked. Of several gateways, any.",
            ),
            Panel(
                "Degraded decisions",
                {rate("decisions_total", "outcome", 'degraded="true"'): "{{outcome}}"},
                "ops",
                is_stacked=True,
            ),
        ],
        "Their services": [
            Panel(
                "Requests",
                {
                    rate(
                        "http_requests_total", "service, status", 'service=~"specialist-.*",route="/api/v1/opinions"'
                    ): "{{service}} {{status}}"
                },
                "reqps",
            ),
            Panel(
                "Rubrics",
                {'count by (name, digest) (hive_model_info{name=~"$specialist"})': "{{name}} {{digest}}"},
                kind="stat",
            ),
        ],
    },
    {"specialist": "label_values(hive_opinion_seconds_count, specialist)"},
)

QUALITY = Dashboard(
    "hive-quality",
    "Hive: quality of judgement",
    {
        "Decisions": [
            Panel("Outcomes", {rate("decisions_total", "outcome"): "{{outcome}}"}, "ops", is_stacked=True),
            Panel(
                "Share of each outcome",
                {
                    "sum by (outcome) (increase(hive_decisions_total[1h]))"
                    " / on () group_left () sum(increase(hive_decisions_total[1h]))": "{{outcome}}"
                },
                "percentunit",
                is_stacked=True,
            ),
            Panel(
                "Guardrails",
                {rate("guardrails_total", "guardrail"): "{{guardrail}}"},
                "ops",
                meaning="Decisions that each forced.",
            ),
            Panel(
                "Risk",
                {"sum by (le) (increase(hive_decision_risk_bucket[$__rate_interval]))": "{{le}}"},
                kind="heatmap",
                width=HALF,
            ),
            Panel(
                "Confidence",
                {"sum by (le) (increase(hive_decision_confidence_bucket[$__rate_interval]))": "{{le}}"},
                kind="heatmap",
                width=HALF,
            ),
        ],
        "Understanding": [
            Panel("Status", {rate("understanding_status_total", "status"): "{{status}}"}, "ops", is_stacked=True),
            Panel("Languages", {rate("understanding_status_total", "language"): "{{language}}"}, "ops", is_stacked=True),
            Panel(
                "Why not understood", {rate("understanding_abstentions_total", "reason"): "{{reason}}"}, "ops", is_stacked=True
            ),
        ],
        "People": [
            Panel(
                "Verdicts beside what the hive had decided, seven days",
                {"sum by (outcome, verdict) (increase(hive_reviews_total[7d])) > 0": "{{outcome}} → {{verdict}}"},
                kind="bargauge",
                width=HALF,
            ),
            Panel(
                "Let go by the hive, rejected by a person",
                {
                    'sum(increase(hive_reviews_total{outcome=~"approved|conditional",verdict="rejected"}[7d]))'
                    ' / sum(increase(hive_reviews_total{outcome=~"approved|conditional"}[7d]))': "seven days"
                },
                "percentunit",
                "stat",
                QUARTER,
            ),
            Panel(
                "Goes to a person",
                {
                    'sum(increase(hive_decisions_total{outcome="needs_review"}[1d])) / sum(increase(hive_decisions_total[1d]))': "one day"
                },
                "percentunit",
                "stat",
                QUARTER,
            ),
        ],
        "Hearing": [
            Panel("Recordings", {rate("transcription_seconds_count"): "transcribed"}, "ops"),
            Panel("Time", quantiles("transcription_seconds"), "s"),
            Panel(
                "Work per second of sound",
                quantiles("transcription_real_time_factor"),
                meaning="Above 1 it cannot keep up with speech.",
            ),
        ],
        "Models": [
            Panel(
                "What judges",
                {"count by (name, digest) (hive_model_info)": "{{name}} {{digest}}"},
                kind="stat",
                width=WIDE,
                height=6,
                meaning="Processes that judge with each version; two versions of one name should not last.",
            ),
        ],
    },
)
DASHBOARDS = (SERVICES, SPECIALISTS, QUALITY)


def document(dashboard: Dashboard) -> dict[str, Any]:
    """What Grafana imports."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["neural-hive"],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_variable(name, query) for name, query in dashboard.variables.items()]},
        "links": [{"type": "dashboards", "tags": ["neural-hive"], "title": "Hive", "asDropdown": False, "keepTime": True}],
        "panels": list(_panels(dashboard)),
    }


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": METRICS,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    """Row by row, from left to right; a panel that does not fit begins a new line."""
    number, y = 0, 0
    for heading, panels in dashboard.rows.items():
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": heading,
            "collapsed": False,
            "gridPos": {"h": 1, "w": WIDE, "x": 0, "y": y},
            "panels": [],
        }
        x, y, tallest = 0, y + 1, 0
        for panel in panels:
            if x + panel.width > WIDE:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            yield _panel(panel, number, {"h": panel.height, "w": panel.width, "x": x, "y": y})
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    source = LOGS if panel.kind == "logs" else METRICS
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": source,
        "gridPos": place,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": list(_coloured(panel))},
        "options": _options(panel),
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": source, "expr": expression, "legendFormat": legend} | _format(panel)
            for n, (expression, legend) in enumerate(panel.queries.items())
        ],
    }


def _format(panel: Panel) -> dict[str, Any]:
    if panel.kind == "heatmap":
        return {"format": "heatmap"}
    return {"instant": True, "range": False} if panel.kind in ("stat", "bargauge") else {}


def _defaults(panel: Panel) -> dict[str, Any]:
    shown: dict[str, Any] = {"unit": panel.unit} | panel.more
    if panel.kind == "timeseries":
        stacking = {"stacking": {"mode": "normal", "group": "A"}} if panel.is_stacked else {}
        shown |= {"min": 0, "custom": {"fillOpacity": 60 if panel.is_stacked else 10, "showPoints": "never"} | stacking}
    return shown


def _coloured(panel: Panel) -> Iterator[dict[str, Any]]:
    """Fixed colours for series that are named after an outcome, or end in a breaker's state."""
    legends = "".join(panel.queries.values())
    known = OUTCOMES if legends == "{{outcome}}" else STATES if "{{state}}" in legends else {}
    for name, colour in known.items():
        matcher = {"id": "byRegexp", "options": f"/(^| ){name}$/"}
        yield {"matcher": matcher, "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]}


def _options(panel: Panel) -> dict[str, Any]:
    match panel.kind:
        case "timeseries":
            return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
        case "stat" | "bargauge":
            return {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name", "orientation": "auto"}
        case "heatmap":
            return {"calculate": False, "yAxis": {"decimals": 1}, "color": {"scheme": "Oranges"}}
        case "logs":
            return {"showTime": True, "wrapLogMessage": True, "enableLogDetails": True, "sortOrder": "Descending"}
        case _:
            return {}


def files() -> dict[Path, str]:
    """Every dashboard's file and what it holds."""
    return {
        FOLDER / f"{each.uid.removeprefix('hive-')}.json": json.dumps(document(each), indent=2, ensure_ascii=False) + "\n"
        for each in DASHBOARDS
    }


def main() -> int:
    """Write, or with --check say what is not current. Returns the exit code."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" not in sys.argv:
        for path in stale:
            path.write_text(files()[path], "utf-8")
    sys.stdout.writelines(f"{path.name}\n" for path in stale)
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
