"""Options that several verbs share, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neural_hive.contracts import Language

Server = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="Use the hive that runs there instead of one in this process."),
]
Token = Annotated[
    str | None,
    typer.Option("--token", metavar="TOKEN|@FILE", help="Bearer token for --server; @FILE reads it from a file."),
]
Json = Annotated[
    bool | None, typer.Option("--json/--text", show_default="text on a terminal, JSON in a pipe", help="How to answer.")
]
Tenant = Annotated[
    str | None,
    typer.Option("--tenant", metavar="NAME", help="Whose cases.  [default: default; with --server, whoever the token names]"),
]
LanguageHint = Annotated[Language | None, typer.Option("--language", help="Language of the text or the speech, if you know it.")]
Input = Annotated[
    Path | None,
    typer.Option(
        "--input",
        "-i",
        metavar="F.jsonl",
        exists=True,
        dir_okay=False,
        allow_dash=True,
        help="Rows to read; default stdin.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="G.jsonl",
        dir_okay=False,
        allow_dash=True,
        help="File to write at once when all is done; default stdout.",
    ),
]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Report bad rows and go on instead of stopping at the first.")]
Host = Annotated[str | None, typer.Option("--host", envvar="HIVE_HOST", help="Address to listen on.  [default: 127.0.0.1]")]
Port = Annotated[
    int | None,
    typer.Option("--port", envvar="HIVE_PORT", min=0, max=65535, help="Port to listen on; 0 takes a free one.  [default: 8000]"),
]
Insecure = Annotated[
    bool | None,
    typer.Option("--insecure", envvar="HIVE_INSECURE", help="Allow a public address without authentication."),
]
