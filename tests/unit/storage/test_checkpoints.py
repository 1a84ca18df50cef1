"""The write-ahead log: copied beside the writer, bounded, never lost."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import apsw
import pytest
import structlog.testing

from neural_hive.storage.sqlite import checkpoints
from neural_hive.storage.sqlite.database import Database, connect, open_database

ROW = 3_900  # about one page


@pytest.fixture(autouse=True)
def small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "PAGES", 100)
    monkeypatch.setattr(checkpoints, "NEAR_PAGES", 20)
    monkeypatch.setattr(checkpoints, "MAX_PAGES", 400)


def add_row(number: int, connection: apsw.Connection) -> None:
    connection.execute("INSERT INTO pages VALUES (?, zeroblob(?))", (number, ROW)).fetchall()


async def fill(database: Database, n: int, first: int = 0) -> None:
    """Commit `n` transactions of about one page, each alone."""
    for number in range(first, first + n):
        await database.write(partial(add_row, number))


def log_pages(path: Path) -> float:
    return Path(f"{path}-wal").stat().st_size / 4096


async def opened_with_table(database: Database) -> None:
    await database.write(lambda c: c.execute("CREATE TABLE pages (n INTEGER PRIMARY KEY, filler BLOB)").fetchall())


async def test_the_log_is_reused_while_writing_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with open_database(str(path)) as database:
        await opened_with_table(database)
        await fill(database, 1_000)
        assert log_pages(path) < 600  # 1,000 rows and as many changed index pages went through it
        assert path.stat().st_size > 500 * 4096
        assert await database.read(lambda c: c.execute("SELECT count(*) FROM pages").get) == 1_000


async def test_a_log_the_thread_cannot_copy_is_copied_by_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints.Checkpoints, "_serve", lambda self: None)
    path = tmp_path / "x.db"
    async with open_database(str(path)) as database:
        await opened_with_table(database)
        await fill(database, 1_000)
        assert 300 < log_pages(path) < 600


async def test_a_reader_that_stays_holds_the_log_back_only_while_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with open_database(str(path)) as database:
        await opened_with_table(database)
        reader = apsw.Connection(str(path))
        reader.execute("BEGIN; SELECT count(*) FROM pages").fetchall()
        await fill(database, 300)
        held = log_pages(path)
        assert held > 300
        reader.execute("ROLLBACK")
        reader.close()
        await fill(database, 1_000, first=1_000)
        assert log_pages(path) < held + 400
        assert await database.read(lambda c: c.execute("PRAGMA integrity_check").get) == "ok"


async def test_two_hives_on_one_file_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with open_database(str(path)) as one, open_database(str(path)) as other:
        await opened_with_table(one)
        await asyncio.gather(fill(one, 400), fill(other, 400, first=1_000))
        assert await one.read(lambda c: c.execute("SELECT count(*) FROM pages").get) == 800
        assert await other.read(lambda c: c.execute("PRAGMA integrity_check").get) == "ok"


async def test_a_copy_that_fails_is_told_once_and_no_commit_fails_with_it(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with open_database(str(path)) as database:
        await opened_with_table(database)
    writer, copier = connect(str(path)), connect(str(path))
    watching = checkpoints.Checkpoints(writer, copier)
    copier_broken = apsw.Connection(str(tmp_path / "other.db"))
    copier_broken.close()
    with structlog.testing.capture_logs() as told:
        assert [watching._copy(copier_broken) for _ in range(3)] == [0, 0, 0]
        add_row(1, writer)
        assert watching._copy(copier) > 0
        watching._copy(copier_broken)
    assert [line["event"] for line in told] == ["checkpoint_failed"] * 2
    watching.close()
    writer.close()
