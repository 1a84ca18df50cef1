"""The gateway's application: every route of the hive's HTTP API around one open hive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from neural_hive import __version__
from neural_hive.console import OPEN_PATHS, mount_console
from neural_hive.contracts import Ask, Event
from neural_hive.gateway import (
    about,
    docs_page,
    health,
    intents,
    problems,
    progress,
    reviews,
    schemas,
    transcriptions,
    voice,
    voice_stream,
)
from neural_hive.gateway.auth import Authenticator
from neural_hive.gateway.edge import Edge, EdgeRules
from neural_hive.gateway.hosts import is_loopback
from neural_hive.gateway.limits import InFlight, RateLimiter
from neural_hive.gateway.openapi import REFERENCE_PATHS, add_document, describe
from neural_hive.gateway.ports import JudgingHive
from neural_hive.gateway.reviews import Verdict
from neural_hive.observability.observing import Observing
from neural_hive.settings import Settings

DESCRIPTION = (
    "An intent in Portuguese, English or Spanish in; five opinions and one recorded decision out. "
    "Times are UTC, errors are RFC 9457 problems, names are snake_case."
)
#: Records that routes read and write by hand, so that FastAPI does not know of them.
_BODIES = (Ask, Verdict, Event)


def create_app(hive: JudgingHive, observing: Observing | None = None, open_paths: tuple[str, ...] = ()) -> FastAPI:
    """The application around a hive that is open; whoever opened it closes it.

    Args:
        hive: an open hive.
        observing: told of every request and its answer, for logs, metrics and traces.
        open_paths: beginnings of paths that need no token, beside the reference's.

    Raises:
        ConfigurationError: tokens or keys in the settings are not valid.
    """
    settings = hive.settings
    authenticator = Authenticator(settings)
    app = _bare_app()
    app.state.hive = hive
    app.state.in_flight = InFlight(settings.max_in_flight)
    app.state.voices = voice_stream.places(settings.speech_queue)
    app.state.closing = asyncio.Event()
    app.add_middleware(Edge, rules=_rules(hive, authenticator, observing, open_paths))
    problems.install(app)
    _add_routes(app, hive.readiness, hive.metrics)
    if settings.docs:
        add_document(app, bodies=_BODIES, needs_token=authenticator.is_on, max_text_chars=settings.max_text_chars)
        docs_page.add_routes(app)
    mount_console(app, hive)
    return app


def _bare_app() -> FastAPI:
    """Without FastAPI's own pages, which load scripts from elsewhere, and its redirects, which no one declared."""
    return FastAPI(
        title="Neural Hive-Mind",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )


def _add_routes(app: FastAPI, readiness: Callable[[], Any], metrics: Callable[[], Any]) -> None:
    """Most wanted first: routes are tried in order."""
    for part in (intents, voice, voice_stream, progress, reviews, about, transcriptions):
        part.add_routes(app)
    health.add_routes(app, "gateway", readiness, metrics)
    schemas.add_routes(app)


def _rules(
    hive: JudgingHive,
    authenticator: Authenticator,
    observing: Observing | None,
    open_paths: tuple[str, ...],
) -> EdgeRules:
    settings = hive.settings
    return EdgeRules(
        authenticator=authenticator,
        limiter=RateLimiter(hive.cache, settings.rate_limit_per_minute),
        max_body_bytes=settings.max_body_bytes,
        max_audio_bytes=settings.max_audio_bytes,
        is_local_only=not authenticator.is_on and is_loopback(settings.host),
        open_paths=(*REFERENCE_PATHS, *OPEN_PATHS, *open_paths),
        audio_paths=frozenset({voice.VOICE_PATH, transcriptions.TRANSCRIPTIONS_PATH}),
        observing=observing,
    )


def create_opening_app(settings: Settings, open_hive: Callable[..., AbstractAsyncContextManager[JudgingHive]]) -> FastAPI:
    """An application that opens its own hive when the server starts it and closes it at the end (ASGI lifespan)."""

    @asynccontextmanager
    async def lifespan(outer: FastAPI) -> AsyncIterator[None]:
        async with open_hive(settings, is_serving=True) as hive:
            outer.mount("/", create_app(hive))
            yield

    return FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)


def document_for(settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of a gateway with authentication, for the reference; opens nothing."""

    async def never() -> Any:
        raise AssertionError

    app = _bare_app()
    _add_routes(app, never, never)
    return describe(app, bodies=_BODIES, needs_token=True, max_text_chars=settings.max_text_chars)
