"""The last resort before anything is logged: personal data is masked, and tracebacks tell places, not values."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from functools import cache

from neural_hive.errors import HiveError
from neural_hive.understanding.privacy import Masker

#: Longest text that is logged, in characters; the rest is cut off.
MAX_CHARS = 8_000
#: Longest chain of causes that is told.
_MAX_CAUSES = 8


@cache
def _masker() -> Masker:
    """Made when the first line needs it; takes about 30 ms."""
    return Masker()


def redact(text: str) -> str:
    """`text` with personal data as placeholders, cut to MAX_CHARS."""
    return _masker().mask(text[:MAX_CHARS]).text


def traceback_of(error: BaseException) -> str:
    """Where `error` and its causes were raised, outermost first.

    Without local variables, and with the messages of our own errors and of the operating system only: any other
    message may repeat what somebody wrote (`KeyError`, pydantic's `input_value=…`).
    """
    parts = [f"{_frames(link)}{_title(link)}" for link in _chain(error)]
    return "\nwhich comes from:\n".join(parts)


def summary_of(error: BaseException) -> str:
    """Type and message of `error` on one line; the message only where it cannot repeat what somebody wrote."""
    return " ".join(_title(error).split())


def _frames(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__))


def _title(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, HiveError):
        return f"{name}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    if isinstance(error, BaseExceptionGroup):
        return f"{name}: {', '.join(_title(each) for each in error.exceptions)}"
    return name


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(_MAX_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
