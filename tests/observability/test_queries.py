"""Every rule, alert and panel asks for what the hive emits, and says where to read on."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache

import pytest
import yaml

from tests.observability.files import DEPLOY, ROOT, alerts, panels, queries, recordings
from tests.observability.promql import Query, Vocabulary, emitted

RUNBOOKS = "https://github.com/neural-hive-mind/neural-hive-mind/blob/main/"
QUERIES = list(queries())


@cache
def vocabulary() -> Vocabulary:
    """What the hive emits and what the recording rules make of it."""
    known = emitted()
    for name, expression in recordings().items():
        known = known.with_rule(name, expression)
    return known


@pytest.mark.parametrize("query", QUERIES, ids=[query.where for query in QUERIES])
def test_a_query_names_only_metrics_labels_and_values_that_exist(query: Query) -> None:
    assert vocabulary().check(query.expression) == []


@pytest.mark.parametrize("query", QUERIES, ids=[query.where for query in QUERIES])
def test_a_legend_names_only_labels_of_its_result(query: Query) -> None:
    assert set(query.told) - {"value"} <= vocabulary().labels(query.expression), query.legend


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("rate(hive_http_request_total[5m])", "nothing emits hive_http_request_total"),
        ("hive_decision_seconds", "nothing emits hive_decision_seconds"),
        ('hive_queue_depth{name="outbox"}', "hive_queue_depth has no label name"),
        ('hive_queue_depth{queue="outbx"}', "queue of hive_queue_depth is never outbx"),
        ('hive_queue_depth{queue=~"outbox|outbx"}', "queue of hive_queue_depth is never outbx"),
        ('hive_http_requests_total{route="/api/v1/intent"}', "route of hive_http_requests_total is never /api/v1/intent"),
        ('hive_http_request_seconds_bucket{le="0.3"}', "le of hive_http_request_seconds_bucket is never 0.3"),
        ('hive_refusals_total{code="rate_limited"}', "code of hive_refusals_total is never rate_limited"),
        ("sum by (specialst) (hive_opinion_seconds_count)", "sum: no label specialst to group by"),
        ("histogram_quantile(0.9, sum(rate(hive_decision_seconds_bucket[5m])))", "histogram_quantile: the label le is gone"),
        (
            "sum by (stage) (hive_stage_failures_total) / sum(hive_decisions_total)",
            "/: ['stage'] and [] never match",
        ),
    ],
)
def test_a_query_that_could_never_answer_is_found(expression: str, complaint: str) -> None:
    assert vocabulary().check(expression) == [complaint]


def test_every_recording_rule_is_used() -> None:
    asked = " ".join(query.expression for query in QUERIES if not query.where.startswith("rule "))
    assert [name for name in recordings() if not re.search(rf"{name}\b", asked)] == []


def test_every_alert_has_a_part_of_a_runbook_and_says_how_urgent_it_is() -> None:
    for alert in alerts():
        assert alert["labels"]["severity"] in ("page", "ticket"), alert["alert"]
        page, _, anchor = alert["annotations"]["runbook_url"].removeprefix(RUNBOOKS).partition("#")
        assert anchor == alert["alert"].lower()
        headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        assert alert["alert"] in headings, f"{page} says nothing of {alert['alert']}"
        assert alert["annotations"]["summary"]
        assert alert["annotations"]["description"]


def test_every_runbook_is_for_an_alert_that_there_is() -> None:
    known = {alert["alert"] for alert in alerts()}
    for page in (ROOT / "docs" / "how-to" / "runbooks").glob("*.md"):
        assert set(re.findall(r"^## (Hive\w+)$", page.read_text("utf-8"), re.MULTILINE)) <= known


def test_the_dashboards_are_those_of_the_table() -> None:
    command = [sys.executable, str(DEPLOY / "grafana" / "write_dashboards.py"), "--check"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, ""), "run: python deploy/observability/grafana/write_dashboards.py"


def test_panels_read_from_data_sources_that_are_provisioned() -> None:
    file = DEPLOY / "grafana" / "provisioning" / "datasources" / "hive.yaml"
    known = {source["uid"]: source["type"] for source in yaml.safe_load(file.read_text("utf-8"))["datasources"]}
    for dashboard, panel in panels():
        for target in panel["targets"]:
            assert known[target["datasource"]["uid"]] == target["datasource"]["type"], (dashboard, panel["title"])


def test_panels_lie_side_by_side() -> None:
    taken: dict[tuple[str, int, int], str] = {}
    for dashboard, panel in panels():
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            assert x < 24
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((dashboard, x, y), panel["title"]) == panel["title"]
