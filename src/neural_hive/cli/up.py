"""`hive up`: everything in one process."""

from __future__ import annotations

import socket
import sys

import typer

from neural_hive import __version__
from neural_hive.cli.options import Host, Insecure, Port
from neural_hive.cli.running import run_server
from neural_hive.settings import Settings, load_settings

#: An address of the documentation range: nothing is sent to it, the system only says from where it would.
#: Source: RFC 5737.
_ELSEWHERE = ("192.0.2.1", 9)


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
    if sys.stderr.isatty() and settings.log_format != "json":
        print(f"Neural Hive-Mind {__version__} is starting", file=sys.stderr, flush=True)
    run_server(lambda: serve_gateway(settings, lambda address: welcome(settings, address)))


def welcome(settings: Settings, address: str) -> str:
    """Where it listens, where the record is, how to ask and how to stop. address: http://host:port on this machine."""
    from neural_hive.cli.record import sqlite_file
    from neural_hive.gateway.hosts import has_authentication
    from neural_hive.storage.urls import mask

    file = sqlite_file(settings.ledger_url, "HIVE_LEDGER_URL")
    to_it = f"--server {address}{' --token @FILE' if has_authentication(settings) else ''}"
    lines = {
        "console": address,
        "network": _from_elsewhere(settings, address),
        "API": f"{address}/api/v1/docs" if settings.docs else "",
        "ledger": str(file.resolve()) if file else mask(settings.ledger_url),
        "ask": f'hive ask "Add a dark mode to the settings page" {to_it}',
        "look": f"hive status {to_it}",
        "stop": "Ctrl-C",
    }
    told = [f"  {name:<9}{text}" for name, text in lines.items() if text]
    return "\n".join([f"hive is listening on {address}", *told])


def _from_elsewhere(settings: Settings, address: str) -> str:
    """Where other machines reach a hive that listens on every address; empty for one that does not, or without a network."""
    if settings.host not in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return ""
        own = probe.getsockname()[0]
    return f"http://{own}:{address.rpartition(':')[2]}"
