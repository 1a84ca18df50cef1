"""SQLite's errors in the hive's words: what went wrong, what to do. What raises one of these acknowledged nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from neural_hive.errors import LedgerBusyError, StorageError

#: SQLite before this can lose committed transactions in a WAL reset. Source: https://sqlite.org/releaselog/3_51_3.html
MINIMUM_VERSION = (3, 51, 3)

_ADVICE: tuple[tuple[type[apsw.Error], str], ...] = (
    (apsw.FullError, "the disk is full; free some space and send it again"),
    (apsw.ReadOnlyError, "it is read-only; check the permissions of the file and of its folder"),
    (apsw.PermissionsError, "it may not be accessed; check the permissions of the file and of its folder"),
    (apsw.NotADBError, "it is not a SQLite database; check the URL or restore a backup"),
    (apsw.CorruptError, "it is damaged; run `hive ledger verify` and restore a backup"),
    (apsw.CantOpenError, "it cannot be opened; check that its folder exists and may be written"),
    (apsw.IOError, "the disk failed to read or write; check the device and the system log"),
    (apsw.NoMemError, "there is not enough memory"),
)


def storage_error(error: apsw.Error, path: str) -> StorageError:
    """The hive's error for one of SQLite's."""
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return LedgerBusyError(f"{path}: another process writes for too long. Nothing was acknowledged; try again.")
    advice = next((words for kind, words in _ADVICE if isinstance(error, kind)), f"{type(error).__name__}: {error}")
    return StorageError(f"{path}: {advice}. Nothing was acknowledged.")


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Raise StorageError for whatever SQLite raises inside, and for text that is not UTF-8 any more."""
    try:
        yield
    except apsw.Error as error:
        raise storage_error(error, path) from error
    except UnicodeDecodeError as error:
        raise StorageError(f"{path}: it is damaged; run `hive ledger verify` and restore a backup.") from error


def require_version(found: str) -> None:
    """Refuse a SQLite library that can lose acknowledged work.

    Raises:
        StorageError: the library is older than 3.51.3.
    """
    if tuple(int(part) for part in found.split(".")[:3]) < MINIMUM_VERSION:
        needed = ".".join(map(str, MINIMUM_VERSION))
        raise StorageError(f"SQLite {found} can lose committed work; {needed} or later is needed: pip install --upgrade apsw")
