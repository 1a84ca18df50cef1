"""Whether this process lives, whether it can do its job, and its metrics; the same three addresses on every service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from neural_hive import __version__
from neural_hive.gateway.routing import add_by_hand, json_response, problems

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Health(BaseModel):
    """This process lives. Never asks anything else."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["healthy"] = Field(description="healthy, or there is no answer at all.")
    service: str = Field(description="gateway, worker, specialist-technical, …")
    version: str = Field(description="Version of the software.")
    timestamp: datetime = Field(description="Now, UTC.")


class Dependency(BaseModel):
    """How something is that this process uses."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["ok", "degraded"] = Field(description="ok, or degraded: the work goes on without it or waits for it.")
    detail: str = Field(default="", description="What is wrong with it.")


class Readiness(BaseModel):
    """Whether this process can do its own job."""

    model_config = ConfigDict(extra="forbid")

    ready: bool = Field(description="True as soon as this process can do its own job.")
    service: str = Field(description="gateway, worker, specialist-technical, …")
    version: str = Field(description="Version of the software.")
    timestamp: datetime = Field(description="Now, UTC.")
    dependencies: dict[str, Dependency] = Field(default_factory=dict, description="What it uses; never a reason not to be ready.")


def _about(service: str) -> dict[str, str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return {"service": service, "version": __version__, "timestamp": f"{now}Z"}


def add_routes(
    app: FastAPI,
    service: str,
    readiness: Callable[[], Awaitable[dict[str, Any]]],
    metrics: Callable[[], Awaitable[bytes]],
) -> None:
    """`/health`, `/ready` and `/metrics`. readiness: as `JudgingHive.readiness`. metrics: Prometheus text."""

    async def get_health(_request: Request) -> Response:
        """This process lives."""
        return json_response(orjson.dumps({"status": "healthy"} | _about(service)))

    async def get_ready(_request: Request) -> Response:
        """Whether this process can do its job, and how what it uses is."""
        found = await readiness()
        return json_response(orjson.dumps(_about(service) | found), 200 if found["ready"] else 503)

    async def get_metrics(_request: Request) -> Response:
        """Metrics in Prometheus' text format."""
        return Response(await metrics(), headers={"Content-Type": METRICS_TYPE})

    text = {"description": "Prometheus text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    not_ready = {"model": Readiness, "description": "Not ready yet, or no longer."}
    failed: dict[int | str, Any] = {400: problems()[400], 413: problems()[413], 500: problems()[500]}
    add_by_hand(app, "/health", get_health, "GET", tags=["probes"], response_model=Health, responses=failed)
    add_by_hand(app, "/ready", get_ready, "GET", tags=["probes"], response_model=Readiness, responses={**failed, 503: not_ready})
    add_by_hand(app, "/metrics", get_metrics, "GET", tags=["probes"], response_class=Response, responses={**failed, 200: text})
