"""`hive ask`: one intent in, one recorded decision out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError

from neural_hive.cli.connect import CALLER, connect, run
from neural_hive.cli.failures import tell
from neural_hive.cli.options import Json, LanguageHint, Server, Token
from neural_hive.cli.output import print_json, wants_json
from neural_hive.cli.progress import waiting
from neural_hive.contracts import Ask, Case, Language, Outcome
from neural_hive.errors import PlanError, TextRejectedError, UsageError
from neural_hive.settings import load_settings

PlanFile = Annotated[
    Path | None,
    typer.Option("--plan", metavar="FILE.json", exists=True, dir_okay=False, help="Tasks that carry it out, as JSON."),
]
Facts = Annotated[
    list[str] | None, typer.Option("--context", metavar="K=V", help="A fact that helps to judge it; repeat for more.")
]


def register(app: typer.Typer) -> None:
    """Add `ask`."""
    app.command("ask")(ask)


def ask(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you want, in Portuguese, English or Spanish; - reads stdin.")],
    language: LanguageHint = None,
    plan: PlanFile = None,
    context: Facts = None,
    as_json: Json = None,
    server: Server = None,
    token: Token = None,
) -> None:
    """Ask for one thing and get the hive's decision on it.

    The case is recorded in HIVE_LEDGER_URL, or by the server with --server. The exit code is 0 whatever the hive
    decides: scripts read `decision.outcome` from the JSON, which is also what a pipe gets.
    """
    case = run(_ask(build_ask(text, language, plan, context or []), server, token))
    show_case(case, as_json)


async def _ask(asked: Ask, server: str | None, token: str | None) -> Case:
    with waiting("Asking five specialists"):
        async with connect(server, token, is_recovering=True) as hive:
            return await hive.ask(asked, CALLER)


def build_ask(text: str, language: Language | None, plan: Path | None, facts: list[str]) -> Ask:
    """What the command line says, as an Ask.

    Raises:
        TextRejectedError: there is no text, or stdin is not UTF-8.
        PlanError: the plan's file is not a plan.
        UsageError: a fact is not written K=V.
    """
    content = _read_stdin() if text == "-" else text
    if not content.strip():
        raise TextRejectedError("The text is empty; say what should change.")
    fields = {"text": content, "language": language, "context": dict(map(_fact, facts))}
    try:
        return Ask.model_validate(fields | ({"plan": _read_json(plan)} if plan else {}))
    except ValidationError as error:
        raise _refusal(error, plan) from None


def _refusal(error: ValidationError, plan: Path | None) -> UsageError:
    """The first thing that is wrong, in the words of the command line."""
    first = error.errors()[0]
    if first["loc"][0] != "plan":
        return TextRejectedError(f"The text cannot be used: {first['msg']}.")
    where = ".".join(str(part) for part in first["loc"][1:])
    return PlanError(f"{plan}: {where + ': ' if where else ''}{first['msg']}.")


def _read_json(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise PlanError(f"{path} is not JSON") from error


def _read_stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise TextRejectedError("The text on stdin is not UTF-8") from error


def _fact(written: str) -> tuple[str, Any]:
    """`k=v` as (k, v)."""
    key, equals, value = written.partition("=")
    if not key or not equals:
        raise UsageError(f"--context takes K=V, not {written!r}.")
    return key, value


def show_case(case: Case, as_json: bool | None) -> None:
    """A case as JSON or for reading, and what can be done next."""
    if wants_json(as_json):
        print_json(case.model_dump(mode="json"))
        return
    from neural_hive.cli.labels import labels_of
    from neural_hive.cli.terminal import open_console, print_case

    print_case(open_console(), case, labels_of(case, load_settings().answer_language))
    if case.decision is not None and case.decision.outcome == Outcome.NEEDS_REVIEW and not case.reviews:
        tell(f"To decide it: hive review {case.id} approved|conditional|rejected --comment WHY")
