"""The hive about itself: its specialists, and whether its ledger is intact."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from neural_hive.contracts import Verification
from neural_hive.gateway.routing import API, add_by_hand, dump, hive_of, json_response, problems


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
