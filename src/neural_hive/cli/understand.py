"""`hive understand`: what the hive makes of many texts, without judging them."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from neural_hive.cli.connect import connect, run
from neural_hive.cli.options import Input, Output, Server, SkipBad, Token
from neural_hive.cli.rows import Job, answer_rows
from neural_hive.contracts import Ask, Record
from neural_hive.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add `understand`."""
    app.command("understand")(understand)


def understand(
    source: Input = None, target: Output = None, skip_bad: SkipBad = False, server: Server = None, token: Token = None
) -> int:
    """Understand many intents without judging them.

    Rows in: {"id", "text", "language"?}; other columns are left alone. Rows out, in the same order:
    {"id", "understanding"}.

    A bad row is named with its line number and ends the work with exit code 1, after the rows before it are written;
    --skip-bad goes on instead.

    With --server each row becomes an intent that the server judges and records.
    """
    job = Job(source, target, skip_bad, load_settings().max_body_bytes, "Understanding")
    return run(_understand(job, server, token))


async def _understand(job: Job, server: str | None, token: str | None) -> int:
    async with connect(server, token) as hive:

        async def answer(asks: Sequence[Ask]) -> list[dict[str, Record | Sequence[Record]]]:
            understood = await hive.understand([ask.text for ask in asks], [ask.language for ask in asks])
            return [{"understanding": understanding} for understanding in understood]

        return await answer_rows(job, answer)
