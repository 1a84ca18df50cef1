"""Intents in, cases out: `POST /api/v1/intents`, and reading cases again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Query
from pydantic import Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from neural_hive.contracts import Ask, Caller, Case, CaseStatus, Channel, Domain, Outcome, Page, Record
from neural_hive.errors import NotFoundError
from neural_hive.gateway.bodies import read_ask
from neural_hive.gateway.refusals import FieldError, InvalidFieldsError
from neural_hive.gateway.routing import (
    API,
    CASE,
    add_by_hand,
    dump,
    header,
    hive_of,
    identity_of,
    in_flight_of,
    json_body,
    json_response,
    path_id,
    problems,
)
from neural_hive.pipeline.intake import body_digest
from neural_hive.ports import CaseQuery, IdempotencyKey, Related

MAX_KEY_CHARS = 200
_CASE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RELATED: TypeAdapter[Related] = TypeAdapter(Related)


class Receipt(Record):
    """The answer to an intent that is judged later."""

    id: str = Field(description="Id of the case; read it at the address in Location.")
    status: CaseStatus = Field(description="accepted, or decided if an Idempotency-Key found an older case.")


IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "Your word for this request. The same key and body are answered with the same case; with another body, 409.",
    maxLength=MAX_KEY_CHARS,
    pattern="^[!-~]([ -~]*[!-~])?$",
)
PREFER = header("Prefer", "`respond-async` answers 202 as soon as the intent is recorded.")
LOCATION = {"Location": {"description": "Where the case can be read.", "schema": {"type": "string"}}}
APPLIED = {"Preference-Applied": {"description": "respond-async", "schema": {"type": "string"}}}
CASE_ANSWERS = {
    201: {"model": Case, "description": "Judged and recorded.", "headers": LOCATION},
    202: {"model": Receipt, "description": "Recorded; will be judged.", "headers": LOCATION | APPLIED},
}


async def post_intent(request: Request) -> Response:
    """Judge an intent: what is wanted, in Portuguese, English or Spanish, in; a decision with reasons out."""
    hive = hive_of(request)
    ask = await read_ask(request, hive.settings.max_text_chars)
    return await answer_ask(request, ask, caller_of(request))


async def answer_ask(request: Request, ask: Ask, caller: Caller) -> Response:
    """Judge now, or record and judge later where the caller prefers that.

    For an Idempotency-Key, fields left out and fields at their default are the same body.
    """
    key = idempotency_key(request, lambda: body_digest(ask))
    if wants_async(request):
        return receipt(await hive_of(request).submit(ask, caller, key))
    with in_flight_of(request):
        return answer(await hive_of(request).ask(ask, caller, key))


def answer(case: Case) -> Response:
    """201 with the decided case; 202 if another process that got the same key still judges it."""
    if case.status is CaseStatus.ACCEPTED:
        return receipt(case)
    return json_response(dump(case), 201, {"Location": f"{API}/intents/{case.id}"})


def receipt(case: Case) -> Response:
    """202: recorded, and where the case can be read."""
    headers = {"Location": f"{API}/intents/{case.id}", "Preference-Applied": "respond-async"}
    return json_response(dump(Receipt(id=case.id, status=case.status)), 202, headers)


def caller_of(request: Request, channel: Channel = Channel.API) -> Caller:
    """Who asks, for the hive."""
    identity = identity_of(request)
    trace = request.scope["state"]["trace"]
    return Caller(tenant=identity.tenant, actor=identity.actor, channel=channel, trace=trace)


def idempotency_key(request: Request, asked: Callable[[], str]) -> IdempotencyKey | None:
    """The request's key with the digest of what is asked. asked: makes the digest, only if there is a key.

    Raises:
        InvalidFieldsError: the key is empty, too long or not printable ASCII.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_CHARS or not (key.isascii() and key.isprintable()):
        reason = f"The key must have 1 to {MAX_KEY_CHARS} printable ASCII characters."
        raise InvalidFieldsError((FieldError("header/Idempotency-Key", reason),), f"Idempotency-Key: {reason}")
    return IdempotencyKey(key, asked())


def wants_async(request: Request) -> bool:
    """Whether `Prefer` says respond-async. Source: RFC 7240, section 4.1."""
    preferences = request.headers.get("prefer", "")
    return any(p.partition(";")[0].strip().lower() == "respond-async" for p in preferences.split(","))


def checked_id(case_id: str) -> str:
    """The id, if it can be one. Raises NotFoundError otherwise, without asking the ledger."""
    if _CASE_ID.fullmatch(case_id) is None:
        raise NotFoundError
    return case_id


async def get_intent(request: Request) -> Response:
    """One case with all that is known of it."""
    case_id = checked_id(request.path_params["case_id"])
    return json_response(dump(await hive_of(request).case(identity_of(request).tenant, case_id)))


async def get_related(request: Request) -> Response:
    """Similar cases, and the systems that the case mentions."""
    case_id = checked_id(request.path_params["case_id"])
    related = await hive_of(request).related(identity_of(request).tenant, case_id)
    return json_response(_RELATED.dump_json(related))


Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Most cases on a page.")]


async def list_intents(
    request: Request,
    cursor: Cursor = None,
    limit: Limit = 50,
    outcome: Annotated[Outcome | None, Query(description="Only cases decided so.")] = None,
    domain: Annotated[Domain | None, Query(description="Only cases of this domain.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Words of the recorded text.")] = None,
) -> Response:
    """Cases of your tenant, newest first."""
    tenant = identity_of(request).tenant
    query = CaseQuery(tenant, limit, cursor, outcome, domain.value if domain else None, (q or "").strip() or None)
    return json_response(dump(await hive_of(request).cases(query)))


def add_routes(app: FastAPI) -> None:
    """`POST /intents` first: it is asked for most, and routes are tried in order."""
    add_by_hand(
        app,
        f"{API}/intents",
        post_intent,
        "POST",
        tags=["intents"],
        status_code=201,
        response_model=Case,
        responses=problems(409, 415, 422) | CASE_ANSWERS,
        openapi_extra={
            "requestBody": json_body(Ask, "What is wanted."),
            "parameters": [IDEMPOTENCY_KEY, PREFER],
        },
    )
    app.get(f"{API}/intents", response_model=Page, responses=problems(422), tags=["intents"])(list_intents)
    one = {"tags": ["intents"], "responses": problems(404), "openapi_extra": {"parameters": [path_id()]}}
    add_by_hand(app, CASE, get_intent, "GET", response_model=Case, **one)
    add_by_hand(app, f"{CASE}/related", get_related, "GET", response_model=Related, **one)
