"""The deadline on its way from one service to the next: the time left, in a header.

Time left and not a time of day: the clocks of two machines differ. Source: gRPC over HTTP/2, `grpc-timeout`.
"""

from __future__ import annotations

#: Milliseconds that the caller will still wait, a whole number in decimal.
DEADLINE_HEADER = "X-Hive-Deadline-Ms"
_MAX_DIGITS = 9


def write_deadline(left_s: float) -> str:
    """The header's value for `left_s` seconds; never more than is left."""
    return str(max(0, int(left_s * 1e3)))


def read_deadline(value: str | None) -> float | None:
    """Seconds left by a header's value; None if there is none that can be read, which means no deadline."""
    if value is None or not (value.isascii() and value.isdigit()) or len(value) > _MAX_DIGITS:
        return None
    return int(value) / 1e3
