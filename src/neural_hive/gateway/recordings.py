"""Reading a recording out of a request: a multipart form with a file, or the audio itself as the body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from neural_hive.contracts import Language, Transcript
from neural_hive.errors import AudioRejectedError, NoSpeechModelError
from neural_hive.gateway.ports import JudgingHive, ListeningHive
from neural_hive.gateway.refusals import (
    FieldError,
    InvalidFieldsError,
    MalformedBodyError,
    UnsupportedMediaError,
)
from neural_hive.gateway.routing import hive_of

MAX_FIELDS = 16
#: Most words that a caller may ask the ear to expect.
MAX_VOCABULARY = 200
#: Beginnings of content types of a body that is the recording itself. Browsers record audio as video/webm, too.
_AUDIO_TYPES = ("audio/", "video/webm", "video/mp4", "application/ogg", "application/octet-stream")
_BINARY = {"schema": {"type": "string", "format": "binary"}}


@dataclass(frozen=True, slots=True)
class Recording:
    """What was sent. audio: the file's bytes, in any format. fields: the other fields of the form, or the query."""

    audio: bytes
    fields: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str, default: str = "") -> str:
        """The last value of a field, trimmed."""
        return self.fields.get(name, [default])[-1].strip()

    def language(self) -> Language | None:
        """Raises InvalidFieldsError for a language that the hive does not speak."""
        given = self.one("language").lower()
        try:
            return Language(given) if given else None
        except ValueError:
            raise invalid_field("language", "Input should be 'pt', 'en' or 'es'") from None

    def vocabulary(self) -> tuple[str, ...]:
        """Words of the field `vocabulary`, separated by commas."""
        words = tuple(word.strip() for word in self.one("vocabulary").split(",") if word.strip())
        if len(words) > MAX_VOCABULARY:
            raise invalid_field("vocabulary", f"At most {MAX_VOCABULARY} words are allowed.")
        return words


def invalid_field(name: str, reason: str) -> InvalidFieldsError:
    """A form field that is not valid."""
    return InvalidFieldsError((FieldError(f"/{name}", reason),), f"{name}: {reason}")


async def read_recording(request: Request) -> Recording:
    """The recording in a request.

    Raises:
        UnsupportedMediaError: the body is neither a form nor audio.
        MalformedBodyError: the form cannot be read.
        InvalidFieldsError: there is no file in the form.
        AudioRejectedError: the recording is empty.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        recording = await _read_form(request)
    elif kind.startswith(_AUDIO_TYPES):
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        recording = Recording(await request.body(), query)
    else:
        raise UnsupportedMediaError("Send multipart/form-data with a `file`, or the recording as audio/… itself.")
    if not recording.audio:
        raise AudioRejectedError("The recording is empty; send the bytes of an audio file.")
    return recording


async def _read_form(request: Request) -> Recording:
    parser = MultiPartParser(request.headers, cast("Any", request.stream()), max_files=1, max_fields=MAX_FIELDS)
    # Voices are personal data: they stay in memory, where Starlette would put more than 1 MB into a file.
    parser.spool_max_size = hive_of(request).settings.max_audio_bytes
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise MalformedBodyError(f"The form cannot be read ({error.message}); send multipart/form-data.") from error
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if not files:
            raise invalid_field("file", "The form needs a file with the recording.")
        fields = {name: [v for v in form.getlist(name) if isinstance(v, str)] for name in form}
        return Recording(await files[0].read(), {name: values for name, values in fields.items() if values})
    finally:
        await form.close()


def can_hear(hive: JudgingHive) -> bool:
    """Whether this hive was built with an ear."""
    return hasattr(hive, "transcribe")


def listener_of(request: Request) -> ListeningHive:
    """The hive, if it can hear. Raises NoSpeechModelError (501) if it cannot."""
    hive = hive_of(request)
    if not can_hear(hive):
        raise NoSpeechModelError
    return cast("ListeningHive", hive)


async def hear(hive: ListeningHive, recording: Recording, *, word_times: bool = False) -> Transcript:
    """What was said.

    Raises:
        NoSpeechModelError: no speech model is installed.
        UnavailableError: the ear failed; a retry is safe.
        AudioRejectedError: it is no recording that can be read.
    """
    language = recording.language()
    vocabulary = recording.vocabulary()
    return await hive.transcribe(
        recording.audio, language=language.value if language else None, vocabulary=vocabulary, word_times=word_times
    )


def form_body(description: str, fields: dict[str, Any], *, raw: bool) -> dict[str, Any]:
    """Declares a body with a recording. fields: schemas beside `file`. raw: whether the body may be the audio."""
    file = {"type": "string", "format": "binary", "description": "The recording: wav, mp3, m4a, ogg, webm, flac, …"}
    form = {"type": "object", "required": ["file"], "properties": {"file": file, **fields}}
    content: dict[str, Any] = {"multipart/form-data": {"schema": form}}
    if raw:
        content |= {"audio/*": _BINARY, "application/octet-stream": _BINARY}
    return {"required": True, "description": description, "content": content}
