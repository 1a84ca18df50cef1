"""`POST /api/v1/intents/voice`: a recording in, the same case out as for a text, with what was heard."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from neural_hive.canonical import digest
from neural_hive.contracts import Case, Channel, Language
from neural_hive.gateway.intents import (
    CASE_ANSWERS,
    IDEMPOTENCY_KEY,
    PREFER,
    answer,
    caller_of,
    idempotency_key,
    receipt,
    wants_async,
)
from neural_hive.gateway.recordings import Recording, form_body, hear, listener_of, read_recording
from neural_hive.gateway.routing import API, add_by_hand, in_flight_of, problems
from neural_hive.pipeline.spoken import ask_of

VOICE_PATH = f"{API}/intents/voice"

_LANGUAGE = {"type": "string", "enum": [language.value for language in Language]}
_FIELDS = {
    "language": _LANGUAGE | {"description": "Language spoken, if the caller knows it."},
    "vocabulary": {"type": "string", "description": "Names and terms to expect, separated by commas."},
}


async def post_voice(request: Request) -> Response:
    """Judge a spoken intent. `Prefer: respond-async` answers as soon as it is heard and recorded."""
    hive = listener_of(request)
    recording = await read_recording(request)
    caller = caller_of(request, Channel.VOICE)
    key = idempotency_key(request, lambda: _digest(recording))
    with in_flight_of(request):
        transcript = await hear(hive, recording)
        ask = ask_of(transcript)
        if wants_async(request):
            return receipt(await hive.submit(ask, caller, key, transcript=transcript))
        return answer(await hive.ask(ask, caller, key, transcript=transcript))


def _digest(recording: Recording) -> str:
    """What makes two recordings one for an Idempotency-Key: the same sound and the same fields."""
    fields = sorted((name, value) for name, values in recording.fields.items() for value in values)
    return digest(f"{digest(recording.audio)} {fields}".encode())


def add_routes(app: FastAPI) -> None:
    """The one address for recordings."""
    raw_language = {"name": "language", "in": "query", "required": False, "schema": _LANGUAGE}
    add_by_hand(
        app,
        VOICE_PATH,
        post_voice,
        "POST",
        tags=["intents"],
        status_code=201,
        response_model=Case,
        responses=problems(409, 415, 422, 501) | CASE_ANSWERS,
        openapi_extra={
            "requestBody": form_body("A recording of at most two minutes or so.", _FIELDS, raw=True),
            "parameters": [IDEMPOTENCY_KEY, PREFER, raw_language],
        },
    )
