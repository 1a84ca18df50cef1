"""Canonical JSON and its SHA-256: the bytes that the ledger chains and that models and rubrics are named by."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def canonical_json(value: Any) -> bytes:
    """Serialise plain JSON data to one byte sequence: keys sorted, no spaces, UTF-8.

    In the spirit of RFC 8785; numbers are written by orjson (shortest round-trip form), which is stable across
    platforms for the same double.

    Raises:
        TypeError: `value` holds something that is not JSON (NaN becomes null and must be kept out earlier).
    """
    return orjson.dumps(value, option=_OPTIONS)


def digest(data: bytes) -> str:
    """SHA-256 of `data`, 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()
