"""Errors that only HTTP knows. A class's docstring is its default message; it says what the caller can do."""

from __future__ import annotations

from dataclasses import dataclass

from neural_hive.errors import ForbiddenError, HiveError, OverloadedError, UsageError


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with a request. pointer: RFC 6901 into the body, or `query`/`header` and a name."""

    pointer: str
    reason: str


class InvalidFieldsError(UsageError):
    """Some fields are not valid; `errors` lists each with the reason."""

    code = "invalid-fields"

    def __init__(self, errors: tuple[FieldError, ...], message: str | None = None) -> None:
        super().__init__(message)
        self.errors = errors


class MalformedBodyError(UsageError):
    """The body is not valid JSON in UTF-8; correct it and send it again."""

    status = 400
    code = "malformed-body"


class MalformedRequestError(UsageError):
    """The request is not valid HTTP; correct it and send it again."""

    status = 400
    code = "malformed-request"


class BodyTooLargeError(UsageError):
    """The body is too large; send less at once."""

    status = 413
    code = "body-too-large"


class UnsupportedMediaError(UsageError):
    """This content type is not accepted here; send `Content-Type: application/json`."""

    status = 415
    code = "unsupported-media-type"


class MisdirectedError(HiveError):
    """Without authentication the hive answers only to local names; use http://127.0.0.1 or http://localhost."""

    status = 421
    code = "misdirected"


class CrossOriginError(ForbiddenError):
    """Without authentication the hive takes no requests from other web sites; use its own pages or a token."""

    code = "cross-origin"


class RateLimitedError(OverloadedError):
    """You have used up your requests for now; wait as long as Retry-After says."""

    code = "rate-limited"


class IdleError(UsageError):
    """Nothing came for too long; open another connection."""

    status = 408
    code = "idle"


class NotThereError(HiveError):
    """There is nothing at this address; the addresses are listed at /api/v1/docs."""

    status = 404
    code = "no-such-address"


class MethodNotAllowedError(HiveError):
    """This address does not take this method; use one that the Allow header names."""

    status = 405
    code = "method-not-allowed"
