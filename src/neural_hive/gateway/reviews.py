"""People's verdicts, and the queue of cases that wait for one."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from neural_hive.contracts import Case, Outcome, Page, Record
from neural_hive.gateway.auth import Role
from neural_hive.gateway.bodies import read_json
from neural_hive.gateway.intents import Cursor, Limit, checked_id
from neural_hive.gateway.routing import (
    API,
    CASE,
    add_by_hand,
    dump,
    hive_of,
    identity_of,
    json_body,
    json_response,
    path_id,
    problems,
)
from neural_hive.ports import CaseQuery

#: Who reviewed, when nobody is asked for a name.
UNNAMED_REVIEWER = "local"


class Verdict(Record):
    """What a person decides about a case: the body of `POST /api/v1/intents/{id}/reviews`."""

    verdict: Outcome = Field(description="approved, conditional, needs_review or rejected.")
    comment: str = Field(default="", max_length=4000, pattern=r"^[^\u0000]*$", description="Why. Personal data in it is masked.")


async def post_review(request: Request) -> Response:
    """Record your verdict on a decided case. Needs the role reviewer where tokens are used."""
    identity = identity_of(request)
    identity.require(Role.REVIEWER)
    case_id = checked_id(request.path_params["case_id"])
    verdict = await read_json(request, Verdict)
    case = await hive_of(request).review(
        identity.tenant,
        case_id,
        reviewer=identity.actor or UNNAMED_REVIEWER,
        verdict=verdict.verdict,
        comment=verdict.comment.strip(),
    )
    return json_response(dump(case), 201, {"Location": f"{API}/intents/{case.id}"})


async def list_waiting(request: Request, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Cases of your tenant that wait for a person, newest first."""
    query = CaseQuery(identity_of(request).tenant, limit, cursor, waiting=True)
    return json_response(dump(await hive_of(request).cases(query)))


def add_routes(app: FastAPI) -> None:
    """Verdicts and the queue."""
    add_by_hand(
        app,
        f"{CASE}/reviews",
        post_review,
        "POST",
        tags=["reviews"],
        status_code=201,
        response_model=Case,
        response_description="Recorded; the case with the verdict.",
        responses=problems(404, 409, 415, 422),
        openapi_extra={"requestBody": json_body(Verdict, "Your verdict."), "parameters": [path_id()]},
    )
    app.get(f"{API}/reviews", response_model=Page, responses=problems(422), tags=["reviews"])(list_waiting)
