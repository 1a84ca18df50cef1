"""The console's outermost layer: a cookie becomes an Authorization header, a problem becomes a page.

The gateway's edge and routes stay as they are: they see tokens as any client sends them, and answer problem+json.
Here a browser's cookie is translated on the way in, and a problem on the way out, where the browser wants a page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from neural_hive.console.visitors import is_from_own_page, token_in

PROBLEM = "application/problem+json"
#: Beginnings of paths that are for programs: they always get what the API answers.
_FOR_PROGRAMS = ("/api/", "/v1/", "/health", "/ready", "/metrics", "/static/")
#: Headers of a problem that its page does not keep.
_REPLACED = frozenset({b"content-type", b"content-length", b"www-authenticate"})

ProblemPage = Callable[[Request, dict[str, Any]], Response]


class ConsoleDoor:
    """Translates between browsers and the gateway."""

    def __init__(self, app: ASGIApp, problem_page: ProblemPage) -> None:
        self._app = app
        self._problem_page = problem_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _with_token(scope)
        if wants_page(scope):
            await self._app(scope, receive, _Translator(scope, receive, send, self._problem_page))
        else:
            await self._app(scope, receive, send)


def wants_page(scope: Scope) -> bool:
    """Whether a person waits for this answer in a browser."""
    headers = Headers(scope=scope)
    asks_for_page = "text/html" in headers.get("accept", "") or "hx-request" in headers
    return asks_for_page and not scope["path"].startswith(_FOR_PROGRAMS)


def _with_token(scope: Scope) -> Scope:
    headers = Headers(scope=scope)
    token = token_in(headers)
    if token is None or "authorization" in headers or not is_from_own_page(headers, scope["method"]):
        return scope
    bearer = (b"authorization", b"Bearer " + token.encode("latin-1", "replace"))
    return {**scope, "headers": [*scope["headers"], bearer]}


class _Translator:
    """A `send` that turns a problem into a page and passes everything else on at once."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, problem_page: ProblemPage) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._problem_page = problem_page
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._answer(self._start)

    async def _answer(self, start: Message) -> None:
        request = Request(self._scope)
        problem = orjson.loads(self._body)
        page = to_sign_in(request) if start["status"] == 401 else self._problem_page(request, problem)
        kept = [(name, value) for name, value in start["headers"] if name.lower() not in _REPLACED]
        page.raw_headers = [*kept, *page.raw_headers]
        await page(self._scope, self._receive, self._send)


def _is_problem(start: Message) -> bool:
    return str(MutableHeaders(raw=list(start["headers"])).get("content-type", "")).startswith(PROBLEM)


def to_sign_in(request: Request) -> Response:
    """The way to the sign-in page and, after it, back here."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = quote(target) if request.method == "GET" and "hx-request" not in request.headers else "/"
    location = f"/sign-in?next={back}"
    if "hx-request" in request.headers:
        return Response(status_code=200, headers={"HX-Redirect": location})
    return Response(status_code=303, headers={"Location": location})
