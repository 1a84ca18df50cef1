"""How a failure looks: one line that says what to do, and an exit code."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, cast

from typer import Abort, BadParameter

from neural_hive.errors import ConfigurationError, HiveError, UsageError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

#: typer's errors for a wrong command line and for whatever it would show itself; of these it exports only a descendant.
_CommandLineError = cast("type[Exception]", BadParameter.__mro__[1])
_ShownError = cast("type[Exception]", BadParameter.__mro__[2])


#: How a wrong option's neighbours are told by the library.
_POSSIBLE = re.compile(r" \(Possible options: ([^)]*)\)")
#: How words too many are told by the library; most often a text without quotes.
_EXTRA = re.compile(r"Got unexpected extra argument(?:\(s\)|s)? \((.*)\)")


def run_safely(work: Callable[[], object]) -> int:
    """Run `work` and turn what it raises into one line on stderr and an exit code."""
    sys.excepthook = _on_defect
    try:
        code = work()
        sys.stdout.flush()
        if code == INTERRUPTED:  # typer makes Ctrl-C an exit code
            tell("Interrupted.")
    except (KeyboardInterrupt, Abort):
        tell("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        return _on_closed_pipe()
    except (HiveError, OSError, _ShownError) as error:
        return _on_failure(error)
    return code if isinstance(code, int) else OK


def tell(message: str) -> None:
    """One line to the person, on stderr."""
    line = " ".join(message.split())
    is_coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    print(f"\x1b[1mhive:\x1b[0m {line}" if is_coloured else f"hive: {line}", file=sys.stderr, flush=True)


def describe(error: BaseException) -> str:
    """What went wrong and why: the message and those of its causes, each said once."""
    said: list[str] = []
    for link in _chain(error):
        if link is not error and type(link).__module__.startswith("pydantic"):
            continue  # many lines, and the value that was given, which can be a secret
        message = _message(link).strip().rstrip(".")
        if message and not any(message in earlier for earlier in said):
            said.append(message)
    return ": ".join(said) + "."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _message(error: BaseException) -> str:
    if isinstance(error, _ShownError):
        return str(cast(Any, error).format_message())
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _on_failure(error: Exception) -> int:
    if is_debugging():
        traceback.print_exception(error)
    if isinstance(error, _CommandLineError):
        return _on_wrong_command_line(error)
    tell(describe(error))
    return USAGE if isinstance(error, UsageError | ConfigurationError) else FAILED


def _on_wrong_command_line(error: Exception) -> int:
    context = cast(Any, error).ctx
    if type(error).__name__ == "NoArgsIsHelpError":
        print(_message(error), file=sys.stderr)
    else:
        message = _POSSIBLE.sub(_did_you_mean, _message(error).replace("Value error, ", "").strip())
        message = _EXTRA.sub(r"Unexpected: \1. Put words that belong together in quotes", message)
        end = "" if message.endswith(("?", ".", ")")) else "."
        tell(f"{message}{end} See `{context.command_path if context else 'hive'} --help`.")
    return USAGE


def _did_you_mean(found: re.Match[str]) -> str:
    return f". Did you mean {found[1].replace(', ', ' or ')}?"


def is_debugging() -> bool:
    """Whether the person asked for tracebacks."""
    return os.environ.get("HIVE_LOG_LEVEL", "").lower() == "debug"


def _on_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody expected. Python exits with 1 after this hook."""
    if is_debugging():
        traceback.print_exception(kind, error, trace)
    tell(f"Unexpected {kind.__name__}: {describe(error)} Set HIVE_LOG_LEVEL=debug to see where, and report it.")


def _on_closed_pipe() -> int:
    """The reader of stdout went away, as `head` does: stop without noise."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
