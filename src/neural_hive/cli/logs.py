"""`hive logs`: what happened to one case, and with --follow what happens, one line an event."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_hive.cli.connect import TENANT, read_token, run
from neural_hive.cli.options import Json, Token
from neural_hive.cli.output import json_line, wants_json
from neural_hive.cli.status import RunningServer, default_server
from neural_hive.contracts import Event, EventType

if TYPE_CHECKING:
    from neural_hive.cli.labels import Labels


def register(app: typer.Typer) -> None:
    """Add `logs`."""
    app.command("logs")(logs)


def logs(
    case_id: Annotated[str, typer.Argument(metavar="CASE", help="The case.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it is decided.")] = False,
    as_json: Json = None,
    server: RunningServer = None,
    token: Token = None,
) -> None:
    """Show what happened to one case of a running hive: accepted, understood, each opinion, decided, reviewed.

    With --json or in a pipe, one event a line.
    """
    run(_show(case_id, follow, wants_json(as_json), server or default_server(), token))


async def _show(case_id: str, is_following: bool, is_json: bool, server: str, token: str | None) -> None:
    from neural_hive.cli.remote import open_remote

    printer = _print_json if is_json else Printer()
    async with open_remote(server, read_token(token)) as hive:
        case = await hive.case(TENANT, case_id)
        if is_following and case.decision is None:
            async for event in hive.events(case_id):
                printer(event)
            case = await hive.case(TENANT, case_id)
            told = set(EventType) - {EventType.REVIEWED}
        else:
            told = set()
    for event in every_event(case):
        if event.type not in told:
            printer(event)


def every_event(case: Any) -> Iterator[Event]:
    """What a recorded case tells of its past, the verdicts of people included."""
    from neural_hive.pipeline.live import event_of, past_events

    yield from past_events(case)
    for review in case.reviews:
        yield event_of(case.intent, EventType.REVIEWED, review.model_dump(mode="json"), review.created_at, review.id)


def _print_json(event: Event) -> None:
    sys.stdout.buffer.write(json_line(event.model_dump(mode="json")))
    sys.stdout.buffer.flush()


class Printer:
    """Writes one line an event to a terminal: when, how long after the start, what."""

    def __init__(self) -> None:
        from neural_hive.cli.labels import load_labels
        from neural_hive.cli.terminal import open_console

        self._console, self._labels = open_console(), load_labels("en")
        self._start: datetime | None = None

    def __call__(self, event: Event) -> None:
        """Write one event."""
        from rich.text import Text

        self._start = self._start or event.at
        later_ms = (event.at - self._start).total_seconds() * 1e3
        when = f"{event.at:%H:%M:%S}.{event.at.microsecond // 1000:03d} {f'+{later_ms:,.0f} ms':>10}  "
        line = Text(when, style="dim").append(f"{event.type.value:<11}", style="bold not dim")
        for part, style in describe(event, self._labels):
            line.append(part, style=f"not dim {style}" if style else "not dim")
        self._console.print(line, soft_wrap=True)


def describe(event: Event, labels: Labels) -> Iterable[tuple[str, str]]:
    """What an event says, as pieces of text with their styles. Its texts are from outside: made safe to print."""
    from neural_hive.cli.terminal import clean

    return [(clean(text), style) for text, style in _TELLERS[event.type](event.data, labels)]


def _accepted(data: dict[str, Any], _labels: Labels) -> Iterator[tuple[str, str]]:
    yield f"“{data.get('text', '')}”", "italic"


def _understood(data: dict[str, Any], _labels: Labels) -> Iterator[tuple[str, str]]:
    frame = data.get("frame", {})
    facts = [data.get("language"), data.get("domain"), frame.get("action"), frame.get("scope"), frame.get("environment")]
    yield " · ".join(str(fact) for fact in facts if fact and fact != "unknown"), ""
    if data.get("status") != "understood":
        yield f"  {data.get('status')}", "yellow"


def _opinion(data: dict[str, Any], labels: Labels) -> Iterator[tuple[str, str]]:
    from neural_hive.cli.terminal import OUTCOME_STYLES, risk_style

    yield f"{data['specialist']:<13}", ""
    yield f"{data['risk']:.2f} ", risk_style(data["risk"])
    yield labels[data["recommendation"]], OUTCOME_STYLES[data["recommendation"]]
    for finding in data.get("findings", ())[:1]:
        yield f"  {finding['title']}", ""


def _decided(data: dict[str, Any], labels: Labels) -> Iterator[tuple[str, str]]:
    from neural_hive.cli.terminal import OUTCOME_STYLES, risk_style

    yield labels[data["outcome"]].upper(), f"bold {OUTCOME_STYLES[data['outcome']]}"
    yield f"  risk {data['risk']:.2f}", risk_style(data["risk"])
    yield f"  {data.get('explanation', '')}", ""


def _reviewed(data: dict[str, Any], labels: Labels) -> Iterator[tuple[str, str]]:
    from neural_hive.cli.terminal import OUTCOME_STYLES

    yield f"{data.get('reviewer', '')}: ", ""
    yield labels[data["verdict"]], OUTCOME_STYLES[data["verdict"]]
    yield f"  {data.get('comment', '')}", ""


_TELLERS = {
    EventType.ACCEPTED: _accepted,
    EventType.UNDERSTOOD: _understood,
    EventType.OPINION: _opinion,
    EventType.DECIDED: _decided,
    EventType.REVIEWED: _reviewed,
}
