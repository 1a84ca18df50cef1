"""`hive doctor`: whether this machine, or a running hive, is well, and what to do if not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_hive.cli.checks import Check, State, check_machine, worst
from neural_hive.cli.connect import run
from neural_hive.cli.failures import FAILED, OK, tell
from neural_hive.cli.options import Json, Server, Token
from neural_hive.cli.output import print_json, wants_json

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "bold red"}


def register(app: typer.Typer) -> None:
    """Add `doctor`."""
    app.command("doctor")(doctor)


def doctor(
    fetch_speech: Annotated[
        bool, typer.Option("--fetch-speech", help="First get the speech model, checked by its hash.")
    ] = False,
    as_json: Json = None,
    server: Server = None,
    token: Token = None,
) -> int:
    """Check that this machine can run the hive, or with --server how a running one is.

    Looks at Python, SQLite, settings, stores, disk, port, models and speech weights; shows no secret. The exit code is
    1 if something does not work; a warning alone is 0.
    """
    if fetch_speech:
        _fetch_speech()
    checks = check_machine() if server is None else iter(run(_check_server(server, token)))
    found = _print_json(checks) if wants_json(as_json) else _print_table(checks)
    return FAILED if worst(found) == State.FAILED else OK


def _print_json(checks: Iterable[Check]) -> Sequence[Check]:
    found = list(checks)
    print_json({"ok": worst(found) != State.FAILED, "checks": [asdict(check) for check in found]})
    return found


def _print_table(checks: Iterable[Check]) -> Sequence[Check]:
    """One line a check, as each ends; the advice below it."""
    from neural_hive.cli.terminal import open_console

    console, found = open_console(), []
    for check in checks:
        found.append(check)
        console.print(_line(check))
    return found


def _line(check: Check) -> Table:
    from rich.table import Table
    from rich.text import Text

    from neural_hive.cli.terminal import clean

    grid = Table.grid(padding=(0, 1, 0, 0))
    for width in (8, 9, None):
        grid.add_column(width=width)
    grid.add_row(Text(check.state.value, style=_STYLES[check.state]), check.name, clean(check.detail))
    if check.advice:
        grid.add_row("", "", Text(f"→ {clean(check.advice)}", style="bold"))
    return grid


async def _check_server(server: str, token: str | None) -> list[Check]:
    from neural_hive.cli.connect import read_token
    from neural_hive.cli.remote import open_remote

    async with open_remote(server, read_token(token)) as hive:
        health, readiness = await hive.state("/health"), await hive.state("/ready")
    return list(_server_checks(server, health, readiness))


def _server_checks(server: str, health: dict[str, Any], readiness: dict[str, Any]) -> Iterator[Check]:
    yield Check("server", State.OK, f"{server}, {health.get('service')} {health.get('version')}")
    is_ready = bool(readiness.get("ready"))
    yield Check("ready", State.OK if is_ready else State.FAILED, "yes" if is_ready else "not now")
    for name, dependency in (readiness.get("dependencies") or {}).items():
        is_ok = dependency.get("status") == "ok"
        yield Check(name, State.OK if is_ok else State.WARNING, dependency.get("detail") or dependency.get("status", ""))


def _fetch_speech() -> None:
    from neural_hive.cli.progress import open_bytes_progress
    from neural_hive.understanding.speech.weights import fetch

    with open_bytes_progress("Fetching the speech model") as progress:
        folder = fetch(progress=progress)
    tell(f"The speech model is in {folder}.")
