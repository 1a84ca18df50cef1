"""`hive classify`: labels from a model you trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from neural_hive.cli.connect import run
from neural_hive.cli.failures import FAILED, OK, tell
from neural_hive.cli.intent_data import Model
from neural_hive.cli.lines import Line, read_lines
from neural_hive.cli.options import Input, Output, SkipBad
from neural_hive.cli.output import json_line, open_output
from neural_hive.cli.progress import open_progress

if TYPE_CHECKING:
    from neural_hive.learning.intents import IntentModel

_N_BATCH = 64
_MAX_LINE_BYTES = 1_000_000


def register(app: typer.Typer) -> None:
    """Add `classify`."""
    app.command("classify")(classify)


def classify(model: Model, source: Input = None, target: Output = None, skip_bad: SkipBad = False) -> int:
    """Label texts with a model you trained.

    Rows in: {"id", "text", "language"?}; other columns are left alone. Rows out, in the same order:
    {"id", "label", "confidence", "in_scope"}.

    A bad row is named with its line number and ends the work with exit code 1, after the rows before it are written;
    --skip-bad goes on instead.
    """
    from neural_hive.learning.intents import load_model

    return run(_classify(load_model(model), source, target, skip_bad))


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: a good row, or the reason why it is none."""

    line: int
    data: dict[str, Any]
    reason: str = ""


async def _classify(model: IntentModel, source: Path | None, target: Path | None, skip_bad: bool) -> int:
    n_good = n_bad = 0
    with open_output(target) as out, open_progress("Labelling", source, target) as progress:
        async for lines in read_lines(source, n_most=_N_BATCH, max_line_bytes=_MAX_LINE_BYTES):
            rows = [row for row in map(_parse, lines) if row is not None]
            bad = [row for row in rows if row.reason]
            good = [row.data for row in rows if not row.reason and (skip_bad or not bad or row.line < bad[0].line)]
            out.writelines(_labelled(model, good))
            out.flush()
            for row in bad if skip_bad else bad[:1]:
                tell(f"line {row.line}: {row.reason}")
            n_good, n_bad = n_good + len(good), n_bad + len(bad)
            progress(lines[-1].end, n_good)
            if bad and not skip_bad:
                tell(f"Stopped there, rows written: {n_good:,}. Correct that row, or add --skip-bad to go on past bad rows.")
                return FAILED
    if n_bad:
        tell(f"Rows written: {n_good:,}; bad rows skipped: {n_bad:,}.")
    return OK


def _labelled(model: IntentModel, rows: Sequence[dict[str, Any]]) -> list[bytes]:
    from neural_hive.learning.intents import classify as label

    return [json_line(row) for row in label(model, rows)]


def _parse(line: Line) -> _Row | None:
    """The row of a line; None for a blank one."""
    if line.content is None:
        return _Row(line.number, {}, f"the line is longer than {_MAX_LINE_BYTES:,} bytes")
    content = line.content.strip().removeprefix(b"\xef\xbb\xbf")
    if not content:
        return None
    from neural_hive.learning.intents.rows import read_object

    data, fault = read_object(content, '{"id": …, "text": "…"}')
    return _Row(line.number, data, fault or _fault(data))


def _fault(data: Mapping[str, Any]) -> str:
    """Why this cannot be labelled; empty if it can."""
    row_id = data.get("id")
    if isinstance(row_id, bool) or not isinstance(row_id, str | int):
        return '"id" must be a string or a whole number' if "id" in data else '"id" is missing'
    if not isinstance(data.get("text"), str) or not data["text"].strip():
        return '"text" must be a text that is not empty' if "text" in data else '"text" is missing'
    return ""
