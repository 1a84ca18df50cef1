"""What happens to a case, as it happens: server-sent events, resumable, ending when the case is decided."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from neural_hive.contracts import Event, EventType
from neural_hive.gateway.intents import checked_id
from neural_hive.gateway.routing import CASE, add_by_hand, dump, header, hive_of, identity_of, path_id, problems

#: Silence after which a comment keeps proxies from closing the connection, in seconds.
#: Source: WHATWG HTML, section 9.2.7 (authoring notes): a comment line every 15 seconds or so.
KEEP_ALIVE_S = 15.0
_KEEP_ALIVE = b": keep-alive\n\n"
_RANKS = {kind: rank for rank, kind in enumerate(EventType)}
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


#: One event, as OpenAPI 3.2 describes the items of a stream.
_EVENT_SCHEMA = {
    "type": "object",
    "required": ["event", "id", "data"],
    "properties": {
        "event": {"type": "string", "enum": [kind.value for kind in EventType]},
        "id": {"type": "string"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Event"},
        },
    },
}


async def get_events(request: Request) -> Response:
    """Events of a case: accepted, understood, one opinion per specialist, decided; what happened, then live."""
    case_id = checked_id(request.path_params["case_id"])
    events = hive_of(request).events(identity_of(request).tenant, case_id)
    first = await anext(events, None)
    seen = request.headers.get("last-event-id", "")
    closing = cast("asyncio.Event", request.app.state.closing)
    stream = _stream(first, events, seen.removeprefix(f"{case_id}:") if seen.startswith(f"{case_id}:") else "", closing)
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)


async def _stream(first: Event | None, events: AsyncIterator[Event], seen: str, closing: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    async for event in with_pauses(first, events, closing):
        if event is None:
            yield _KEEP_ALIVE
        elif not has_been_seen(event, seen):
            yield format_event(event)


def format_event(event: Event) -> bytes:
    """One event as the stream carries it."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event.id.encode(), event.type.value.encode(), dump(event))


def has_been_seen(event: Event, seen: str) -> bool:
    """Whether a client that last saw `seen` (`type` or `type:detail`) has this event.

    Kinds come in order, opinions among themselves in any: after one, the others are sent again rather than lost.
    """
    kind = seen.partition(":")[0]
    if kind not in _RANKS:
        return False
    return event.id.endswith(f":{seen}") or _RANKS[event.type] < _RANKS[EventType(kind)]


async def with_pauses(first: Event | None, events: AsyncIterator[Event], closing: asyncio.Event) -> AsyncIterator[Event | None]:
    """`first` and the rest of `events`; None after each KEEP_ALIVE_S of silence. Ends early when the gateway closes."""
    if first is None:
        return
    yield first
    stop = asyncio.ensure_future(closing.wait())
    coming = asyncio.ensure_future(anext(events, None))
    try:
        while not stop.done():
            await asyncio.wait({coming, stop}, timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                yield None
                continue
            event = coming.result()
            if event is None:
                return
            yield event
            coming = asyncio.ensure_future(anext(events, None))
    finally:
        stop.cancel()
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await _close(events)


async def _close(events: AsyncIterator[Event]) -> None:
    aclose = getattr(events, "aclose", None)
    if aclose is not None:
        await aclose()


def add_routes(app: FastAPI) -> None:
    """The stream of one case."""
    description = "Server-sent events; `event` is the kind, `id` the event's id, `data` the event."
    stream = {"description": description, "content": {"text/event-stream": {"itemSchema": _EVENT_SCHEMA}}}
    resume = header("Last-Event-ID", "Id of the last event you saw; the stream goes on after it.")
    add_by_hand(
        app,
        f"{CASE}/events",
        get_events,
        "GET",
        tags=["intents"],
        response_class=StreamingResponse,
        responses=problems(404) | {200: stream},
        openapi_extra={"parameters": [path_id(), resume]},
    )
