"""`hive serve`: one role in this process."""

from __future__ import annotations

from typing import Annotated

import typer

from neural_hive.cli.options import Host, Insecure, Port
from neural_hive.cli.running import run_server
from neural_hive.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add `serve` and its roles."""
    roles = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Run one role: the gateway, a specialist or a worker.")
    roles.command("gateway")(gateway)
    roles.command("specialist")(specialist)
    roles.command("worker")(worker)
    app.add_typer(roles, name="serve")


def gateway(host: Host = None, port: Port = None, insecure: Insecure = None) -> None:
    """Serve the API and the console.

    Specialists and stores are where the settings say.
    """
    from neural_hive.gateway.serve import serve_gateway
    from neural_hive.hive import ProcessRole

    settings = load_settings(host=host, port=port, insecure=insecure)
    run_server(lambda: serve_gateway(settings, role=ProcessRole.GATEWAY))


def specialist(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="business, technical, behavior, evolution, architecture or your own.")
    ],
    host: Host = None,
    port: Port = None,
    insecure: Insecure = None,
) -> None:
    """Serve one specialist's opinions."""
    from neural_hive.gateway.specialist_app import serve_specialist

    settings = load_settings(host=host, port=port, insecure=insecure)
    run_server(lambda: serve_specialist(settings, name))


def worker(host: Host = None, port: Port = None) -> None:
    """Judge what gateways left for later.

    Also finishes what others left unfinished. The port answers probes.
    """
    from neural_hive.gateway.worker_app import serve_worker

    settings = load_settings(host=host, port=port)
    run_server(lambda: serve_worker(settings))
