"""`hive reviews` and `hive review`: the cases that wait for a person, and a person's verdict."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from neural_hive.cli.ask import show_case
from neural_hive.cli.connect import AnyLedger, connect, connect_ledger, run, tenant_of
from neural_hive.cli.failures import tell
from neural_hive.cli.options import Json, Server, Tenant, Token
from neural_hive.cli.output import json_line, wants_json
from neural_hive.contracts import Case, Outcome
from neural_hive.ports import CaseQuery

_PAGE = 50


def register_queue(app: typer.Typer) -> None:
    """Add `reviews`."""
    app.command("reviews")(reviews)


def register_verdict(app: typer.Typer) -> None:
    """Add `review`."""
    app.command("review")(review)


def reviews(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most cases to list, newest first.")] = 20,
    only_ids: Annotated[bool, typer.Option("--ids", help="Only the ids, one a line.")] = False,
    tenant: Tenant = None,
    as_json: Json = None,
    server: Server = None,
    token: Token = None,
) -> None:
    """List the cases that wait for a person, newest first.

    With --json or in a pipe, one case a line.
    """
    waiting = run(_waiting(tenant_of(tenant, server), limit, server, token))
    if only_ids:
        _write([f"{case.id}\n".encode() for case in waiting])
    elif wants_json(as_json):
        _write([json_line(case.model_dump(mode="json")) for case in waiting])
    elif waiting:
        _print_table(waiting)
    else:
        tell("Nothing waits for a person.")


def review(
    case_id: Annotated[str, typer.Argument(metavar="ID", help="The case.")],
    verdict: Annotated[Outcome, typer.Argument(metavar="VERDICT", help="approved, conditional, needs_review or rejected.")],
    comment: Annotated[str, typer.Option("--comment", "-m", help="Why; recorded with the verdict.")] = "",
    reviewer: Annotated[
        str | None,
        typer.Option("--reviewer", help="Account that decides.  [default: your login; with --server, whoever the token names]"),
    ] = None,
    tenant: Tenant = None,
    as_json: Json = None,
    server: Server = None,
    token: Token = None,
) -> None:
    """Give your verdict on a case; it is recorded next to the hive's decision and the hive learns from it."""
    given = Verdict(tenant_of(tenant, server), case_id, reviewer or _login(), verdict, comment)
    case = run(_review(given, server, token))
    show_case(case, as_json)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person decided on which case."""

    tenant: str
    case_id: str
    reviewer: str
    verdict: Outcome
    comment: str


async def _waiting(tenant: str, limit: int, server: str | None, token: str | None) -> Sequence[Case]:
    async with connect_ledger(server, token) as ledger:
        return await _collect(ledger, tenant, limit)


async def _collect(ledger: AnyLedger, tenant: str, limit: int) -> Sequence[Case]:
    found: list[Case] = []
    cursor: str | None = None
    while len(found) < limit:
        page = await ledger.cases(CaseQuery(tenant, limit=min(_PAGE, limit - len(found)), cursor=cursor, waiting=True))
        found.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


async def _review(given: Verdict, server: str | None, token: str | None) -> Case:
    async with connect(server, token) as hive:
        return await hive.review(
            given.tenant, given.case_id, reviewer=given.reviewer, verdict=given.verdict, comment=given.comment
        )


def _login() -> str:
    """The name this person logged in with; a container may have none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _write(lines: Sequence[bytes]) -> None:
    sys.stdout.buffer.writelines(lines)
    sys.stdout.buffer.flush()


def _print_table(cases: Sequence[Case]) -> None:
    from rich.table import Table
    from rich.text import Text

    from neural_hive.cli.terminal import clean, open_console, risk_style

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("Case", no_wrap=True)
    table.add_column("Risk", justify="right")
    table.add_column("Asked", overflow="fold")
    for case in cases:
        risk = case.decision.risk if case.decision else 0.0
        table.add_row(case.id, Text(f"{risk:.2f}", style=risk_style(risk)), Text(clean(case.intent.text)))
    open_console().print(table)
