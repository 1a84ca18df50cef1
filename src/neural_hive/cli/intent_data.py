"""Options and progress that the verbs for your own intents share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from neural_hive.cli.failures import tell
from neural_hive.learning.intents.options import Progress

Data = Annotated[
    list[Path],
    typer.Option(
        "--data",
        metavar="F.jsonl[.gz]",
        exists=True,
        dir_okay=False,
        help="Rows, one JSON object a line; repeat it for more files.",
    ),
]
TextField = Annotated[str, typer.Option("--text-field", metavar="NAME", help="Column with the text.")]
LabelField = Annotated[str, typer.Option("--label-field", metavar="NAME", help="Column with the intent.")]
Model = Annotated[
    Path, typer.Option("--model", metavar="DIR", exists=True, file_okay=False, help="Folder that `hive train intents` wrote.")
]


@contextmanager
def open_stages() -> Iterator[Progress]:
    """Shows what is being done: a bar on a terminal, else a line on stderr for each new stage."""
    if not sys.stderr.isatty():
        yield _told_stages()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading", total=1.0)
        yield lambda doing, share: bar.update(task, description=doing, completed=share)


def _told_stages() -> Progress:
    said: set[str] = set()

    def on_progress(doing: str, share: float) -> None:
        if doing not in said:
            said.add(doing)
            tell(f"{doing} ({100 * share:.0f} %).")

    return on_progress
