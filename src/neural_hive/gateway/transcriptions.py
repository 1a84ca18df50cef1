"""`POST /v1/audio/transcriptions`: what OpenAI's speech clients send and read, answered by this hive's ear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from neural_hive.contracts import Transcript
from neural_hive.gateway.recordings import Recording, form_body, hear, invalid_field, listener_of, read_recording
from neural_hive.gateway.routing import JSON, add_by_hand, in_flight_of, json_response, problems
from neural_hive.pipeline.spoken import check_spoken
from neural_hive.understanding.speech import formats

TRANSCRIPTIONS_PATH = "/v1/audio/transcriptions"

_PLAIN: dict[str, Callable[[Transcript], str]] = {"text": formats.text, "srt": formats.srt, "vtt": formats.vtt}
_TEXT_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_GRANULARITIES = "timestamp_granularities[]"


async def post_transcription(request: Request) -> Response:
    """Transcribe a recording. What means nothing here of OpenAI's fields (`model`, `temperature`) is ignored."""
    hive = listener_of(request)
    recording = await read_recording(request)
    chosen = recording.one("response_format", "json") or "json"
    if chosen not in FORMATS:
        raise invalid_field("response_format", f"Input should be one of {', '.join(FORMATS)}")
    granularities = recording.fields.get(_GRANULARITIES, [])
    with in_flight_of(request):
        transcript = await hear(hive, _with_prompt(recording), word_times="word" in granularities)
    if transcript.has_speech:
        check_spoken(transcript)
    return _render(transcript, chosen, granularities)


def _with_prompt(recording: Recording) -> Recording:
    """OpenAI's `prompt` lists words to expect; ours is called `vocabulary`."""
    if "vocabulary" in recording.fields or not recording.one("prompt"):
        return recording
    return Recording(recording.audio, recording.fields | {"vocabulary": recording.fields["prompt"]})


def _render(transcript: Transcript, chosen: str, granularities: list[str]) -> Response:
    if chosen in _PLAIN:
        return Response(_PLAIN[chosen](transcript), media_type=_TEXT_TYPES[chosen])
    if chosen == "json":
        return json_response(orjson.dumps(formats.json(transcript)))
    with_words = "word" in granularities
    with_segments = "segment" in granularities or not granularities
    verbose = formats.verbose_json(transcript, with_words=with_words, with_segments=with_segments)
    return json_response(orjson.dumps(verbose))


def add_routes(app: FastAPI) -> None:
    """The one address that speech clients know."""
    fields: dict[str, Any] = {
        "model": {"type": "string", "description": "Accepted and ignored: the hive has one ear."},
        "language": {"type": "string", "enum": ["pt", "en", "es"], "description": "Language spoken, if known."},
        "prompt": {"type": "string", "description": "Names and terms to expect, separated by commas."},
        "response_format": {"type": "string", "enum": list(FORMATS), "default": "json"},
        "temperature": {"type": "number", "description": "Accepted and ignored."},
        _GRANULARITIES: {"type": "array", "items": {"type": "string", "enum": ["word", "segment"]}},
    }
    text = {"schema": {"type": "string"}}
    heard = {
        "description": "What was said, in the chosen format.",
        "content": {JSON: {"schema": {"type": "object"}}} | dict.fromkeys(_TEXT_TYPES.values(), text),
    }
    add_by_hand(
        app,
        TRANSCRIPTIONS_PATH,
        post_transcription,
        "POST",
        tags=["speech"],
        response_class=Response,
        responses=problems(415, 422, 501) | {200: heard},
        openapi_extra={"requestBody": form_body("As OpenAI's clients send it.", fields, raw=False)},
    )
