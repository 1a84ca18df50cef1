"""Probes, specialists, the ledger, schemas and the reference."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from neural_hive.gateway import schemas
from neural_hive.gateway.app import create_opening_app, document_for
from neural_hive.gateway.reference import files, main, stale
from neural_hive.settings import Settings

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


async def test_health_says_who_and_when_and_asks_nobody(client: Any, hive: Any) -> None:
    hive.error = RuntimeError()
    body = (await client.get("/health")).json()
    assert (body["status"], body["service"]) == ("healthy", "gateway")
    assert body["timestamp"].endswith("Z")


async def test_ready_lists_what_it_uses(client: Any, hive: Any) -> None:
    ready = await client.get("/ready")
    hive.is_ready = False
    not_ready = await client.get("/ready")
    assert (ready.status_code, not_ready.status_code) == (200, 503)
    assert ready.json()["dependencies"] == {"ledger": {"status": "ok", "detail": ""}}


async def test_metrics_are_prometheus_text(client: Any) -> None:
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "hive_up 1" in response.text


async def test_specialists_and_ledger_can_be_asked_about(client: Any) -> None:
    assert len((await client.get("/api/v1/specialists")).json()["items"]) == 5
    assert (await client.get("/api/v1/ledger/verify")).json()["ok"] is True


@pytest.mark.parametrize("name", sorted(schemas.SCHEMAS))
async def test_every_record_has_a_published_schema(client: Any, name: str) -> None:
    response = await client.get(f"/api/v1/schemas/{name}")
    assert response.headers["content-type"] == "application/schema+json"
    assert response.json()["$id"] == f"urn:neural-hive:schema:{name}"


async def test_an_unknown_schema_is_not_found(client: Any) -> None:
    assert (await client.get("/api/v1/schemas/nope")).status_code == 404
    assert len((await client.get("/api/v1/schemas")).json()) == len(schemas.SCHEMAS)


async def test_the_page_names_every_operation_and_loads_nothing_from_elsewhere(client: Any) -> None:
    page = (await client.get("/api/v1/docs")).text
    document = (await client.get("/api/v1/openapi.json")).json()
    assert all(path in page for path in document["paths"])
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert "style=" not in page
    assert (await client.get("/api/v1/docs/reference.css")).headers["content-type"].startswith("text/css")


async def test_the_reference_can_be_turned_off(gateway: Any) -> None:
    _, client = gateway(docs=False)
    for path in ("/api/v1/docs", "/api/v1/openapi.json"):
        assert (await client.get(path)).status_code == 404


async def test_every_reference_in_the_document_leads_somewhere(client: Any) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    text = json.dumps(document)
    wanted = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert wanted <= set(document["components"]["schemas"])
    assert document["components"]["schemas"]["Ask"]["properties"]["text"]["maxLength"] == 10_000


def test_the_published_reference_is_current() -> None:
    wanted = files(document_for(Settings.model_construct()))
    assert stale(REFERENCE, wanted) == [], "run: python -m neural_hive.gateway.reference docs/reference"
    assert {p.name for p in (REFERENCE / "schemas").glob("*.json")} == {f"{name}.json" for name in schemas.SCHEMAS}


def test_the_command_writes_what_the_check_wants(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--check"]) == 1
    assert main([str(tmp_path)]) == 0
    assert main([str(tmp_path), "--check"]) == 0
    assert "stale" in capsys.readouterr().out


async def test_an_application_can_open_its_own_hive(hive: Any, open_client: Any) -> None:
    open_now: list[Settings] = []

    @asynccontextmanager
    async def open_hive(settings: Settings, **_: Any) -> AsyncIterator[Any]:
        open_now.append(settings)
        yield hive
        open_now.clear()

    app = create_opening_app(hive.settings, open_hive)
    async with app.router.lifespan_context(app), open_client(app) as client:
        assert open_now == [hive.settings]
        assert (await client.get("/ready")).status_code == 200
        assert (await client.get("/nope")).json()["status"] == 404
    assert open_now == []
