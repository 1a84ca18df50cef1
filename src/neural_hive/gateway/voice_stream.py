"""WebSocket `/api/v1/voice`: sound in while somebody talks, what was heard so far out, and the case when they stop.

client → {"type": "start", "language"?: "pt", "vocabulary"?: ["LGPD"], "sample_rate"?: 16000}
server → {"type": "ready"}
client → binary messages: 16-bit PCM, little-endian, mono, 16 kHz; then, if the end is known, {"type": "end"}
server → {"type": "partial", "text": …}, at most one for each half second of sound
server → {"type": "final", "text": …, "reason": "pause" | "end"}, then {"type": "case", "id": …, …} and the end

Or, at any time, {"type": "problem", "problem": …} with the problem that HTTP would answer, and the end. One intent a connection.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Annotated, Any, Literal, cast

import orjson
import structlog
from fastapi import FastAPI
from pydantic import Field, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from neural_hive.contracts import Caller, Case, Channel, Language, Record, Transcript
from neural_hive.errors import HiveError, NoSpeechError, NoSpeechModelError
from neural_hive.gateway.limits import InFlight
from neural_hive.gateway.microphone import Microphone, next_message
from neural_hive.gateway.ports import ListeningHive
from neural_hive.gateway.problems import invalid_fields, problem_body, problem_response
from neural_hive.gateway.recordings import MAX_VOCABULARY
from neural_hive.gateway.refusals import MalformedBodyError
from neural_hive.gateway.routing import API, dump
from neural_hive.pipeline.spoken import ask_of, joined
from neural_hive.understanding.speech.streaming import Reason

STREAM_PATH = f"{API}/voice"
#: The subprotocol. A browser that shows a token offers this and `bearer.TOKEN`.
PROTOCOL = "neural-hive"
#: How a connection ends after a problem. Source: RFC 6455, section 7.4.1, and the IANA registry of close codes.
_POLICY, _INTERNAL, _TRY_LATER = 1008, 1011, 1013

logger = structlog.get_logger(__name__)


class Start(Record):
    """A client's first message."""

    type: Literal["start"]
    language: Language | None = Field(default=None, description="Language spoken, if the client knows it.")
    vocabulary: tuple[Annotated[str, Field(max_length=60)], ...] = Field(
        default=(), max_length=MAX_VOCABULARY, description="Names and terms to expect."
    )
    sample_rate: Literal[16000] = Field(default=16000, description="Samples a second; there is one choice.")


def places(limit: int) -> InFlight:
    """Room for conversations."""
    return InFlight(limit, "conversations are going on")


async def voice(socket: WebSocket) -> None:
    """One spoken intent."""
    try:
        hive = _listener_of(socket)
        with cast("InFlight", socket.app.state.voices):
            await socket.accept(subprotocol=PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
            await _converse(socket, hive)
    except HiveError as error:
        await socket.send_denial_response(problem_response(error, socket.scope))


def _listener_of(socket: WebSocket) -> ListeningHive:
    hive = socket.app.state.hive
    if not hasattr(hive, "listen"):
        raise NoSpeechModelError
    return cast("ListeningHive", hive)


async def _converse(socket: WebSocket, hive: ListeningHive) -> None:
    """Everything after the opening; ends with the connection closed."""
    try:
        transcript = await _hear(socket, hive)
        case = await _judge(socket, hive, transcript)
        await socket.send_text('{"type":"case",' + dump(case)[1:].decode())
        await socket.close()
    except HiveError as error:
        await _refuse(socket, error)
    except WebSocketDisconnect:
        logger.info("client_went_away", request_id=socket.scope["state"]["request_id"])


async def _hear(socket: WebSocket, hive: ListeningHive) -> Transcript:
    """What was said up to the first pause. Utterances that were cut for their length belong together."""
    start = await _started(socket)
    await _tell(socket, {"type": "ready"})
    microphone = Microphone(socket)
    reading = asyncio.create_task(microphone.listen())
    try:
        return await _utterance(socket, hive, microphone, start)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _utterance(socket: WebSocket, hive: ListeningHive, microphone: Microphone, start: Start) -> Transcript:
    parts: list[Transcript] = []
    language = start.language.value if start.language else None
    stream = cast("Any", hive.listen(microphone.chunks(), language=language, vocabulary=start.vocabulary))
    reason = Reason.END
    async with aclosing(stream):
        async for heard in stream:
            so_far = joined([*parts, heard.transcript])
            if heard.is_final:
                parts.append(heard.transcript)
            if heard.is_final and heard.reason is not Reason.LENGTH:
                reason = heard.reason
                break
            if so_far.text:
                await _tell(socket, _message("partial", so_far))
    if not parts:
        raise NoSpeechError
    whole = joined(parts)
    await _tell(socket, _message("final", whole) | {"reason": reason.value})
    return whole


async def _judge(socket: WebSocket, hive: ListeningHive, transcript: Transcript) -> Case:
    state = socket.scope["state"]
    identity = state["identity"]
    caller = Caller(tenant=identity.tenant, actor=identity.actor, channel=Channel.VOICE, trace=state["trace"])
    with cast("InFlight", socket.app.state.in_flight):
        return await hive.ask(ask_of(transcript), caller, transcript=transcript)


async def _started(socket: WebSocket) -> Start:
    message = await next_message(socket)
    if isinstance(message, bytes):
        raise MalformedBodyError('Send {"type": "start"} first, then sound.')
    try:
        return Start.model_validate_json(orjson.dumps(message))
    except ValidationError as error:
        raise invalid_fields(cast("Any", error.errors())) from error


def _message(kind: str, transcript: Transcript) -> dict[str, Any]:
    return {
        "type": kind,
        "text": transcript.text,
        "language": transcript.language,
        "confidence": round(transcript.confidence, 4),
        "duration_s": round(transcript.duration_s, 2),
    }


async def _refuse(socket: WebSocket, error: HiveError) -> None:
    """Say what is wrong and end; a client that has gone already needs neither."""
    code = _TRY_LATER if error.status in (429, 501, 503) else _POLICY if error.status < 500 else _INTERNAL
    try:
        await _tell(socket, {"type": "problem", "problem": problem_body(error, socket.scope)})
        await socket.close(code, error.code)
    except WebSocketDisconnect:
        logger.info("client_went_away", request_id=socket.scope["state"]["request_id"])


async def _tell(socket: WebSocket, message: dict[str, Any]) -> None:
    await socket.send_text(orjson.dumps(message).decode())


def add_routes(app: FastAPI) -> None:
    """The one address for conversations. WebSockets are no part of OpenAPI; docs/how-to/listen.md describes it."""
    app.router.add_websocket_route(STREAM_PATH, voice)
