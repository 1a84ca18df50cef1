"""Who is at the console: the token cookie, preferences, and the check that a form was sent by our own page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from neural_hive.console.wording import Wording, choose_language, wording
from neural_hive.errors import ForbiddenError
from neural_hive.gateway.auth import Identity
from neural_hive.gateway.routing import hive_of, identity_of

TOKEN_COOKIE, LANGUAGE_COOKIE, THEME_COOKIE = "hive_token", "hive_language", "hive_theme"
THEMES = ("auto", "light", "dark")
#: Preferences are kept for a year, a token until the browser is closed.
_PREFERENCE_S = 365 * 24 * 3600
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Cookies = Mapping[str, str]


class ForeignFormError(ForbiddenError):
    """This form was not sent by a page of this hive; open the page again and repeat it."""

    code = "foreign-form"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person at the console.

    signed_in: whether a token cookie says who they are. answer_language: what decisions are written in, empty for the asker's.
    """

    identity: Identity
    t: Wording
    theme: Literal["auto", "light", "dark"]
    signed_in: bool
    answer_language: str


def visitor_of(request: Request) -> Visitor:
    """Who asks, and how they want to see things."""
    cookies = request.cookies
    chosen = hive_of(request).settings.answer_language
    return Visitor(identity_of(request), language_of(request), _theme(cookies), TOKEN_COOKIE in cookies, chosen)


def language_of(request: Request) -> Wording:
    """The console in the visitor's language."""
    chosen = choose_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
    return wording(chosen)


def _theme(cookies: Cookies) -> Literal["auto", "light", "dark"]:
    match cookies.get(THEME_COOKIE):
        case "light":
            return "light"
        case "dark":
            return "dark"
        case _:
            return "auto"


def check_own_form(request: Request) -> None:
    """Refuse a form that a page of another site made the browser send.

    Browsers say where a request comes from in Sec-Fetch-Site, older ones in Origin; without either it is no
    browser's form.
    Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "Fetch Metadata headers" and "standard headers".

    Raises:
        ForeignFormError: the request is not from this origin.
    """
    if not is_from_own_page(request.headers, request.method):
        raise ForeignFormError


def is_from_own_page(headers: Headers, method: str) -> bool:
    """Whether the request comes from a page of this origin, or is a safe one that the person made themselves."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin" or (site == "none" and method in _SAFE_METHODS)
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == headers.get("host", "")
    return method in _SAFE_METHODS


def token_in(headers: Headers) -> str | None:
    """The token that the browser carries for its person."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookies.get(TOKEN_COOKIE)
    return found.value if found is not None and found.value else None


def own_path(path: str | None) -> str:
    """`path` if it leads to a page of this console, else the first page. Guards against open redirects."""
    if path is None or not path.startswith("/") or path.startswith(("//", "/\\")):
        return "/"
    return path if all(" " <= c != "\\" for c in path) else "/"


def remember(response: Response, request: Request, name: str, value: str) -> None:
    """Keep a preference."""
    is_tls = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=_PREFERENCE_S, samesite="strict", httponly=True, secure=is_tls, path="/")


def sign_in(response: Response, request: Request, token: str) -> None:
    """Keep the token where no script can read it."""
    is_tls = request.url.scheme == "https"
    response.set_cookie(TOKEN_COOKIE, token, samesite="strict", httponly=True, secure=is_tls, path="/")


def sign_out(response: Response) -> None:
    """Forget the token."""
    response.delete_cookie(TOKEN_COOKIE, path="/", samesite="strict", httponly=True)
