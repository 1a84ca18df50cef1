"""JSON lines in, JSON lines out: rows answered in batches, in order, with every bad row named by its line."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from neural_hive.cli.failures import FAILED, OK, tell
from neural_hive.cli.lines import Line, is_stdin, read_lines
from neural_hive.cli.output import json_line, open_output
from neural_hive.cli.progress import open_progress
from neural_hive.contracts import Ask, Record
from neural_hive.errors import UsageError

#: Rows per call to the hive: enough to keep it busy, few enough to see progress.
N_BATCH = 64

#: Gives, for each of some texts, the records of its output row by name.
Answer = Callable[[Sequence[Ask]], Awaitable[Sequence[dict[str, Record | Sequence[Record]]]]]


@dataclass(frozen=True, slots=True)
class Row:
    """One good input row."""

    line: int
    id: str | int
    ask: Ask


@dataclass(frozen=True, slots=True)
class BadRow:
    """One that cannot be used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Job:
    """What to read and write. max_line_bytes: longest row. doing: what the progress bar says."""

    source: Path | None
    target: Path | None
    skip_bad: bool
    max_line_bytes: int
    doing: str


async def answer_rows(job: Job, answer: Answer) -> int:
    """Answer the rows of `job.source` in order and return the exit code.

    The first bad row ends the work, after the rows before it are written, unless `job.skip_bad`.
    """
    if is_stdin(job.source) and sys.stdin.isatty():
        tell("Reading rows from the keyboard, one JSON object a line; end with Ctrl-D.")
    n_good = n_bad = 0
    with open_output(job.target) as out, open_progress(job.doing, job.source, job.target) as progress:
        async for lines in read_lines(job.source, n_most=N_BATCH, max_line_bytes=job.max_line_bytes):
            for result in await _answer_lines(lines, answer, stops=not job.skip_bad):
                if isinstance(result, bytes):
                    n_good += 1
                    out.write(result)
                else:
                    n_bad += 1
                    tell(f"line {result.line}: {result.reason}")
            out.flush()
            progress(lines[-1].end, n_good)
            if n_bad and not job.skip_bad:
                break
    return _report(n_good, n_bad, job)


def parse(line: Line) -> Row | BadRow | None:
    """The row of a line; None for a blank one. Columns that are no part of an intent are left alone."""
    if line.content is None:
        return BadRow(line.number, "the line is too long; raise HIVE_MAX_BODY_BYTES or shorten it")
    text = line.content.strip().removeprefix(b"\xef\xbb\xbf")
    if not text:
        return None
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return BadRow(line.number, f"not JSON ({error.msg} at column {error.colno})")
    return _row(line.number, data)


def _row(number: int, data: Any) -> Row | BadRow:
    if not isinstance(data, dict):
        return BadRow(number, 'not an object; write {"id": …, "text": …}')
    row_id = data.get("id")
    if isinstance(row_id, bool) or not isinstance(row_id, str | int):
        return BadRow(number, '"id" must be a string or a whole number' if "id" in data else '"id" is missing')
    try:
        ask = Ask.model_validate({name: data[name] for name in Ask.model_fields if data.get(name) is not None})
    except ValidationError as error:
        return BadRow(number, _reason(error))
    return Row(number, row_id, ask)


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return f'"{name}" is missing' if first["type"] == "missing" else f'"{name}": {first["msg"]}'


async def _answer_lines(lines: Sequence[Line], answer: Answer, *, stops: bool) -> Sequence[bytes | BadRow]:
    """Output rows and bad rows in order; with `stops`, nothing after the first bad one."""
    parsed = [row for row in map(parse, lines) if row is not None]
    if stops:
        parsed = list(_up_to_bad(parsed))
    answers = iter(await _answer_all([row for row in parsed if isinstance(row, Row)], answer))
    results = [next(answers) if isinstance(row, Row) else row for row in parsed]
    return list(_up_to_bad(results)) if stops else results


def _up_to_bad(results: Sequence[Any]) -> Iterator[Any]:
    for result in results:
        yield result
        if isinstance(result, BadRow):
            return


async def _answer_all(rows: Sequence[Row], answer: Answer) -> Sequence[bytes | BadRow]:
    """Answer rows together; if the hive refuses one of them, one by one, to know which."""
    if not rows:
        return []
    try:
        answers = await answer([row.ask for row in rows])
    except UsageError as error:
        if len(rows) == 1:
            return [BadRow(rows[0].line, str(error))]
        return [result for row in rows for result in await _answer_all([row], answer)]
    return [_output(row, records) for row, records in zip(rows, answers, strict=True)]


def _output(row: Row, records: dict[str, Record | Sequence[Record]]) -> bytes:
    return json_line({"id": row.id} | {name: _plain(value) for name, value in records.items()})


def _plain(value: Record | Sequence[Record]) -> Any:
    if isinstance(value, Record):
        return orjson.Fragment(value.model_dump_json())
    return [orjson.Fragment(record.model_dump_json()) for record in value]


def _report(n_good: int, n_bad: int, job: Job) -> int:
    if not n_bad:
        if str(job.target or "-") != "-" and sys.stderr.isatty():  # the bar is gone by now
            tell(f"{_rows(n_good)} written to {job.target}.")
        return OK
    if job.skip_bad:
        tell(f"{_rows(n_good)} written, {_rows(n_bad, 'bad ')} skipped.")
        return OK
    tell(f"Stopped there, {_rows(n_good)} written. Correct that row, or add --skip-bad to go on past bad rows.")
    return FAILED


def _rows(n: int, kind: str = "") -> str:
    return f"{n:,} {kind}row{'' if n == 1 else 's'}"
