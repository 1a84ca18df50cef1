"""Signing in and out, and preferences."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from neural_hive.console.rendering import page
from neural_hive.console.visitors import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    check_own_form,
    own_path,
    remember,
    sign_in,
    sign_out,
    visitor_of,
)
from neural_hive.console.wording import LANGUAGES
from neural_hive.errors import UnauthenticatedError
from neural_hive.gateway.auth import Authenticator


async def get_sign_in(request: Request) -> Response:
    """A field for the token."""
    return _sign_in_page(request, own_path(request.query_params.get("next")))


async def post_sign_in(request: Request) -> Response:
    """Keep the token if the hive knows it."""
    check_own_form(request)
    form = await request.form()
    token, back = str(form.get("token", "")).strip(), own_path(str(form.get("next", "/")))
    authenticator: Authenticator = request.app.state.console_authenticator
    try:
        authenticator.identify(b"Bearer " + token.encode("latin-1", "replace"))
    except UnauthenticatedError:
        return _sign_in_page(request, back, is_refused=True)
    response = RedirectResponse(back, 303)
    sign_in(response, request, token)
    return response


def _sign_in_page(request: Request, back: str, is_refused: bool = False) -> Response:
    status = 401 if is_refused else 200
    return page(request, visitor_of(request), "sign_in.html", status=status, back=back, is_refused=is_refused)


async def post_sign_out(request: Request) -> Response:
    """Forget the token."""
    check_own_form(request)
    response = RedirectResponse("/sign-in", 303)
    sign_out(response)
    return response


async def post_preferences(request: Request) -> Response:
    """Keep the language or the theme that was chosen, and go back."""
    check_own_form(request)
    form = await request.form()
    language, theme = str(form.get("language", "")), str(form.get("theme", ""))
    response = RedirectResponse(own_path(str(form.get("back", "/"))), 303)
    if language in LANGUAGES:
        remember(response, request, LANGUAGE_COOKIE, language)
    if theme in THEMES:
        remember(response, request, THEME_COOKIE, theme)
    return response
