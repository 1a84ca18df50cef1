"""Labelled texts from JSON lines, plain or gzipped, with every bad row named by its file and line."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import orjson

from neural_hive.canonical import canonical_json, digest
from neural_hive.errors import UsageError
from neural_hive.understanding.features import plain

#: Columns that may hold the language of a row, the first one present counts.
LANGUAGE_FIELDS = ("language", "lang", "locale")
_GZIP_MAGIC = b"\x1f\x8b"


class RowError(UsageError):
    """A row of the data cannot be used; the message names its file and line."""

    code = "invalid-row"


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One text with its intent. language: ISO 639-1, or empty where nobody said."""

    text: str
    label: str
    language: str = ""


def read_rows(paths: Sequence[Path], text_field: str, label_field: str) -> list[LabelledText]:
    """The rows of all files, in order.

    Raises:
        RowError: a line is no JSON object, lacks a field, or holds something else than text and label there.
        UsageError: a file holds no rows, or cannot be read.
    """
    rows: list[LabelledText] = []
    for path in paths:
        n_before = len(rows)
        rows += (_row(data, where, text_field, label_field) for where, data in read_objects(path))
        if len(rows) == n_before:
            raise UsageError(f"{path.name} holds no rows; write one JSON object a line.")
    return rows


def read_objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each JSON object of a file with where it stands ('F.jsonl, line 3').

    Raises:
        RowError: a line is not a JSON object.
        UsageError: the file cannot be read.
    """
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, start=1):
                content = line.strip().removeprefix(b"\xef\xbb\xbf")
                if content:
                    where = f"{path.name}, line {number}"
                    yield where, _object(content, where)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        is_gzipped = file.read(2) == _GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path)) if is_gzipped else path.open("rb")


def _object(content: bytes, where: str) -> dict[str, Any]:
    data, fault = read_object(content, '{"text": "…", "label": "…"}')
    if fault:
        raise RowError(f"{where}: {fault}.")
    return data


def read_object(content: bytes, example: str) -> tuple[dict[str, Any], str]:
    """The JSON object of a line, and an empty text; or nothing, and why there is none and what to do.

    example: what a line should look like.
    """
    try:
        data = orjson.loads(content.decode())
    except UnicodeDecodeError as error:
        return {}, f"not UTF-8 text (byte {error.start + 1} of the line); convert the file, as `iconv -f latin1 -t utf-8` does"
    except orjson.JSONDecodeError as error:
        return {}, f"not JSON ({error}); write one object a line, such as {example}"
    if not isinstance(data, dict):
        how = ", as `jq -c '.[]'` does with an array" if isinstance(data, list) else ""
        return {}, f"not a JSON object; write one a line, such as {example}{how}"
    return data, ""


def _row(data: dict[str, Any], where: str, text_field: str, label_field: str) -> LabelledText:
    text, label = (_field(data, name, where) for name in (text_field, label_field))
    if not isinstance(text, str) or not text.strip():
        raise RowError(f'{where}: "{text_field}" must be a text that is not empty.')
    if isinstance(label, bool) or not isinstance(label, str | int) or not str(label).strip():
        raise RowError(f'{where}: "{label_field}" must be a label: a text that is not empty, or a whole number.')
    return LabelledText(text, str(label), language_of(data))


def _field(data: dict[str, Any], name: str, where: str) -> Any:
    if name not in data:
        there = ", ".join(f'"{other}"' for other in list(data)[:8])
        raise RowError(
            f'{where}: there is no "{name}"; the row has {there or "nothing"}. Name the columns with --text-field and --label-field.'
        )
    return data[name]


def language_of(data: dict[str, Any]) -> str:
    """What the row says of its language, 'pt-PT' and 'PT' as 'pt'; empty if it says nothing."""
    for name in LANGUAGE_FIELDS:
        value = data.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip().replace("_", "-").split("-")[0].lower()
    return ""


def fingerprint(rows: Sequence[LabelledText]) -> str:
    """SHA-256 of the rows in their order."""
    return digest(canonical_json([[row.text, row.label, row.language] for row in rows]))


def contradictions(rows: Sequence[LabelledText]) -> dict[str, list[str]]:
    """Texts, in their plain form, that stand in the rows with more than one label: text → its labels, sorted."""
    labels: dict[str, set[str]] = {}
    for row in rows:
        labels.setdefault(" ".join(plain(row.text).split()), set()).add(row.label)
    return {text: sorted(found) for text, found in labels.items() if len(found) > 1}


def check_trainable(rows: Sequence[LabelledText]) -> None:
    """Fail where nothing can be learnt.

    Raises:
        UsageError: there are no rows, fewer than two labels, or a label with a single row.
    """
    if not rows:
        raise UsageError("There are no rows to learn from.")
    sizes = Counter(row.label for row in rows)
    if len(sizes) < 2:
        raise UsageError(f"All rows have the label {rows[0].label!r}; at least two are needed.")
    lonely = sorted(label for label, n in sizes.items() if n < 2)
    if lonely:
        more = f" and {len(lonely) - 1} more" if len(lonely) > 1 else ""
        raise UsageError(f"The label {lonely[0]!r}{more} has a single row; write at least two, better twenty.")
