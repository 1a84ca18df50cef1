"""HTTP for one specialist: briefs in, opinions out. It loads its rubric and nothing else."""

from __future__ import annotations

import asyncio
import math
import socket
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from neural_hive import __version__
from neural_hive.contracts import Brief, Opinion, Record
from neural_hive.errors import ConfigurationError, UnavailableError
from neural_hive.gateway import health, problems
from neural_hive.gateway.auth import Authenticator
from neural_hive.gateway.bodies import is_json, parse_json
from neural_hive.gateway.edge import Edge, EdgeRules
from neural_hive.gateway.hosts import check_bind, is_loopback
from neural_hive.gateway.limits import RateLimiter
from neural_hive.gateway.openapi import REFERENCE_PATHS, add_document
from neural_hive.gateway.refusals import MalformedBodyError, UnsupportedMediaError
from neural_hive.gateway.routing import API, add_by_hand, dump, json_body, json_response
from neural_hive.gateway.routing import problems as declare_problems
from neural_hive.gateway.server import HiveServer, address_of, bind, keep_what_is_loaded, run
from neural_hive.observability.logs import announce as announce_json
from neural_hive.observability.logs import configure_logs
from neural_hive.observability.observing import Observing, observe
from neural_hive.pipeline.deadlines import DEADLINE_HEADER, read_deadline
from neural_hive.settings import Settings
from neural_hive.specialists.engine import judge
from neural_hive.specialists.rubric import bundled_rubrics, rubrics_in
from neural_hive.storage.cache.memory import MemoryCache

Judge = Callable[[Brief], Opinion]

#: Most briefs in one request; more in one would only make the first answer late.
MAX_BRIEFS = 256
#: Room for MAX_BRIEFS long ones, in bytes.
MAX_BODY_BYTES = 16_000_000
#: Briefs judged before other requests get their turn.
_TURN = 8


#: How fast the mean time per brief follows what is measured, in (0, 1].
_PACE_WEIGHT = 0.1


class DeadlineError(UnavailableError):
    """The caller's time is too short for so many briefs; send fewer, or allow more time."""

    status = 504
    code = "deadline"


class Pace:
    """Mean time per brief as an exponentially weighted average, in seconds; 0 until something was measured."""

    def __init__(self) -> None:
        self.mean_s = 0.0

    def measured(self, taken_s: float) -> None:
        """One brief took so long."""
        self.mean_s += _PACE_WEIGHT * (taken_s - self.mean_s)


class Briefs(Record):
    """The body of `POST /api/v1/opinions`."""

    briefs: tuple[Brief, ...] = Field(min_length=1, max_length=MAX_BRIEFS, description="What to judge, in any order.")


class Opinions(Record):
    """The answer of `POST /api/v1/opinions`."""

    opinions: tuple[Opinion, ...] = Field(description="One per brief, in the order of the briefs.")


