"""The embedded hive and the hive on a cluster's products decide alike, byte for byte, on texts that nothing was trained on."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from tests.chaos.specialist_service import Service
from tests.contract.conftest import open_empty_neo4j
from uuid_utils import uuid7

from neural_hive.contracts import Ask, Caller, Case
from neural_hive.hive import open_hive
from neural_hive.pipeline.judging import decision_digest
from neural_hive.ports import CatalogueEntity
from neural_hive.service import Hive
from neural_hive.settings import load_settings
from neural_hive.specialists.rubric import bundled_rubrics
from neural_hive.storage.open import open_storage

GOLDEN = Path(__file__).parents[1] / "golden" / "everyday.jsonl"
N_TEXTS = 60
BUNDLED = Path(str(resources.files("neural_hive").joinpath("models", "understanding")))
CATALOGUE = [
    CatalogueEntity("billing-db", "Resource", title="Billing database", owner="team-money", aliases=("base de faturamento",)),
    CatalogueEntity("checkout", "Component", owner="team-shop", depends_on=("billing-db",)),
]
MENTIONS = ("Migrar a base de faturamento no fim de semana", "Drop the billing database", "Reiniciar checkout en producción")

pytestmark = [
    pytest.mark.timeout(600),
    *(pytest.mark.server(name) for name in ("redis", "kafka", "mongodb", "neo4j", "mlflow")),
]


@asynccontextmanager
async def cluster_settings() -> AsyncIterator[dict[str, Any]]:
    """Every role on its server, every specialist behind HTTP."""

    unique = f"t{uuid7().hex[-12:]}"
    urls = {
        "ledger_url": f"{os.environ['HIVE_TEST_MONGODB_URL']}/{unique}",
        "graph_url": os.environ["HIVE_TEST_NEO4J_URL"],
        "cache_url": f"{os.environ['HIVE_TEST_REDIS_URL']}?prefix={unique}",
        "bus_url": f"{os.environ['HIVE_TEST_KAFKA_URL']}/{unique}",
        "models_url": os.environ["HIVE_TEST_MLFLOW_URL"],
    }
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(open_empty_neo4j(urls["graph_url"]))
        await make_champion(urls["models_url"])
        specialists = {}
        for name, rubric in bundled_rubrics().items():
            service = Service(rubric)
            await service.open()
            stack.push_async_callback(service.close)
            specialists[f"{name}_url"] = f"http://127.0.0.1:{service.port}"
        yield urls | {"specialists": specialists}


async def make_champion(url: str) -> None:
    """Serve the bundled model from the registry."""
    async with open_storage() as storage:
        registry = await storage.models(url)
        version = await registry.register("understanding", BUNDLED, {}, {})
        await registry.promote("understanding", version.version)


async def decided(hive: Hive, text: str, language: str | None) -> Case:
    """The case, once it is filed: the next one may be like it."""
    case = await hive.ask(Ask.model_validate({"text": text, "language": language}), Caller())
    await hive.parts.filing.settled()
    return case


def shown(case: Case) -> Any:
    """Everything that was thought, without ids and times."""
    said = [one.model_dump(mode="json", exclude={"duration_ms"}) for one in case.opinions]
    assert case.understanding is not None
    return case.understanding.model_dump(mode="json"), said


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_embedded_and_cluster_decide_byte_for_byte_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neural_hive.pipeline.context.GRAPH_TIMEOUT_S", 60.0)  # what is compared is not how busy the machine is
    rows = [json.loads(line) for line in GOLDEN.read_text("utf-8").splitlines()][:N_TEXTS]
    texts = [(row["text"], row["language"]) for row in rows] + [(text, None) for text in MENTIONS]
    file = f"sqlite:///{tmp_path}/hive.db"
    patient = {"specialist_timeout_ms": 60_000, "deadline_ms": 120_000}
    async with (
        cluster_settings() as urls,
        open_hive(load_settings(**urls | patient)) as cluster,
        open_hive(load_settings(ledger_url=file, graph_url=file, bus_url=file, **patient)) as embedded,
    ):
        for hive in (cluster, embedded):
            await hive.parts.stores.graph.put_entities(CATALOGUE)
            assert await hive.learn_systems() > 0
        assert (await cluster.readiness())["dependencies"]["models"]["status"] == "ok"
        for text, language in texts:
            ours, theirs = await decided(cluster, text, language), await decided(embedded, text, language)
            assert ours.decision is not None
            assert theirs.decision is not None
            assert ours.decision.degraded is False, "the machine is too slow to compare"
            assert shown(ours) == shown(theirs), text
            assert decision_digest(ours.decision) == decision_digest(theirs.decision), text
        assert (await cluster.verify()).ok
