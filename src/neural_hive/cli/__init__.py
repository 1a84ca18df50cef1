"""The `hive` command: one file per verb, loaded only when it is used."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `hive` with `arguments` (default: the process's) and return its exit code: 0 ok, 1 failed, 2 usage."""
    from neural_hive.cli.app import build_app
    from neural_hive.cli.failures import run_safely

    words = list(sys.argv[1:] if arguments is None else arguments)
    return run_safely(lambda: build_app().main(words, prog_name="hive", standalone_mode=False))
