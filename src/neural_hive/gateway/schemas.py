"""The published JSON Schemas of the records that cross the API; `docs/reference/schemas/` holds the same files."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from neural_hive.contracts import (
    Ask,
    Brief,
    Case,
    Decision,
    Event,
    Intent,
    Opinion,
    Page,
    Plan,
    Review,
    Transcript,
    Understanding,
    Verification,
)
from neural_hive.gateway.problems import Problem
from neural_hive.gateway.refusals import NotThereError
from neural_hive.gateway.reviews import Verdict
from neural_hive.gateway.routing import API, add_by_hand, json_response, problems

#: Name in the address → record.
SCHEMAS: dict[str, type[BaseModel]] = {
    model.__name__.lower(): model
    for model in (
        Ask,
        Brief,
        Case,
        Decision,
        Event,
        Intent,
        Opinion,
        Page,
        Plan,
        Problem,
        Review,
        Transcript,
        Understanding,
        Verdict,
        Verification,
    )
}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a published record. Raises KeyError for an unknown name."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:neural-hive:schema:{name}"}
    return head | SCHEMAS[name].model_json_schema()


def render(name: str) -> bytes:
    """The schema as its file holds it."""
    return orjson.dumps(json_schema(name), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


async def get_schema(request: Request) -> Response:
    """The JSON Schema of a record: ask, case, decision, opinion, understanding, event, …"""
    name = request.path_params["name"]
    if name not in SCHEMAS:
        raise NotThereError(f"There is no schema of this name; there are: {', '.join(sorted(SCHEMAS))}.")
    return Response(render(name), media_type="application/schema+json")


async def list_schemas(_request: Request) -> Response:
    """Where each published JSON Schema is."""
    return json_response(orjson.dumps({name: f"{API}/schemas/{name}" for name in sorted(SCHEMAS)}))


def add_routes(app: FastAPI) -> None:
    """The list and each schema."""
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": sorted(SCHEMAS)}}
    schema = {
        "description": "JSON Schema, draft 2020-12.",
        "content": {"application/schema+json": {"schema": {"type": "object"}}},
    }
    add_by_hand(
        app,
        f"{API}/schemas",
        list_schemas,
        "GET",
        tags=["reference"],
        response_model=dict[str, str],
        responses=problems(),
    )
    add_by_hand(
        app,
        f"{API}/schemas/{{name}}",
        get_schema,
        "GET",
        tags=["reference"],
        response_class=Response,
        responses=problems(404) | {200: schema},
        openapi_extra={"parameters": [name]},
    )
