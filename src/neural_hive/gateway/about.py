"""The hive about itself: its specialists, and whether its ledger is intact."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from neural_hive.contracts import Verification
from neural_hive.gateway.routing import API, add_by_hand, dump, hive_of, identity_of, json_response, problems
from neural_hive.storage.ledger.chain import export_line

#: Newline-delimited JSON.
NDJSON = "application/x-ndjson"


class SpecialistList(BaseModel):
    """The specialists that are asked."""

    model_config = ConfigDict(extra="forbid")

    items: list[dict[str, Any]] = Field(description="One per specialist: name, where it lives, model hash, concerns, state.")


async def get_specialists(request: Request) -> Response:
    """Who is asked for an opinion, what they know, and how they are."""
    return json_response(orjson.dumps({"items": hive_of(request).specialists()}))


async def get_verification(request: Request) -> Response:
    """Check every entry of the ledger and every link between them. Takes time on a large ledger."""
    return json_response(dump(await hive_of(request).verify()))


async def get_export(request: Request) -> Response:
    """Every ledger entry of your tenant, oldest first, one JSON object a line, each with its hash.

    `hive ledger verify --file F --one-tenant` checks the copy anywhere.
    """
    entries = hive_of(request).export(identity_of(request).tenant)
    first = await anext(entries, None)  # what is refused is refused before the answer begins
    return StreamingResponse(_lines(first, entries), media_type=NDJSON)


async def _lines(first: dict[str, Any] | None, rest: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    if first is not None:
        yield export_line(first) + b"\n"
        async for entry in rest:
            yield export_line(entry) + b"\n"


def add_routes(app: FastAPI) -> None:
    """Specialists and the ledger."""
    add_by_hand(
        app,
        f"{API}/specialists",
        get_specialists,
        "GET",
        tags=["hive"],
        response_model=SpecialistList,
        responses=problems(),
    )
    add_by_hand(
        app,
        f"{API}/ledger/verify",
        get_verification,
        "GET",
        tags=["hive"],
        response_model=Verification,
        responses=problems(),
    )
    add_by_hand(
        app,
        f"{API}/ledger/export",
        get_export,
        "GET",
        tags=["hive"],
        response_class=StreamingResponse,
        responses=problems() | {200: {"description": "The entries.", "content": {NDJSON: {"schema": {"type": "string"}}}}},
    )
