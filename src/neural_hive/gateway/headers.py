"""Headers that every answer carries, and the ids that a request may bring along."""

from __future__ import annotations

import re

from uuid_utils import uuid7

RawHeaders = list[tuple[bytes, bytes]]

#: One policy for the API, the docs and the console: everything from this host, no inline script or style.
#: Source: OWASP ASVS 5.0, V3.4 (browser security mechanism headers).
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self' data:; media-src 'self' blob:"
)

SECURITY_HEADERS: RawHeaders = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"microphone=(self), camera=(), geolocation=()"),
]
#: For answers that do not say themselves how long they may be kept.
NO_STORE = (b"cache-control", b"no-store")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def request_id(given: bytes | None) -> str:
    """The caller's own id if it is short and plain, else a new UUIDv7."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode()
    return str(uuid7())


def traceparent(given: bytes | None) -> str:
    """A valid W3C traceparent, or empty. Source: W3C Trace Context, section 3.2."""
    if given is not None and _TRACEPARENT.fullmatch(given):
        return given.decode()
    return ""


def with_security(headers: RawHeaders, own_request_id: str) -> RawHeaders:
    """An answer's headers with ours; what the answer says of caching stays."""
    ours = [*headers, *SECURITY_HEADERS, (b"x-request-id", own_request_id.encode())]
    if not any(name == b"cache-control" for name, _ in headers):
        ours.append(NO_STORE)
    return ours
