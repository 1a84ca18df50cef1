"""Puts the console's pages onto the gateway's application."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from neural_hive.console import asking, browsing, entering, operating, reviewing
from neural_hive.console.door import ConsoleDoor
from neural_hive.console.rendering import STATIC, page
from neural_hive.console.visitors import visitor_of
from neural_hive.gateway.auth import LOCAL, Authenticator
from neural_hive.gateway.ports import JudgingHive

#: Beginnings of paths that the gateway's edge must let in without a token.
OPEN_PATHS = ("/static/", "/sign-in", "/sign-out", "/preferences", "/favicon.ico")
#: A file's address changes with its content, so browsers may keep it for good.
_KEEP = "public, max-age=31536000, immutable"


class _Assets(StaticFiles):
    """Static files; those asked for by version are kept by browsers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _KEEP if scope["query_string"].startswith(b"v=") else "no-cache"
        return response


def mount_console(app: FastAPI, hive: JudgingHive) -> None:
    """Add the console to the gateway's application, after its own routes and middleware.

    The edge must let OPEN_PATHS in without a token.

    Raises:
        ConfigurationError: tokens or keys in the settings are not valid.
    """
    app.state.console_authenticator = Authenticator(hive.settings)
    app.router.routes.extend(_routes())
    app.add_middleware(ConsoleDoor, problem_page=problem_page)


def _routes() -> list[Route | Mount]:
    return [
        Route("/", asking.get_ask),
        Route("/ask", asking.post_ask, methods=["POST"]),
        Route("/ask/talk", asking.get_talk),
        Route("/cases", browsing.get_cases),
        Route("/cases.csv", browsing.get_csv),
        Route("/cases.json", browsing.get_json),
        Route("/cases/{case_id}", asking.get_case),
        Route("/cases/{case_id}/live", asking.get_live),
        Route("/cases/{case_id}/reviews", reviewing.post_review, methods=["POST"]),
        Route("/reviews", reviewing.get_reviews),
        Route("/ledger", operating.get_ledger),
        Route("/ledger/verification", operating.get_verification),
        Route("/trends", operating.get_trends),
        Route("/hive", operating.get_hive),
        Route("/sign-in", entering.get_sign_in),
        Route("/sign-in", entering.post_sign_in, methods=["POST"]),
        Route("/sign-out", entering.post_sign_out, methods=["POST"]),
        Route("/preferences", entering.post_preferences, methods=["POST"]),
        Route("/favicon.ico", _get_icon),
        Mount("/static", _Assets(directory=STATIC), name="static"),
    ]


async def _get_icon(_request: Request) -> Response:
    """The icon, where browsers look for it on answers that are no page."""
    return FileResponse(STATIC / "icon.svg", headers={"Cache-Control": "public, max-age=86400"})


def problem_page(request: Request, problem: dict[str, Any]) -> HTMLResponse:
    """A problem as people like to see it: what is wrong, what to do, where to go."""
    request.scope.setdefault("state", {}).setdefault("identity", LOCAL)
    return page(request, visitor_of(request), "problem.html", status=problem["status"], problem=problem)
