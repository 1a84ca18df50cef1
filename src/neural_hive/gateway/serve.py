"""`hive up` and `hive serve gateway`: check the address, open the hive, serve it until told to stop."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable

from neural_hive.errors import HiveError
from neural_hive.gateway.app import create_app
from neural_hive.gateway.hosts import check_bind
from neural_hive.gateway.server import HiveServer, address_of, bind, keep_what_is_loaded, run
from neural_hive.hive import ProcessRole, open_hive
from neural_hive.observability.logs import announce, configure_logs
from neural_hive.settings import Settings, load_settings

Greeting = Callable[[str], str]


def listening(address: str) -> str:
    """One line that says where the hive is."""
    return f"hive is listening on {address} (Ctrl-C stops it; reference at {address}/api/v1/docs)"


def serve_gateway(settings: Settings, greeting: Greeting = listening, role: ProcessRole = ProcessRole.EVERYTHING) -> None:
    """Serve the hive until SIGTERM or SIGINT; returns once everything is closed.

    Args:
        settings: the one table.
        greeting: what a person reads on stderr once it listens, made of its address; a JSON log gets one line instead.
        role: whether it judges everything itself or leaves work to workers.

    Raises:
        ConfigurationError: a setting is wrong, or the address is public and nobody is asked for a token.
        AddressError: the address cannot be listened on.
        StorageError: the ledger cannot be opened.
    """
    configure_logs(settings.log_format, settings.log_level)
    check_bind(settings)
    with bind(settings.host, settings.port) as listener:
        run(_serve(settings, listener, greeting, role))


async def _serve(settings: Settings, listener: socket.socket, greeting: Greeting, role: ProcessRole) -> None:
    async with open_hive(settings, role=role, is_serving=True) as hive:
        server = HiveServer(create_app(hive, hive.observing), lambda: _announce(listener, greeting))
        keep_what_is_loaded()
        await server.serve([listener])


def _announce(listener: socket.socket, greeting: Greeting) -> None:
    address = address_of(listener)
    if not announce(listening(address)):
        sys.stderr.write(f"{greeting(address)}\n")
        sys.stderr.flush()


def main() -> int:
    """Serve with the settings of the environment. Returns the exit code."""
    try:
        serve_gateway(load_settings())
    except HiveError as error:
        sys.stderr.write(f"hive: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
