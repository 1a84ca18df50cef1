"""What happens to every request around its route, in one pass: ids, host, caller, limits, headers, last resort.

One ASGI middleware and not six: each layer would cost a task's worth of calls on the hot path.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from neural_hive.errors import HiveError, UnauthenticatedError
from neural_hive.gateway.auth import LOCAL, Authenticator, Identity
from neural_hive.gateway.headers import RawHeaders, request_id, traceparent, with_security
from neural_hive.gateway.hosts import check_host, check_origin
from neural_hive.gateway.limits import RateLimiter, check_length, limited
from neural_hive.gateway.problems import problem_response
from neural_hive.observability.arrivals import Answered
from neural_hive.observability.observing import Observing
from neural_hive.observability.redaction import traceback_of

logger = structlog.get_logger(__name__)

#: Addresses of the operator's tools; they are asked often, name this host by its address and carry no token.
PROBES = frozenset({"/health", "/ready", "/metrics"})
#: Beginning of the subprotocol that carries a token.
TOKEN_PREFIX = "bearer."
_WANTED = frozenset(
    {b"host", b"origin", b"authorization", b"x-request-id", b"traceparent", b"content-length", b"transfer-encoding"}
)


@dataclass(frozen=True, slots=True)
class EdgeRules:
    """What the edge enforces.

    is_local_only: answer to local names and same-origin pages only. open_paths: beginnings of paths that need no token.
    audio_paths: paths whose bodies may be as large as recordings. observing: told of every request and answer.
    """

    authenticator: Authenticator
    limiter: RateLimiter
    max_body_bytes: int
    max_audio_bytes: int
    is_local_only: bool
    open_paths: tuple[str, ...] = ()
    audio_paths: frozenset[str] = frozenset()
    observing: Observing | None = None


class Edge:
    """The outermost middleware of ours."""

    def __init__(self, app: ASGIApp, rules: EdgeRules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; never raises what a caller caused."""
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        given = {name: value for name, value in scope["headers"] if name in _WANTED}
        state = scope.setdefault("state", {})
        state["request_id"] = own_id = request_id(given.get(b"x-request-id"))
        state["trace"] = traceparent(given.get(b"traceparent"))
        if self._rules.observing is not None:
            state["trace"] = self._rules.observing.arrived(own_id, state["trace"], scope["path"])
        extra: RawHeaders = []
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*with_security(message["headers"], own_id), *extra]
            await send(message)

        try:
            extra += await self._admit(scope, state, given)
            await self._app(scope, self._bounded(scope, given, receive), answer)
        except HiveError as error:
            await problem_response(error, scope)(scope, receive, answer)
        except ClientDisconnect:
            logger.info("client_went_away", request_id=own_id)
        except Exception as error:  # noqa: BLE001 - the edge of the process: what nobody foresaw is logged and answered
            # Formatted here, without values: those hold what people wrote.
            logger.error("request_failed", request_id=own_id, exception=traceback_of(error))
            if not status:
                await problem_response(HiveError(_INTERNAL), scope)(scope, receive, answer)
        finally:
            self._report(scope, status, started_s)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket. What is refused is refused before it opens, as a problem with its HTTP status."""
        given = {name: value for name, value in scope["headers"] if name in _WANTED}
        given.setdefault(b"authorization", offered_token(scope))
        state = scope.setdefault("state", {})
        state["request_id"] = own_id = request_id(given.get(b"x-request-id"))
        state["trace"] = traceparent(given.get(b"traceparent"))
        if self._rules.observing is not None:
            state["trace"] = self._rules.observing.arrived(own_id, state["trace"], scope["path"])

        async def answer(message: Message) -> None:
            if message["type"] == "websocket.http.response.start":
                message["headers"] = with_security(message["headers"], own_id)
            await send(message)

        try:
            await self._admit(scope, state, given)
            await self._app(scope, receive, answer)
        except HiveError as error:
            await problem_response(error, scope)(scope, receive, answer)

    async def _admit(self, scope: Scope, state: dict[str, Any], given: dict[bytes, bytes]) -> RawHeaders:
        """Decide whether the request may go on. Returns headers for its answer; raises HiveError if it may not."""
        path = scope["path"]
        if path in PROBES:
            state["identity"] = LOCAL
            return []
        if self._rules.is_local_only:
            check_host(given.get(b"host"))
            check_origin(given.get(b"origin"), given.get(b"host"))
        refusal = self._identify(path, state, given)
        headers: RawHeaders = []
        if self._rules.limiter.is_on:
            allowance = await self._rules.limiter.take(state["identity"].key or _address(scope))
            headers = allowance.headers()
        if refusal is not None:
            raise refusal
        return headers

    def _identify(self, path: str, state: dict[str, Any], given: dict[bytes, bytes]) -> UnauthenticatedError | None:
        """Put the caller into the state. A refusal is returned, so that guesses at tokens are counted, too."""
        state["identity"] = LOCAL
        if self._rules.open_paths and path.startswith(self._rules.open_paths):
            return None
        try:
            identity: Identity = self._rules.authenticator.identify(given.get(b"authorization"))
        except UnauthenticatedError as error:
            return error
        state["identity"] = identity
        return None

    def _bounded(self, scope: Scope, given: dict[bytes, bytes], receive: Receive) -> Receive:
        is_audio = scope["path"] in self._rules.audio_paths
        limit_bytes = self._rules.max_audio_bytes if is_audio else self._rules.max_body_bytes
        length = given.get(b"content-length")
        if length is not None:
            check_length(length, limit_bytes)
        return limited(receive, limit_bytes) if b"transfer-encoding" in given else receive

    def _report(self, scope: Scope, status: int, started_s: float) -> None:
        if self._rules.observing is None:
            return
        state = scope["state"]
        route = getattr(scope.get("route"), "path_format", "")
        duration_s = time.perf_counter() - started_s
        known = state["request_id"], state["trace"], state.get("problem", "")
        self._rules.observing.answered(Answered(scope["method"], route, status, duration_s, *known))


def offered_token(scope: Scope) -> bytes:
    """The Authorization of a browser's WebSocket, which can send no header: a subprotocol `bearer.TOKEN`; or empty."""
    tokens = (name[len(TOKEN_PREFIX) :] for name in scope.get("subprotocols", ()) if name.startswith(TOKEN_PREFIX))
    token = next(tokens, "")
    return f"Bearer {token}".encode() if token else b""


_INTERNAL = "Something went wrong here and was logged; send it again, and tell the operator the request_id if it stays."


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return f"address:{client[0]}" if client else "address:unknown"
