"""A case as it is built: events in, pieces of the page out, as server-sent events that htmx swaps in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from neural_hive.contracts import Case, CaseStatus, Decision, Event, EventType, Opinion, SpecialistName, Understanding
from neural_hive.gateway.progress import with_pauses

#: Draws one section of a case. (section, case) → HTML.
Draw = Callable[[str, Case], str]
#: Completes a decided case and draws the sections that need more than the case. case → (section, HTML).
Finish = Callable[[Case], AsyncIterator[tuple[str, str]]]
_KEEP_ALIVE = b": keep-alive\n\n"
#: Everything that a decided case shows, drawn again at the end from the record: whoever watches late misses no event.
RECORDED = ("asked", "understanding", "comb", *(f"opinion-{name}" for name in SpecialistName), "chart", "verdict")


def grown(case: Case, event: Event) -> Case:
    """The case with what the event brings. Bringing the same again changes nothing."""
    match event.type:
        case EventType.UNDERSTOOD:
            return case.model_copy(update={"understanding": Understanding.model_validate(part_of(event))})
        case EventType.OPINION:
            opinion = Opinion.model_validate(part_of(event))
            others = [o for o in case.opinions if o.specialist != opinion.specialist]
            together = sorted([*others, opinion], key=lambda o: o.specialist)
            return case.model_copy(update={"opinions": tuple(together)})
        case EventType.DECIDED:
            decision = Decision.model_validate(part_of(event))
            return case.model_copy(update={"decision": decision, "status": CaseStatus.DECIDED, "decided_at": event.at})
        case _:
            return case


_PARTS = {EventType.UNDERSTOOD: "understanding", EventType.OPINION: "opinion", EventType.DECIDED: "decision"}


def part_of(event: Event) -> dict[str, Any]:
    """The part of the case that an event carries: its data, or what stands in the data under the part's name."""
    found: dict[str, Any] = event.data.get(_PARTS.get(event.type, ""), event.data)
    return found


def sections_changed_by(event: Event) -> tuple[str, ...]:
    """Sections of the page that show what the event brings."""
    match event.type:
        case EventType.UNDERSTOOD:
            return ("asked", "understanding", "comb", "news")
        case EventType.OPINION:
            return (f"opinion-{part_of(event)['specialist']}", "asked", "comb", "chart", "news")
        case EventType.DECIDED:
            return ("verdict", "news")
        case _:
            return ()


async def pieces(
    case: Case, events: AsyncIterator[Event], closing: asyncio.Event, draw: Draw, finish: Finish
) -> AsyncIterator[bytes]:
    """The stream: changed sections after every event; after the decision what `finish` draws, and `done`.

    A section that would be drawn as it already stands is not sent: what someone opened or chose in it stays.
    """
    shown: dict[str, str] = {}

    def drawn(section: str, html: str) -> bytes:
        if shown.get(section) == html:
            return b""
        shown[section] = html
        return message(section, html)

    first = await anext(events, None)
    async for event in with_pauses(first, events, closing):
        if event is None:
            yield _KEEP_ALIVE
            continue
        case = grown(case, event)
        yield b"".join([drawn(section, draw(section, case)) for section in sections_changed_by(event)])
        if event.type is EventType.DECIDED:
            async for section, html in finish(case):
                if piece := drawn(section, html):
                    yield piece
            yield message("done", "")
            return


def message(name: str, html: str) -> bytes:
    """One server-sent event; each line of the HTML is a `data` line."""
    lines = "".join(f"data: {line}\n" for line in html.splitlines() or [""])
    return f"event: {name}\n{lines}\n".encode()
