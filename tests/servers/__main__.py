"""Command line of the test servers: start, stop, status, clean."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable

from tests.servers import layout, process
from tests.servers.product import Server, ServerError
from tests.servers.products import SERVERS


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked for all servers named, 1 when it did not for some, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description="Real servers for the tests.")
    parser.add_argument("command", choices=("start", "stop", "status", "clean"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SERVERS)}; all when none is named")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in SERVERS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(SERVERS)}")
    command = {"start": _start, "stop": _stop, "status": _status, "clean": _clean}[chosen.command]
    worked = [_attempt(command, SERVERS[name]) for name in chosen.names or SERVERS]
    write_environment()
    return 0 if all(worked) else 1


def write_environment() -> None:
    """Write the URLs and products of the servers that run now; `set -a; . .servers/env; set +a` exports them."""
    lines = [f"{name}={value}\n" for server in SERVERS.values() for name, value in _variables(server).items()]
    layout.ROOT.mkdir(exist_ok=True)
    layout.ENVIRONMENT.write_text("".join(lines))


def _attempt(command: Callable[[Server], None], server: Server) -> bool:
    try:
        command(server)
    except ServerError as error:
        sys.stderr.write(f"{server.name}: {error}\n")
        return False
    return True


def _start(server: Server) -> None:
    began = time.monotonic()
    server.install()
    installed = time.monotonic()
    if process.start(server):
        times = f"installed in {installed - began:.1f} s, ready in {time.monotonic() - installed:.1f} s"
    else:
        times = "was running"
    _say(f"{server.name}: {server.version()} at {', '.join(_urls(server).values())} ({times})")


def _stop(server: Server) -> None:
    _say(f"{server.name}: {'stopped' if process.stop(server.name) else 'was not running'}")


def _status(server: Server) -> None:
    if process.is_running(server.name):
        _say(f"{server.name}: {server.version()} at {', '.join(_urls(server).values())}")
    else:
        _say(f"{server.name}: not running")


def _clean(server: Server) -> None:
    process.stop(server.name)
    shutil.rmtree(layout.running(server.name), ignore_errors=True)
    _say(f"{server.name}: stopped, its data removed")


def _variables(server: Server) -> dict[str, str]:
    urls = _urls(server)
    return urls | ({f"HIVE_TEST_{server.name.upper()}_PRODUCT": f"'{server.version()}'"} if urls else {})


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _urls(server: Server) -> dict[str, str]:
    home = layout.running(server.name)
    if not process.is_running(server.name):
        return {}
    return server.urls(home, json.loads((home / "ports.json").read_text()))


if __name__ == "__main__":
    sys.exit(main())
