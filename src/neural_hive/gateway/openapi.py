"""The OpenAPI document: what FastAPI derives from the routes, and the bodies that routes read by hand."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from neural_hive.gateway.problems import Problem
from neural_hive.gateway.routing import API, json_response

#: Paths of the reference; open to everybody where HIVE_DOCS is on.
REFERENCE_PATHS = (f"{API}/openapi.json", f"{API}/docs", f"{API}/schemas")

_REF = "#/components/schemas/{model}"
_SECURITY = {"bearer": {"type": "http", "scheme": "bearer", "description": "A static token or a JWT."}}


def describe(
    app: FastAPI, *, bodies: tuple[type[BaseModel], ...], needs_token: bool, max_text_chars: int = 10_000
) -> dict[str, Any]:
    """The document of `app`. bodies: records that routes read by hand. max_text_chars: longest text."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    by_hand: tuple[type[BaseModel], ...] = (Problem, *bodies)
    _, extra = models_json_schema([(model, "validation") for model in by_hand], ref_template=_REF)
    schemas.update({name: schema for name, schema in extra["$defs"].items() if name not in schemas})
    if "Ask" in schemas:
        _tighten_ask(schemas, max_text_chars)
    if needs_token:
        document["components"]["securitySchemes"] = _SECURITY
        document["security"] = [{"bearer": []}]
    return document


#: No NUL anywhere; for a text also a letter or a digit somewhere.
_NO_NUL = r"^[^\u0000]*$"
_TEXT = r"^[^\u0000]*[\p{L}\p{N}][^\u0000]*$"
_FACT = {
    "description": "Any JSON value that can be recorded: finite numbers, integers of 64 bits, no NUL.",
    "anyOf": [
        {"type": "null"},
        {"type": "boolean"},
        {"type": "integer", "minimum": -(2**63) + 1, "maximum": 2**63 - 1},
        {"type": "number"},
        {"type": "string", "pattern": _NO_NUL},
        {"type": "array", "items": {"$ref": "#/components/schemas/Fact"}},
        {
            "type": "object",
            "propertyNames": {"pattern": _NO_NUL},
            "additionalProperties": {"$ref": "#/components/schemas/Fact"},
        },
    ],
}


def _tighten_ask(schemas: dict[str, Any], max_text_chars: int) -> None:
    """Say of an Ask what `bodies.py` and `clean_text` demand beyond the record's types, as far as a schema can."""
    schemas["Fact"] = _FACT
    fields = schemas["Ask"]["properties"]
    fields["text"] |= {"pattern": _TEXT, "maxLength": max_text_chars}
    for name in ("context", "constraints"):
        fields[name] |= {
            "propertyNames": {"pattern": _NO_NUL},
            "additionalProperties": {"$ref": "#/components/schemas/Fact"},
        }


def add_document(app: FastAPI, **described: Any) -> None:
    """Serve the document at `/api/v1/openapi.json`. described: as for `describe`."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app, **described)
        return app.openapi_schema

    async def get_document(_request: Request) -> Response:
        return json_response(orjson.dumps(app.openapi()))

    app.openapi = openapi  # type: ignore[method-assign]
    app.router.add_route(f"{API}/openapi.json", get_document, include_in_schema=False)
