"""One trace per case, as a real receiver gets it from real processes: gateway, specialist service, worker, recovery, stores, bus."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from uuid_utils import uuid7

pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")
from tests.acceptance.conftest import PATIENCE_S, RunningHive, hive_starter
from tests.observability.receiver import Receiver, attributes

__all__ = ["hive_starter"]
TEXT = "Apagar as contas inativas há mais de cinco anos"
NAMES = ("architecture", "behavior", "business", "evolution", "technical")
TOKEN = "s3cret-between-services"
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A collector for all processes of the module."""
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def common(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings of every process: one ledger, and only what callers want traced is traced."""
    file = tmp_path_factory.mktemp("stores") / "hive.db"
    return {
        "HIVE_LEDGER_URL": f"sqlite:///{file}",
        "HIVE_GRAPH_URL": f"sqlite:///{file}",
        "HIVE_BUS_URL": f"sqlite:///{file}",
        "HIVE_OTLP_ENDPOINT": receiver.url,
        "HIVE_TRACE_SAMPLE_RATIO": "0",
        "HIVE_SPECIALISTS__TOKEN": TOKEN,
        "HIVE_RECOVERY_INTERVAL_S": "0.2",
        "HIVE_LOG_FORMAT": "json",
    }


@pytest.fixture(scope="module")
def technical(hive_starter: Callable[..., RunningHive], common: dict[str, str]) -> RunningHive:
    """One specialist as a service; the others live in whoever asks them."""
    return hive_starter("serve", "specialist", "technical", **common)


def new_trace() -> str:
    """A caller's traceparent that is to be recorded."""
    return f"00-{uuid7().hex}-{uuid7().hex[-16:]}-01"


def submit(hive: RunningHive, trace: str) -> str:
    """Leave an intent to be judged later; its case."""
    with hive.client(Traceparent=trace, Prefer="respond-async") as http:
        answer = http.post("/api/v1/intents", json={"text": TEXT})
    assert answer.status_code == 202, answer.text
    case_id: str = answer.json()["id"]
    return case_id


def by_name(spans: list[Any]) -> dict[str, Any]:
    """Spans by name; those there are several of, by name and event."""
    return {span.name: span for span in spans if span.name != "deliver"}


def service_of(receiver: Receiver, span: Any) -> str:
    (name,) = [name for name, spans in receiver.by_service.items() if span in spans]
    return name


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.server("kafka"))])
def bus(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where events go, as settings."""
    if request.param == "sqlite":
        return {}
    return {"HIVE_BUS_URL": f"{os.environ['HIVE_TEST_KAFKA_URL']}/t{uuid7().hex[-12:]}"}


def test_a_case_is_one_trace_through_gateway_bus_worker_specialist_and_stores(
    hive_starter: Callable[..., RunningHive],
    receiver: Receiver,
    common: dict[str, str],
    technical: RunningHive,
    bus: dict[str, str],
) -> None:
    settings = common | bus | {"HIVE_SPECIALISTS__TECHNICAL_URL": technical.url}
    worker = hive_starter("serve", "worker", **settings)
    gateway = hive_starter("serve", "gateway", **settings)
    trace = new_trace()
    case_id = submit(gateway, trace)
    wanted = {"POST /api/v1/intents", "accept", "ledger accept", "publish", "deliver", "resume", "understand", "decide"}
    wanted |= {f"specialist {name}" for name in NAMES} | {"POST /api/v1/opinions", "ledger record_decision", "graph link_case"}
    assert receiver.wait_for(wanted, trace[3:35]), wanted - {span.name for span in receiver.of(trace[3:35])}
    spans = receiver.of(trace[3:35])
    named = by_name(spans)
    request, asking, opinions = (named[n] for n in ("POST /api/v1/intents", "specialist technical", "POST /api/v1/opinions"))
    assert (request.kind, request.parent_span_id.hex()) == (SERVER, trace[36:52])
    assert (asking.kind, asking.parent_span_id) == (CLIENT, request.span_id)
    assert (opinions.kind, opinions.parent_span_id) == (SERVER, asking.span_id)
    assert {service_of(receiver, named[name]) for name in ("accept", "ledger accept")} == {"gateway"}
    assert {service_of(receiver, named[name]) for name in ("resume", "understand", "decide")} == {"worker"}
    assert service_of(receiver, opinions) == "specialist-technical"
    product = "kafka" if bus else "sqlite"
    assert {attributes(s)["messaging.system"] for s in spans if s.name in ("publish", "deliver")} == {product}
    assert {s.kind for s in spans if s.name == "publish"} == {PRODUCER}
    assert {(s.kind, service_of(receiver, s)) for s in spans if s.name == "deliver"} == {(CONSUMER, "worker")}
    assert {attributes(s).get("hive.case_id", case_id) for s in spans} == {case_id}
    assert {line["trace_id"] for line in lines(worker) if line.get("case_id") == case_id} == {trace[3:35]}
    worker.stop()
    gateway.stop()


def test_a_case_that_a_killed_worker_left_goes_on_in_its_trace(
    hive_starter: Callable[..., RunningHive], receiver: Receiver, common: dict[str, str]
) -> None:
    settings = common | {"HIVE_LEASE_S": "1"}
    worker = hive_starter("serve", "worker", **settings)
    gateway = hive_starter("serve", "gateway", **settings | {"HIVE_RECOVERY_INTERVAL_S": "3600"})
    worker.kill()
    trace = new_trace()
    submit(gateway, trace)
    gateway.stop()
    hive = hive_starter("up", **settings)
    assert receiver.wait_for({"ledger accept", "resume", "ledger record_decision", "decide"}, trace[3:35])
    named = by_name(receiver.of(trace[3:35]))
    assert service_of(receiver, named["resume"]) == service_of(receiver, named["decide"]) == "hive"
    assert {line["message"] for line in lines(hive) if line.get("trace_id") == trace[3:35]} == {"resumed", "decided"}
    hive.stop()


def lines(hive: RunningHive) -> list[dict[str, Any]]:
    """What it has logged, as soon as that holds a decision."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not any('"decided"' in line for line in hive.said) and time.monotonic() < deadline_s:
        threading.Event().wait(0.05)
    return [json.loads(line) for line in hive.said if line.startswith("{")]
