"""`hive up`: everything in one process."""

from __future__ import annotations

import sys

import typer

from neural_hive import __version__
from neural_hive.cli.options import Host, Insecure, Port
from neural_hive.cli.running import run_server
from neural_hive.settings import Settings, load_settings


def register(app: typer.Typer) -> None:
    """Add `up`."""
    app.command("up")(up)


def up(host: Host = None, port: Port = None, insecure: Insecure = None) -> None:
    """Run everything in one process: the API, the console, the five specialists and the ledger.

    Stop it with Ctrl-C. Every other setting is a HIVE_ variable; docs/reference/settings.md lists them.
    """
    from neural_hive.gateway.hosts import check_bind
    from neural_hive.gateway.serve import serve_gateway

    settings = load_settings(host=host, port=port, insecure=insecure)
    check_bind(settings)
    if settings.log_format != "json":
        print(_welcome(settings), file=sys.stderr, flush=True)
    run_server(lambda: serve_gateway(settings))


def _welcome(settings: Settings) -> str:
    """Where the record is, how to ask and how to stop; the server itself says its address once it listens."""
    from neural_hive.cli.record import sqlite_file
    from neural_hive.storage.urls import mask

    file = sqlite_file(settings.ledger_url, "HIVE_LEDGER_URL")
    address = f"http://{settings.host}:{settings.port}" if settings.port else "URL"
    lines = {
        "ledger": str(file.resolve()) if file else mask(settings.ledger_url),
        "ask": f'hive ask "Add a dark mode to the settings page" --server {address}',
        "check": "hive doctor",
        "stop": "Ctrl-C",
    }
    return "\n".join([f"Neural Hive-Mind {__version__}", *(f"  {name:<8}{text}" for name, text in lines.items())])
