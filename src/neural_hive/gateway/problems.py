"""Every error as `application/problem+json` (RFC 9457): what is wrong and what to do, never what was sent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from neural_hive.contracts import Record
from neural_hive.errors import ForbiddenError, HiveError, OverloadedError, TextRejectedError, UnauthenticatedError
from neural_hive.gateway.refusals import (
    FieldError,
    InvalidFieldsError,
    MalformedRequestError,
    MethodNotAllowedError,
    NotThereError,
)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:neural-hive:problem:"
#: Longest piece of a caller's own names (of fields) that an answer repeats, in characters.
_MAX_NAME_CHARS = 80
_OUTSIDE_BODY = frozenset({"query", "header", "path"})


class ProblemField(Record):
    """One thing that is wrong with a request."""

    pointer: str = Field(description="Where: an RFC 6901 pointer into the body, or `query/name`, `header/name`.")
    reason: str = Field(description="What is wrong with it.")


class Problem(Record):
    """An error as RFC 9457 describes it."""

    type: str = Field(description="A stable name of the kind of problem: urn:neural-hive:problem:….")
    title: str = Field(description="The kind of problem in words; the same for every problem of the type.")
    status: int = Field(ge=400, le=599, description="The HTTP status.")
    detail: str = Field(description="What is wrong this time, and what to do.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Id of this request, also in X-Request-ID and in the logs.")
    errors: tuple[ProblemField, ...] = Field(default=(), description="What is wrong field by field, where it is known.")


def problem_response(error: HiveError, scope: Mapping[str, Any]) -> Response:
    """The answer to a request that ended with `error`."""
    scope.get("state", {})["problem"] = error.code
    return Response(_encode(problem_body(error, scope)), error.status, headers=_headers(error), media_type=MEDIA_TYPE)


def problem_body(error: HiveError, scope: Mapping[str, Any]) -> dict[str, Any]:
    """`Problem` as JSON has it."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": title(error),
        "status": error.status,
        "detail": str(error),
        "instance": scope.get("path", ""),
        "request_id": scope.get("state", {}).get("request_id", ""),
    }
    if errors := field_errors(error):
        body["errors"] = [{"pointer": e.pointer, "reason": e.reason} for e in errors]
    return body


def title(error: HiveError) -> str:
    """The first sentence of the class's docstring, without what to do about it."""
    text = " ".join((type(error).__doc__ or "").split())
    return text.split(". ")[0].split("; ")[0].rstrip(".") or HTTPStatus(error.status).phrase


def field_errors(error: HiveError) -> Sequence[FieldError]:
    """What `error` says of single fields."""
    if isinstance(error, InvalidFieldsError):
        return error.errors
    if isinstance(error, TextRejectedError):
        return (FieldError("/text", str(error)),)
    return ()


def _headers(error: HiveError) -> dict[str, str]:
    if isinstance(error, OverloadedError):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))}
    if isinstance(error, UnauthenticatedError):
        return {"WWW-Authenticate": 'Bearer realm="neural-hive"'}
    if error.status == 503:
        return {"Retry-After": "1"}
    return {}


def _encode(body: dict[str, Any]) -> bytes:
    """JSON; what is not Unicode (a path of arbitrary bytes) is replaced."""
    try:
        return orjson.dumps(body)
    except TypeError:
        body["instance"] = body["instance"].encode("utf-8", "replace").decode()
        return orjson.dumps(body)


def invalid_fields(errors: Iterable[Mapping[str, Any]]) -> InvalidFieldsError:
    """Pydantic's errors as ours. Messages say what is expected, so that no input is repeated."""
    found = tuple(FieldError(_pointer(e["loc"]), _reason(e)) for e in errors)
    first = found[0]
    return InvalidFieldsError(found, f"{first.pointer or '/'}: {first.reason}")


def _pointer(loc: Sequence[str | int]) -> str:
    """Where an error is: `query/limit`, or a pointer into the body."""
    parts = [str(p)[:_MAX_NAME_CHARS].replace("~", "~0").replace("/", "~1") for p in loc]
    return "/".join(parts if parts and parts[0] in _OUTSIDE_BODY else ["", *parts])


def _reason(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "There is no such field; remove it."
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[0].upper() + message[1:]


def install(app: FastAPI) -> None:
    """Make `app` answer every error that it knows with a problem."""
    app.add_exception_handler(HiveError, _on_hive_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


async def _on_hive_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HiveError)
    return problem_response(error, request.scope)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(invalid_fields(error.errors()), request.scope)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        response = problem_response(MethodNotAllowedError(), request.scope)
        response.headers["Allow"] = ", ".join(allowed_methods(request))
        return response
    if error.status_code == 404:
        return problem_response(NotThereError(), request.scope)
    if error.status_code == 403:
        return problem_response(ForbiddenError(), request.scope)
    return problem_response(MalformedRequestError(str(error.detail)), request.scope)


def allowed_methods(request: Request) -> list[str]:
    """Every method that the address takes, over all its routes."""
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return sorted(methods)
