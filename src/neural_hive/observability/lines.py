"""How a log line looks, and where it goes: JSON for machines, a coloured line for people; one write each, to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

_JSON = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
#: Shown in places of their own, not as name=value.
_PLACED = frozenset({"timestamp", "level", "logger", "message", "exception"})
#: Values that a person need not read.
_NOTHING: tuple[Any, ...] = ("", None, (), [])
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}


def json_line(fields: Mapping[str, Any]) -> bytes:
    """One JSON object, UTF-8, with its line feed."""
    try:
        return orjson.dumps(fields, default=_in_words, option=_JSON)
    except TypeError:  # a lone surrogate, an integer beyond 64 bits
        plain = {str(name): str(value).encode("utf-8", "replace").decode() for name, value in fields.items()}
        return orjson.dumps(plain, option=_JSON)


def _in_words(value: Any) -> str:
    return type(value).__name__


def human_line(fields: Mapping[str, Any], *, is_coloured: bool = False) -> bytes:
    """`12:00:01.234 info    decided  outcome=approved …`, times in UTC; a traceback on lines of its own."""
    at, level = fields["timestamp"], str(fields["level"])
    moment = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}" if isinstance(at, datetime) else str(at)
    shown_level = f"\x1b[{_COLOURS.get(level, '0')}m{level:<7}\x1b[0m" if is_coloured else f"{level:<7}"
    values = " ".join(f"{k}={_plain(v)}" for k, v in fields.items() if k not in _PLACED and v not in _NOTHING)
    line = _printable(f"{fields['message']}  {values}".rstrip())
    told = "".join(f"\n    {part}" for part in str(fields.get("exception", "")).splitlines())
    return f"{moment} {shown_level} {line}{told}\n".encode("utf-8", "replace")


def _plain(value: Any) -> str:
    """A value as people write it: several words with commas between them."""
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _printable(text: str) -> str:
    """Without characters that would move the cursor or start a line that nobody logged."""
    return "".join(c if c.isprintable() else "?" for c in text)


class Writer:
    """Writes lines. What cannot be written is counted and dropped: a full disk must not stop the hive."""

    def __init__(self, stream: TextIO, *, is_json: bool) -> None:
        self._stream, self.is_json = stream, is_json
        self._is_coloured = not is_json and stream.isatty() and not os.environ.get("NO_COLOR")
        self._descriptor = _descriptor(stream)
        self.n_lost = 0

    def write(self, fields: Mapping[str, Any]) -> None:
        """Write one line. fields: begin with timestamp (aware), level, logger, message."""
        line = json_line(fields) if self.is_json else human_line(fields, is_coloured=self._is_coloured)
        try:
            if self._descriptor is None:
                self._stream.write(line.decode())
            else:
                os.write(self._descriptor, line)
        except (OSError, ValueError):
            self.n_lost += 1


def _descriptor(stream: TextIO) -> int | None:
    """The stream's file, to be written past Python's buffers."""
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def open_writer(log_format: str, stream: TextIO | None = None) -> Writer:
    """A writer to `stream` (default stderr). log_format: json, human, or auto: human on a terminal, JSON otherwise."""
    target = stream or sys.stderr
    return Writer(target, is_json=log_format == "json" or (log_format == "auto" and not target.isatty()))


def now() -> datetime:
    """The time of a line: aware, UTC."""
    return datetime.now(UTC)
