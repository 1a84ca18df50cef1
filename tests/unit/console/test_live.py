"""Events become pieces of the page, at once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
from fake_hive import FakeHive

from neural_hive.console.live import grown, message, part_of, pieces
from neural_hive.contracts import Ask, Caller, Case, Event, EventType


async def told(hive: FakeHive) -> tuple[Case, list[Event]]:
    case = await hive.submit(Ask(text="Move the database tonight"), Caller())
    return case, [event async for event in hive.events("default", case.id)]


async def test_all_events_together_make_the_recorded_case(hive: FakeHive) -> None:
    case, events = await told(hive)
    for event in [*events, *events]:
        case = grown(case, event)
    recorded = hive.known[case.id]
    assert (case.understanding, case.opinions, case.decision) == (
        recorded.understanding,
        recorded.opinions,
        recorded.decision,
    )


async def test_an_event_may_name_its_part_or_be_it(hive: FakeHive) -> None:
    _, events = await told(hive)
    opinion = next(event for event in events if event.type is EventType.OPINION)
    named = opinion.model_copy(update={"data": {"opinion": opinion.data}})
    assert part_of(named) == part_of(opinion) == opinion.data


async def test_each_event_is_shown_before_the_next_one_happens(hive: FakeHive) -> None:
    case, events = await told(hive)
    shown: list[str] = []

    async def happening() -> AsyncIterator[Event]:
        for n, event in enumerate(events):
            assert len(shown) == n
            yield event

    async def finish(case: Case) -> AsyncIterator[tuple[str, str]]:
        yield "record", case.id

    def draw(section: str, case: Case) -> str:
        return f"<p>{section}</p>"

    sent = b""
    async for piece in pieces(case, happening(), asyncio.Event(), draw, finish):
        sent += piece
        shown.append(piece.decode())
    assert sent.count(b"event: opinion-") == 5
    assert sent.endswith(b"event: done\ndata: \n\n")
    assert b"event: record" in sent


async def test_a_section_that_stands_already_is_not_sent_again(hive: FakeHive) -> None:
    case, events = await told(hive)

    async def happening() -> AsyncIterator[Event]:
        for event in events:
            yield event

    async def finish(case: Case) -> AsyncIterator[tuple[str, str]]:
        yield "opinion-business", "drawn for opinion-business"
        yield "verdict", "drawn otherwise"

    def draw(section: str, case: Case) -> str:
        return f"drawn for {section}"

    sent = b"".join([piece async for piece in pieces(case, happening(), asyncio.Event(), draw, finish)])
    assert sent.count(b"event: opinion-business\n") == 1
    assert sent.count(b"event: verdict\n") == 2


def test_every_line_of_a_section_is_a_data_line() -> None:
    assert message("news", "<p>\r\na\n</p>") == b"event: news\ndata: <p>\ndata: a\ndata: </p>\n\n"


async def test_whoever_watches_late_still_sees_everything(browser: httpx2.AsyncClient, hive: FakeHive) -> None:
    case, events = await told(hive)

    async def only_the_decision(tenant: str, case_id: str) -> AsyncIterator[Event]:
        yield events[-1]

    hive.events = only_the_decision  # type: ignore[method-assign]
    text = (await browser.get(f"/cases/{case.id}/live")).text
    assert text.count("event: opinion-") == 5
    assert text.count("event: understanding") == 1
    assert text.rstrip().endswith("event: done\ndata:")
