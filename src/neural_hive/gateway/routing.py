"""How routes are declared: what they may answer, and a route that reads its request by hand."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from neural_hive.contracts import Record
from neural_hive.gateway.auth import Identity
from neural_hive.gateway.limits import InFlight
from neural_hive.gateway.ports import JudgingHive

API = "/api/v1"
#: Address of one case. `voice` is no id but an address of its own, so that other methods on it are 405 and not 404.
CASE = f"{API}/intents/{{case_id:case}}"
JSON = "application/json"
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}

#: What any request to the API may be answered, whatever its route.
EVERYWHERE = (400, 401, 403, 413, 421, 429, 500, 503)


class CaseIdConvertor(Convertor[str]):
    """Whatever may be meant as the id of a case."""

    regex = "(?!voice(?:/|$))[^/]+"

    def convert(self, value: str) -> str:
        """As it is; `checked_id` looks closer."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


register_url_convertor("case", CaseIdConvertor())


class HandRoute(APIRoute):
    """A route whose endpoint takes the request and gives the response: declared as others, served without ceremony."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself; FastAPI's own handler would solve dependencies and encode models."""
        return cast("Callable[[Request], Coroutine[Any, Any, Response]]", self.endpoint)


def add_by_hand(app: FastAPI, path: str, endpoint: Callable[[Request], Any], method: str, **declared: Any) -> None:
    """Add a HandRoute."""
    app.router.add_api_route(path, endpoint, methods=[method], route_class_override=HandRoute, **declared)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declares the problems of a route: its own statuses and those that are possible everywhere."""
    content = {"application/problem+json": {"schema": PROBLEM_SCHEMA}}
    return {s: {"description": HTTPStatus(s).phrase, "content": content} for s in sorted({*statuses, *EVERYWHERE})}


def json_body(model: type[BaseModel], description: str) -> dict[str, Any]:
    """Declares the JSON body of a HandRoute; `openapi.py` adds the model's schema."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"required": True, "description": description, "content": {JSON: {"schema": schema}}}


def header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """Declares an optional header of a HandRoute."""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


def path_id() -> dict[str, Any]:
    """Declares the id in a path of a HandRoute."""
    return {
        "name": "case_id",
        "in": "path",
        "required": True,
        "description": "Id of a case, as `POST /api/v1/intents` answered it.",
        "schema": {"type": "string"},
    }


def hive_of(request: Request) -> JudgingHive:
    """The hive that serves this request."""
    return cast("JudgingHive", request.app.state.hive)


def identity_of(request: Request) -> Identity:
    """Who sent this request, as the edge found out."""
    return cast("Identity", request.scope["state"]["identity"])


def in_flight_of(request: Request) -> InFlight:
    """The places for intents that are being judged."""
    return cast("InFlight", request.app.state.in_flight)


def dump(record: Record) -> bytes:
    """A record as JSON, in one step."""
    return record.__pydantic_serializer__.to_json(record)


def json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON that is already bytes."""
    return Response(body, status, headers=headers, media_type=JSON)
