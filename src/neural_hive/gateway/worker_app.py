"""HTTP for one worker: whether it lives, whether it can work, its metrics. Its work comes by the bus."""

from __future__ import annotations

import asyncio
import socket
import sys

from fastapi import FastAPI

from neural_hive import __version__
from neural_hive.gateway import health, problems
from neural_hive.gateway.auth import Authenticator
from neural_hive.gateway.edge import Edge, EdgeRules
from neural_hive.gateway.hosts import check_bind, is_loopback
from neural_hive.gateway.limits import RateLimiter
from neural_hive.gateway.server import HiveServer, address_of, bind, keep_what_is_loaded, run
from neural_hive.hive import ProcessRole, open_hive
from neural_hive.observability.logs import announce as announce_json
from neural_hive.observability.logs import configure_logs
from neural_hive.service import Hive
from neural_hive.settings import Settings
from neural_hive.storage.cache.memory import MemoryCache


def create_worker_app(hive: Hive) -> FastAPI:
    """The application of one worker: `/health`, `/ready`, `/metrics` and nothing else."""
    app = FastAPI(title="Neural Hive-Mind: worker", version=__version__, openapi_url=None, docs_url=None, redoc_url=None)
    settings = hive.settings
    authenticator = Authenticator(settings)
    app.state.closing = asyncio.Event()
    rules = EdgeRules(
        authenticator=authenticator,
        limiter=RateLimiter(MemoryCache(), 0),
        max_body_bytes=settings.max_body_bytes,
        max_audio_bytes=settings.max_body_bytes,
        is_local_only=not authenticator.is_on and is_loopback(settings.host),
        observing=hive.observing,
    )
    app.add_middleware(Edge, rules=rules)
    problems.install(app)
    health.add_routes(app, "worker", hive.readiness, hive.metrics)
    return app


def serve_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; returns once everything is closed.

    Raises:
        ConfigurationError: a setting is wrong.
        AddressError: the address cannot be listened on.
    """
    configure_logs(settings.log_format, settings.log_level)
    check_bind(settings, has_token=True)  # probes tell nothing that needs one
    with bind(settings.host, settings.port) as listener:
        run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    def announce() -> None:
        message = f"worker is listening on {address_of(listener)} (Ctrl-C stops it)"
        if not announce_json(message):
            sys.stderr.write(f"{message}\n")
            sys.stderr.flush()

    async with open_hive(settings, role=ProcessRole.WORKER, is_serving=True) as hive:
        keep_what_is_loaded()
        await HiveServer(create_worker_app(hive), announce).serve([listener])
