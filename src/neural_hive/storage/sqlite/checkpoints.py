"""Moves the write-ahead log into the file beside the writer, so that no commit waits for thousands of pages to be copied.

SQLite by itself lets the commit that fills the log copy all of it and sync twice: a pause of a third of a second on a slow
disk, for everybody. Here a thread with a connection of its own copies what is there (a passive checkpoint: it waits for
nobody and nobody waits for it), and the writer copies only what came meanwhile, after which the log starts anew.
See https://www.sqlite.org/wal.html#ckpt.
"""

from __future__ import annotations

import queue
import threading

import apsw
import structlog

logger = structlog.get_logger(__name__)

#: Pages of log (4 KiB each) after which it is copied: enough to copy a page that changes often once, not each time.
PAGES = 2_000
#: Pages that came during a copy and that the writer copies itself: a few milliseconds.
NEAR_PAGES = 200
#: Pages after which the writer copies everything itself, however long, so that a thread that cannot keep up does not let the log grow for
#: ever. Only a reader that stays can: SQLite must not copy over what it still reads.
MAX_PAGES = 32_000


class Checkpoints:
    """Watches the log of `writer` and has it copied by a thread on `copier`, which nobody else may use until `close`.

    An error while copying is not the commit's: that one is durable in the log, and the next one tries again. That another process
    copies just now is no error; anything else, such as a full disk, is logged when it begins.
    """

    def __init__(self, writer: apsw.Connection, copier: apsw.Connection) -> None:
        self._copier = copier
        self._is_copying = False
        self._n_copied = 0
        self._has_failed = False
        self._wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        writer.set_wal_hook(self._after_commit)  # takes the place of SQLite's own automatic checkpoint
        self._thread = threading.Thread(target=self._serve, name="sqlite-checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the copy under way and close the copier. The writer must have stopped."""
        self._wanted.put(False)
        self._thread.join()
        self._copier.close()

    def _after_commit(self, writer: apsw.Connection, _name: str, n_pages: int) -> int:
        """On the writer's thread, after a commit that left `n_pages` in the log."""
        if n_pages >= MAX_PAGES or (n_pages >= PAGES and not self._is_copying and n_pages - self._n_copied <= NEAR_PAGES):
            self._copy(writer)
            self._n_copied = 0
        elif n_pages >= PAGES and not self._is_copying:
            self._is_copying = True
            self._wanted.put(True)
        return int(apsw.SQLITE_OK)

    def _serve(self) -> None:
        while self._wanted.get():
            self._n_copied = self._copy(self._copier)
            self._is_copying = False

    def _copy(self, connection: apsw.Connection) -> int:
        """Copy what can be copied without waiting; how many pages of the log are copied now, 0 where it failed."""
        try:
            _, n_copied = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            return 0
        except apsw.Error as error:
            if not self._has_failed:
                logger.warning("checkpoint_failed", exc_info=error)
            self._has_failed = True
            return 0
        self._has_failed = False
        return int(n_copied)
