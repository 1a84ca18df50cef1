"""Lines of a file or pipe as they arrive: read ahead by a thread, in bounded memory, never holding up Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Bytes per read, and reads that may wait to be used: what a command holds of its input.
CHUNK_BYTES, N_CHUNKS = 65_536, 16


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the input.

    number: from 1. content: without its line feed, or None if it is longer than allowed. end: bytes read up to here.
    """

    number: int
    content: bytes | None
    end: int


class Splitter:
    """Cuts chunks into lines, keeping at most `max_bytes` of an unfinished one."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = b""
        self._is_too_long = False
        self._number = self._end = 0

    def feed(self, chunk: bytes) -> list[Line]:
        """The lines that `chunk` completes."""
        *complete, rest = chunk.split(b"\n")
        lines = [self._finish(part, 1) for part in complete]
        self._keep(rest)
        return lines

    def end(self) -> list[Line]:
        """The last line, if it does not end in a line feed."""
        return [self._finish(b"", 0)] if self._rest or self._is_too_long else []

    def _keep(self, part: bytes) -> None:
        self._end += len(part)
        self._is_too_long = self._is_too_long or len(self._rest) + len(part) > self._max_bytes
        self._rest = b"" if self._is_too_long else self._rest + part

    def _finish(self, part: bytes, n_feeds: int) -> Line:
        self._keep(part)
        self._end += n_feeds
        self._number += 1
        line = Line(self._number, None if self._is_too_long else self._rest, self._end)
        self._rest, self._is_too_long = b"", False
        return line


def is_stdin(path: Path | None) -> bool:
    """Whether an --input means stdin."""
    return path is None or str(path) == "-"


async def read_lines(path: Path | None, *, n_most: int, max_line_bytes: int) -> AsyncIterator[list[Line]]:
    """Lists of 1 to `n_most` lines, as soon as they are there. None or `-` reads stdin.

    Raises:
        OSError: the file cannot be read.
    """
    splitter = Splitter(max_line_bytes)
    async for chunk in _read_ahead(path):
        lines = splitter.feed(chunk) if chunk else splitter.end()
        for start in range(0, len(lines), n_most):
            yield lines[start : start + n_most]


async def _read_ahead(path: Path | None) -> AsyncIterator[bytes]:
    """Chunks of the file, then one empty chunk."""
    arrived: asyncio.Queue[bytes | OSError] = asyncio.Queue()
    room = threading.Semaphore(N_CHUNKS)
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            for chunk in _chunks(path, room):
                loop.call_soon_threadsafe(arrived.put_nowait, chunk)
        except OSError as error:
            loop.call_soon_threadsafe(arrived.put_nowait, error)
        except RuntimeError:  # the loop is closed: the command ended before its input did
            return

    threading.Thread(target=read, name="input", daemon=True).start()
    while True:
        chunk = await arrived.get()
        if isinstance(chunk, OSError):
            raise chunk
        yield chunk
        room.release()
        if not chunk:
            return


def _chunks(path: Path | None, room: threading.Semaphore) -> Iterator[bytes]:
    """Read while there is room, from the descriptor itself: a thread that waits in `sys.stdin` would block the exit."""
    descriptor = sys.stdin.fileno() if path is None or is_stdin(path) else os.open(path, os.O_RDONLY)
    try:
        chunk = b" "
        while chunk:
            room.acquire()
            chunk = os.read(descriptor, CHUNK_BYTES)
            yield chunk
    finally:
        if not is_stdin(path):
            os.close(descriptor)
