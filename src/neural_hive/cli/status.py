"""`hive status`: how a running hive is, on one screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_hive.cli.connect import read_token, run
from neural_hive.cli.failures import FAILED, OK
from neural_hive.cli.options import Json, Token
from neural_hive.cli.output import print_json, wants_json
from neural_hive.cli.readings import Readings

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

RunningServer = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="Where the hive runs.  [default: HIVE_HOST and HIVE_PORT]"),
]
#: What is measured, by the histogram's name.
_TIMES = {"decision": "decision_seconds", "understanding": "understanding_seconds", "accept": "accept_seconds"}
_STATE_STYLES = {"ok": "green", "closed": "green", "half_open": "yellow", "degraded": "yellow", "open": "red"}


def register(app: typer.Typer) -> None:
    """Add `status`."""
    app.command("status")(status)


def status(as_json: Json = None, server: RunningServer = None, token: Token = None) -> int:
    """Show how a running hive is: readiness, dependencies, specialists, queues, decisions and how long they take.

    Numbers are those since it started. The exit code is 1 if it is not ready.
    """
    found = run(_read(server or default_server(), token))
    if wants_json(as_json):
        print_json(found)
    else:
        _print(found)
    return OK if found["ready"] else FAILED


def default_server() -> str:
    """Where `hive up` with the same environment listens."""
    from neural_hive.settings import load_settings

    settings = load_settings()
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


async def _read(server: str, token: str | None) -> dict[str, Any]:
    from neural_hive.cli.remote import open_remote

    async with open_remote(server, read_token(token)) as hive:
        readiness = await hive.state("/ready")
        specialists = await hive.specialists()
        readings = Readings(await hive.metrics())
    return summary(server, readiness, specialists, readings)


def summary(
    server: str, readiness: Mapping[str, Any], specialists: Iterable[Mapping[str, Any]], readings: Readings
) -> dict[str, Any]:
    """What `hive status` tells, for people and as JSON. Times are in milliseconds; null without a measurement."""
    return {
        "server": server,
        "version": readiness.get("version", ""),
        "ready": bool(readiness.get("ready")),
        "dependencies": _dependencies(readiness),
        "specialists": [_specialist(each, readings) for each in specialists],
        "queues": readings.by("queue_depth", "queue"),
        "decisions": readings.by("decisions_total", "outcome"),
        "degraded": readings.sum("decisions_total", degraded="true"),
        "times": {name: readings.times(histogram) for name, histogram in _TIMES.items()},
        "refusals": {code: n for code, n in readings.by("refusals_total", "code").items() if n},
        "failures": {stage: n for stage, n in readings.by("stage_failures_total", "stage").items() if n},
        "memory_bytes": readings.sum("process_resident_memory_bytes"),
    }


def _dependencies(readiness: Mapping[str, Any]) -> dict[str, Any]:
    """Without the specialists, which have a list of their own."""
    found = readiness.get("dependencies") or {}
    return {name: each for name, each in found.items() if not name.startswith("specialist-")}


def _specialist(known: Mapping[str, Any], readings: Readings) -> dict[str, Any]:
    name = str(known["name"])
    return {
        "name": name,
        "where": known.get("where", ""),
        "state": known.get("state", ""),
        "model": known.get("model", ""),
        "silent": readings.sum("specialist_failures_total", specialist=name),
        **readings.times("opinion_seconds", specialist=name),
    }


def _print(found: Mapping[str, Any]) -> None:
    from rich.text import Text

    from neural_hive.cli.terminal import clean, open_console

    console = open_console()
    title = Text("ready" if found["ready"] else "not ready", style="bold green" if found["ready"] else "bold red")
    console.print(title.append(f"  {clean(found['server'])}  {clean(str(found['version']))}", style="not bold default"))
    for part in _parts(found):
        console.print()
        console.print(part)


def _parts(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    rows = ((name, _state(each["status"]), each.get("detail", "")) for name, each in found["dependencies"].items())
    yield _table(("Dependency", "State", ""), rows)
    yield _table(
        ("Specialist", "Breaker", "Opinions", "p50 ms", "p95 ms", "No answer"),
        (
            (s["name"], _state(s["state"]), _n(s["n"]), _ms(s["p50_ms"]), _ms(s["p95_ms"]), _n(s["silent"]))
            for s in found["specialists"]
        ),
    )
    times = found["times"].items()
    yield _table(
        ("Work", "Done", "p50 ms", "p95 ms"), ((name, _n(t["n"]), _ms(t["p50_ms"]), _ms(t["p95_ms"])) for name, t in times)
    )
    counted = {
        "Decisions": found["decisions"],
        "Waiting": found["queues"],
        "Refused": found["refusals"],
        "Failed": found["failures"],
    }
    yield _table(("", ""), ((heading, _list(counts)) for heading, counts in counted.items() if counts))


def _table(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        table.add_column(column, justify="right" if column in ("p50 ms", "p95 ms", "Opinions", "No answer", "Done") else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _state(state: str) -> Any:
    from rich.text import Text

    return Text(state, style=_STATE_STYLES.get(state, "default"))


def _n(value: float) -> str:
    return f"{value:,.0f}"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _list(counts: Mapping[str, float]) -> str:
    return "   ".join(f"{name} {_n(value)}" for name, value in counts.items())
