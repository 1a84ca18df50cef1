"""Reading JSON bodies strictly: right type, UTF-8, no name twice, no NaN, nothing too deep, nothing unknown."""

from __future__ import annotations

import json
import math
from typing import Any, Never, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from neural_hive.contracts import Ask
from neural_hive.gateway.problems import invalid_fields
from neural_hive.gateway.refusals import FieldError, InvalidFieldsError, MalformedBodyError, UnsupportedMediaError
from neural_hive.understanding.intake import clean_text

#: Deepest nesting of free facts (`context`, `constraints`): the objects and arrays around a value.
MAX_DEPTH = 32
_MAX_INTEGER = 2**63 - 1

M = TypeVar("M", bound=BaseModel)


async def read_json(request: Request, model: type[M]) -> M:
    """The request's body as a record.

    Raises:
        UnsupportedMediaError: it does not say that it is JSON.
        MalformedBodyError: it is not JSON.
        InvalidFieldsError: it is JSON, and not what was asked for.
    """
    if not is_json(request.headers.get("content-type")):
        raise UnsupportedMediaError
    return parse_json(await request.body(), model)


async def read_ask(request: Request, max_chars: int) -> Ask:
    """The request's body as an Ask whose text is clean. Raises as `read_json`, and TextRejectedError."""
    return clean_ask(await read_json(request, Ask), max_chars)


def clean_ask(ask: Ask, max_chars: int) -> Ask:
    """The same Ask with a clean text and facts that can be recorded.

    Raises:
        TextRejectedError: there is no text in it.
        InvalidFieldsError: a fact is too deep or no JSON value.
    """
    if ask.context:
        check_facts(ask.context, "/context")
    if ask.constraints:
        check_facts(ask.constraints, "/constraints")
    if ask.plan is not None:
        check_facts(ask.plan.model_dump(mode="json"), "/plan")
    text = clean_text(ask.text, max_chars)
    return ask if text == ask.text else ask.model_copy(update={"text": text})


def is_json(content_type: str | None) -> bool:
    """Whether a Content-Type header says JSON, with whatever parameters."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def parse_json(body: bytes, model: type[M]) -> M:
    """`body` as a record; types are not bent to fit. Raises MalformedBodyError or InvalidFieldsError."""
    if not body:
        raise MalformedBodyError("The body is empty; send a JSON object.")
    try:
        record = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        _refuse(error)
    _refuse_duplicate_names(body)
    return record


def _refuse(error: ValidationError) -> Never:
    errors = error.errors(include_url=False, include_input=False)
    if errors[0]["type"] == "json_invalid":
        where = errors[0]["ctx"]["error"]
        raise MalformedBodyError(f"The body is not valid JSON in UTF-8 ({where}); correct it and send it again.")
    raise invalid_fields(errors)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedBodyError("The body names a field twice; which one is meant? Send each field once.")
    return found


def _no_number(_text: str) -> None:
    return None


_DUPLICATES = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_no_number, parse_float=_no_number)


def _refuse_duplicate_names(body: bytes) -> None:
    """A name twice in one object means different things to different readers (RFC 8259, section 4)."""
    _DUPLICATES.decode(body.decode())


def check_facts(facts: Any, pointer: str) -> None:
    """Refuse what cannot be recorded as JSON.

    Raises:
        InvalidFieldsError: too deep, a number that is not finite or beyond 64 bits, or a NUL.
    """
    waiting: list[tuple[Any, int]] = [(facts, 0)]
    while waiting:
        value, depth = waiting.pop()
        if reason := _reason_against(value, depth):
            raise InvalidFieldsError((FieldError(pointer, reason),), f"{pointer}: {reason}")
        if isinstance(value, dict):
            waiting.extend((part, depth + 1) for item in value.items() for part in item)
        elif isinstance(value, list):
            waiting.extend((part, depth + 1) for part in value)


def _reason_against(value: Any, depth: int) -> str:
    if depth > MAX_DEPTH:
        return f"Nested deeper than {MAX_DEPTH} levels; make it flatter."
    if isinstance(value, str) and "\0" in value:
        return "A text contains a NUL character; send plain text."
    if isinstance(value, float) and not math.isfinite(value):
        return "A number is NaN or infinite; send a finite one."
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        return "An integer needs more than 64 bits; send it as text."
    return ""
