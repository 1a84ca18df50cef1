"""`hive decide`: many intents judged, nothing recorded."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from neural_hive.cli.connect import connect, run
from neural_hive.cli.options import Input, Output, Server, SkipBad, Token
from neural_hive.cli.rows import Job, answer_rows
from neural_hive.contracts import Ask, Record
from neural_hive.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add `decide`."""
    app.command("decide")(decide)


def decide(
    source: Input = None, target: Output = None, skip_bad: SkipBad = False, server: Server = None, token: Token = None
) -> int:
    """Judge many intents, JSON lines in and out; nothing is recorded.

    Rows in: {"id", "text", "language"?} and, if you like, "plan", "context", "constraints"; other columns are left
    alone. Rows out, in the same order: {"id", "understanding", "opinions", "decision"}.

    A bad row is named with its line number and ends the work with exit code 1, after the rows before it are written;
    --skip-bad goes on instead.

    With --server each row becomes an intent that the server records.
    """
    job = Job(source, target, skip_bad, load_settings().max_body_bytes, "Judging")
    return run(_decide(job, server, token))


async def _decide(job: Job, server: str | None, token: str | None) -> int:
    async with connect(server, token) as hive:

        async def answer(asks: Sequence[Ask]) -> list[dict[str, Record | Sequence[Record]]]:
            judged = await hive.judge(asks)
            return [{"understanding": j.understanding, "opinions": j.opinions, "decision": j.decision} for j in judged]

        return await answer_rows(job, answer)