def create_specialist_app(name: str, judge_brief: Judge, settings: Settings, observing: Observing | None = None) -> FastAPI:
    """The application of one specialist.

    Args:
        name: business, technical, behavior, evolution or architecture.
        judge_brief: brief → opinion; pure and quick.
        settings: for the token, the host and the reference.
        observing: what observes this process; without it, metrics only.
    """
    app = FastAPI(
        title=f"Neural Hive-Mind: {name} specialist",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    authenticator = Authenticator(settings, service_token=settings.specialists.token.get_secret_value())
    app.state.closing = asyncio.Event()
    watching = observing or Observing()
    app.add_middleware(Edge, rules=_rules(settings, authenticator, watching))
    problems.install(app)
    _add_routes(app, name, judge_brief, watching)
    if settings.docs:
        add_document(app, bodies=(Briefs,), needs_token=authenticator.is_on)
    return app


def _rules(settings: Settings, authenticator: Authenticator, observing: Observing) -> EdgeRules:
    return EdgeRules(
        authenticator=authenticator,
        limiter=RateLimiter(MemoryCache(), 0),
        max_body_bytes=MAX_BODY_BYTES,
        max_audio_bytes=MAX_BODY_BYTES,
        is_local_only=not authenticator.is_on and is_loopback(settings.host),
        open_paths=REFERENCE_PATHS,
        observing=observing,
    )


def _add_routes(app: FastAPI, name: str, judge_brief: Judge, observing: Observing) -> None:
    pace = Pace()

    def observe_s(taken_s: float) -> None:
        pace.measured(taken_s)
        observing.metrics.judged(name, taken_s)

    async def post_opinions(request: Request) -> Response:
        """Judge one brief, or many in one request; 504 if X-Hive-Deadline-Ms leaves too little time for it."""
        due_s = _due_s(request.headers.get(DEADLINE_HEADER))
        if not is_json(request.headers.get("content-type")):
            raise UnsupportedMediaError
        briefs = read_briefs(await request.body())
        if time.perf_counter() + pace.mean_s * len(briefs) > due_s:
            raise DeadlineError
        found = await _judge_all(briefs, judge_brief, observe_s, due_s)
        return json_response(dump(Opinions(opinions=tuple(found))))

    async def readiness() -> dict[str, Any]:
        return {"ready": True, "dependencies": {}}

    async def metrics() -> bytes:
        return observing.metrics_text()

    declared = {"tags": ["opinions"], "response_model": Opinions, "responses": declare_problems(415, 422, 504)}
    body = {"requestBody": json_body(Briefs, "Briefs; or one brief alone, without the list.")}
    add_by_hand(app, f"{API}/opinions", post_opinions, "POST", openapi_extra=body, **declared)
    health.add_routes(app, f"specialist-{name}", readiness, metrics)


def read_briefs(body: bytes) -> tuple[Brief, ...]:
    """The briefs in a body: `{"briefs": […]}` or one brief. Raises MalformedBodyError or InvalidFieldsError."""
    try:
        is_batch = "briefs" in orjson.loads(body)
    except (orjson.JSONDecodeError, TypeError) as error:
        raise MalformedBodyError from error
    return parse_json(body, Briefs).briefs if is_batch else (parse_json(body, Brief),)


def _due_s(header: str | None) -> float:
    """When the caller stops waiting, on the clock of `time.perf_counter`; infinity if it does not say."""
    left_s = read_deadline(header)
    return math.inf if left_s is None else time.perf_counter() + left_s


async def _judge_all(
    briefs: Sequence[Brief], judge_brief: Judge, observe: Callable[[float], None], due_s: float
) -> list[Opinion]:
    found: list[Opinion] = []
    for number, brief in enumerate(briefs, 1):
        started_s = time.perf_counter()
        opinion = judge_brief(brief)
        taken_s = time.perf_counter() - started_s
        observe(taken_s)
        found.append(opinion.model_copy(update={"duration_ms": round(1000 * taken_s, 3)}))
        if number % _TURN == 0:
            await asyncio.sleep(0)
            if time.perf_counter() > due_s:
                raise DeadlineError
    return found


def serve_specialist(settings: Settings, name: str) -> None:
    """Serve one specialist until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: there is no such specialist, or the address is public and nobody is asked for a token.
        AddressError: the address cannot be listened on.
    """
    configure_logs(settings.log_format, settings.log_level)
    check_bind(settings, has_token=bool(settings.specialists.token.get_secret_value()))
    rubrics = rubrics_in(settings.rubrics_dir) if settings.rubrics_dir else bundled_rubrics()
    if name not in rubrics:
        raise ConfigurationError(f"There is no specialist {name!r}; there are {', '.join(sorted(rubrics))}.")
    observing = observe(settings.otlp_endpoint, settings.trace_sample_ratio, f"specialist-{name}")
    app = create_specialist_app(name, partial(judge, rubrics[name]), settings, observing)
    with bind(settings.host, settings.port) as listener:
        run(_serve(app, name, listener, observing))


async def _serve(app: FastAPI, name: str, listener: socket.socket, observing: Observing) -> None:
    def announce() -> None:
        message = f"specialist {name} is listening on {address_of(listener)} (Ctrl-C stops it)"
        if not announce_json(message):
            sys.stderr.write(f"{message}\n")
            sys.stderr.flush()

    keep_what_is_loaded()
    try:
        await HiveServer(app, announce).serve([listener])
    finally:
        await observing.close()
