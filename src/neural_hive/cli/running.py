"""Running a server until it is told to stop."""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from neural_hive.cli.failures import tell
from neural_hive.settings import environment_names, unknown_variables


def run_server(serve: Callable[[], Any]) -> None:
    """Serve until Ctrl-C or SIGTERM; either is a good end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in unknown_variables():
        tell(f"{name} is not a setting{suggest_setting(name)}")
    try:
        running = serve()
        if inspect.iscoroutine(running):
            asyncio.run(running)
    except KeyboardInterrupt:
        pass  # asked to stop before the server listened to signals itself
    _tell_end()


def _tell_end() -> None:
    from neural_hive.observability.logs import announce

    if not announce("Stopped."):
        tell("Stopped.")


def suggest_setting(name: str) -> str:
    """The end of a sentence about a variable that nobody reads."""
    close = get_close_matches(name, environment_names(), n=1)
    return f"; did you mean {close[0]}?" if close else "; unset it."
