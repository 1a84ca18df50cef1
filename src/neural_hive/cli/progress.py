"""A progress bar on stderr, where a person is looking and the data is not in its way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: Called with two counts: bytes read and rows done, or bytes done and bytes in all.
Progress = Callable[[int, int], None]


@contextmanager
def open_progress(doing: str, source: Path | None, target: Path | None) -> Iterator[Progress]:
    """A bar by bytes of a file, a counter for a pipe, nothing without a terminal or when rows go to that terminal."""
    is_shown = sys.stderr.isatty() and not (_is_stdout(target) and sys.stdout.isatty())
    if not is_shown:
        yield _silent
        return
    with _bar(doing, _size_bytes(source)) as progress:
        yield progress


@contextmanager
def open_bytes_progress(doing: str) -> Iterator[Progress]:
    """A bar for bytes done of bytes in all; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn
    from rich.progress import Progress as Bar

    with Bar(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def open_share_progress(doing: str) -> Iterator[Callable[[float], None]]:
    """A bar for the share in [0, 1] that is done, which only moves to and fro until one is known; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda share: bar.update(task, completed=share, total=1.0)


@contextmanager
def waiting(doing: str) -> Iterator[None]:
    """A spinner while one answer is on its way; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(doing):
        yield


def _silent(_first: int, _second: int) -> None:
    """Show nothing."""


def _is_stdout(target: Path | None) -> bool:
    return target is None or str(target) == "-"


def _size_bytes(source: Path | None) -> int | None:
    """Size of a regular file; None when there is no knowing."""
    return source.stat().st_size if source is not None and source.is_file() else None


@contextmanager
def _bar(doing: str, size_bytes: int | None) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    known = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(compact=True)) if size_bytes else (SpinnerColumn(),)
    columns = (
        TextColumn("{task.description}"),
        *known,
        TextColumn("{task.fields[n_rows]} rows"),
        TextColumn("{task.fields[rate]}/s"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=size_bytes, n_rows="0", rate="–")

        def show(n_bytes: int, n_rows: int) -> None:
            elapsed_s = bar.tasks[0].elapsed or 0.0
            rate = f"{n_rows / elapsed_s:,.0f}" if elapsed_s > 0 else "–"
            bar.update(task, completed=n_bytes, n_rows=f"{n_rows:,}", rate=rate)

        yield show
