"""Every error raised on purpose. A class's docstring is its default message; it says what the reader can do."""

from __future__ import annotations

from typing import Literal

#: Why a specialist is missing from a decision; `open_breaker`: it failed so often that it was not asked.
SilenceReason = Literal["timeout", "error", "garbage", "open_breaker"]


class HiveError(Exception):
    """The hive could not do this."""

    #: HTTP status that the gateway answers with, and a stable word for the problem's `type`.
    status = 500
    code = "internal"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class UsageError(HiveError):
    """The request is not valid; correct it and send it again."""

    status = 422
    code = "invalid-request"


class TextRejectedError(UsageError):
    """The text is empty, too long or not text."""

    code = "invalid-text"


class PlanError(UsageError):
    """The plan cannot be carried out as written."""

    code = "invalid-plan"


class AudioRejectedError(UsageError):
    """The audio cannot be used."""

    code = "invalid-audio"


class NoSpeechError(AudioRejectedError):
    """Nobody speaks in this recording; check the microphone and say it again."""

    code = "no-speech"


class UnsupportedSpeechError(AudioRejectedError):
    """This is said in a language that the hive does not understand; say it in Portuguese, English or Spanish."""

    code = "unsupported-language"


class UnsupportedLanguageError(UsageError):
    """This language is not supported; use pt, en or es."""

    code = "unsupported-language"


class NotFoundError(HiveError):
    """There is no such thing here; check the id and the tenant of your token."""

    status = 404
    code = "not-found"


class IdempotencyConflictError(HiveError):
    """This Idempotency-Key was used with another body; use a new key for a new intent."""

    status = 409
    code = "idempotency-conflict"


class ConflictError(HiveError):
    """The case is not in a state that allows this; read it again before you retry."""

    status = 409
    code = "conflict"


class OverloadedError(HiveError):
    """The hive is at its limit; wait as long as Retry-After says and send it again."""

    status = 429
    code = "overloaded"

    def __init__(self, message: str | None = None, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnauthenticatedError(HiveError):
    """A valid token is needed; send `Authorization: Bearer …`."""

    status = 401
    code = "unauthenticated"


class ForbiddenError(HiveError):
    """This token may not do that."""

    status = 403
    code = "forbidden"


class UnavailableError(HiveError):
    """A part that this needs is not available now; retrying later is safe."""

    status = 503
    code = "unavailable"


class NoSpeechModelError(UnavailableError):
    """This hive cannot hear: no speech model is installed. Send the text to /api/v1/intents, or see `hive doctor`."""

    status = 501
    code = "no-speech-model"


class StorageError(UnavailableError):
    """The store could not be read or written; nothing was acknowledged. Check space, permissions and the URL."""

    code = "storage"


class LedgerBusyError(StorageError):
    """Another process holds this ledger file open for writing; stop it or use another HIVE_LEDGER_URL."""

    code = "ledger-busy"


class SpecialistError(UnavailableError):
    """A specialist gave no usable opinion."""

    code = "specialist"

    def __init__(self, message: str | None = None, *, reason: SilenceReason = "error") -> None:
        super().__init__(message)
        self.reason: SilenceReason = reason


class ConfigurationError(HiveError):
    """A setting is wrong; the message names it."""

    code = "configuration"


class ModelError(HiveError):
    """A model file is missing, damaged or of another version; run `hive doctor`."""

    code = "model"


class RubricError(ConfigurationError):
    """A rubric file is not valid; the message names the file and the concern."""

    code = "rubric"
