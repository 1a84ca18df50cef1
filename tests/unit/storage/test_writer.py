"""The writer: group commit, failures that stay with their operation, a bound, nothing acknowledged that was lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import apsw
import pytest

from neural_hive.errors import ConflictError, LedgerBusyError, OverloadedError, StorageError
from neural_hive.storage.sqlite import database as database_module
from neural_hive.storage.sqlite.database import Database, open_database
from neural_hive.storage.sqlite.faults import require_version
from neural_hive.storage.sqlite.migrations import Migration
from neural_hive.storage.sqlite.writer import Writer

Work = Callable[[apsw.Connection], object]


def insert(n: int) -> Work:
    return lambda connection: connection.execute("INSERT INTO numbers VALUES (?)", (n,)).fetchall()


def fail_after(n: int) -> Work:
    def work(connection: apsw.Connection) -> None:
        insert(n)(connection)
        raise ConflictError

    return work


def numbers(connection: apsw.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT n FROM numbers ORDER BY n")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    async with open_database(str(path)) as opened:
        await opened.write(lambda connection: connection.execute("CREATE TABLE numbers (n INTEGER UNIQUE)").fetchall())
        yield opened


async def hold(database: Database) -> tuple[threading.Event, asyncio.Future[object]]:
    """Keep the writer busy until the event is set, so that what follows waits together."""
    entered, go = threading.Event(), threading.Event()

    def work(_: apsw.Connection) -> None:
        entered.set()
        go.wait(10)

    held = database.submit(work)
    await asyncio.to_thread(entered.wait, 10)
    return go, held


async def test_what_waits_together_is_committed_together(database: Database) -> None:
    n_commits = 0

    def count() -> bool:
        nonlocal n_commits
        n_commits += 1
        return False

    await database.write(lambda connection: connection.set_commit_hook(count))
    go, held = await hold(database)
    waiting = [database.submit(insert(n)) for n in range(50)]
    n_commits = 0
    go.set()
    await asyncio.gather(held, *waiting)
    assert n_commits == 2  # the one that kept the writer busy, and all the others
    assert await database.read(numbers) == list(range(50))


async def test_a_failure_stays_with_its_operation_and_undoes_only_its_own_work(database: Database) -> None:
    go, held = await hold(database)
    waiting = [database.submit(fail_after(n) if n % 3 == 1 else insert(n)) for n in range(9)]
    go.set()
    await held
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(answer, ConflictError) for answer in answers] == [n % 3 == 1 for n in range(9)]
    assert await database.read(numbers) == [n for n in range(9) if n % 3 != 1]


async def test_an_error_of_sqlite_stays_with_its_operation_too(database: Database) -> None:
    go, held = await hold(database)
    waiting = [database.submit(insert(n)) for n in (1, 2, 1, 3)]
    go.set()
    await held
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(answer, StorageError) for answer in answers] == [False, False, True, False]
    assert await database.read(numbers) == [1, 2, 3]


async def test_a_full_disk_is_an_error_that_says_so_and_nothing_is_acknowledged(database: Database) -> None:
    pages = await database.write(lambda connection: connection.execute("PRAGMA page_count").get)
    await database.write(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").get)
    big = "CREATE TABLE big AS SELECT zeroblob(100000) AS content"
    with pytest.raises(StorageError, match="disk is full"):
        await database.write(lambda connection: connection.execute(big).fetchall())
    assert await database.read(lambda connection: connection.table_exists("main", "big")) is False
    await database.write(insert(1))
    assert await database.read(numbers) == [1]


async def test_a_reader_is_not_disturbed_by_a_writer(database: Database) -> None:
    go, held = await hold(database)
    assert await database.read(numbers) == []
    go.set()
    await held


async def test_too_much_waiting_is_refused_before_it_is_queued(path: Path) -> None:
    connection = database_module.connect(str(path))
    writer = Writer(connection, "x.db", max_waiting=2)
    entered, go = threading.Event(), threading.Event()

    def work(_: apsw.Connection) -> None:
        entered.set()
        go.wait(10)

    accepted = [writer.submit(work)]
    await asyncio.to_thread(entered.wait, 10)
    accepted += [writer.submit(lambda _: None) for _ in range(2)]
    with pytest.raises(OverloadedError):
        writer.submit(lambda _: None)
    go.set()
    await asyncio.gather(*accepted)
    await writer.close()
    connection.close()


async def test_closing_finishes_what_waits_and_refuses_what_comes_later(path: Path) -> None:
    async with open_database(str(path)) as database:
        await database.write(lambda connection: connection.execute("CREATE TABLE numbers (n)").fetchall())
        go, held = await hold(database)
        waiting = [database.submit(insert(n)) for n in range(5)]
        go.set()
    await asyncio.gather(held, *waiting)
    for refused in (database.write(insert(9)), database.read(numbers)):
        with pytest.raises(StorageError, match="closed"):
            await refused
    async with open_database(str(path)) as database:
        assert await database.read(numbers) == list(range(5))


async def test_a_caller_that_gives_up_before_its_turn_has_written_nothing(database: Database) -> None:
    go, held = await hold(database)
    given_up = database.submit(insert(1))
    given_up.cancel()
    kept = database.submit(insert(2))
    go.set()
    await asyncio.gather(held, kept)
    assert await database.read(numbers) == [2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_writer_that_dies_leaves_nobody_waiting(database: Database) -> None:
    """Only a defect of ours or of the interpreter can do this; it must be heard."""

    def die(_: apsw.Connection) -> None:
        raise SystemExit

    go, held = await hold(database)
    waiting = [database.submit(die), database.submit(insert(1))]
    go.set()
    await held
    for answer in waiting:
        with pytest.raises(StorageError, match="nothing was acknowledged"):
            await answer
    with pytest.raises(StorageError, match="closed"):
        await database.write(insert(2))
    assert await database.read(numbers) == []


async def test_another_process_that_writes_too_long_is_named(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    await database.read(lambda connection: connection.execute("SELECT 1").get)
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 10)
    async with open_database(str(path)) as impatient:
        with pytest.raises(LedgerBusyError, match="another process"):
            await impatient.write(lambda connection: connection.execute("DELETE FROM numbers").fetchall())
    other.execute("ROLLBACK")
    other.close()
    await database.write(insert(1))


async def test_a_read_only_file_can_be_read_and_not_written(database: Database, path: Path) -> None:
    await database.write(insert(1))
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    writer = Writer(connection, "x.db")
    assert await writer.run(numbers) == [1]
    with pytest.raises(StorageError, match="read-only"):
        await writer.run(insert(2))
    await writer.close()
    connection.close()


@pytest.fixture(params=[b"this is a text, not a database" * 50, b"SQLite format 3\x00" + b"\xff" * 5000], ids=["text", "torn"])
def no_database(request: pytest.FixtureRequest, path: Path) -> Path:
    path.write_bytes(request.param)
    return path


async def test_a_file_that_is_not_a_database_is_refused(no_database: Path) -> None:
    with pytest.raises(StorageError, match=r"not a SQLite database|damaged"):
        async with open_database(str(no_database)):
            pass


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="folder exists"):
        async with open_database(str(tmp_path / "nowhere" / "x.db")):
            pass


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2"])
def test_an_old_sqlite_is_refused(version: str) -> None:
    with pytest.raises(StorageError, match=r"3\.51\.3"):
        require_version(version)


def test_a_good_sqlite_is_fine() -> None:
    require_version("3.51.3")
    require_version("4.0.0")


async def test_migrations_are_applied_once_in_order_and_a_newer_file_is_refused(database: Database) -> None:
    steps = [Migration(1, "One.", "CREATE TABLE one (x)"), Migration(2, "Two.", "INSERT INTO one VALUES (2)")]
    await database.migrate("role", steps[:1])
    await database.migrate("role", steps)
    await database.migrate("role", steps)
    rows = await database.read(lambda connection: connection.execute("SELECT x FROM one").fetchall())
    assert rows == [(2,)]
    with pytest.raises(StorageError, match="newer release"):
        await database.migrate("role", steps[:1])


async def test_two_processes_that_open_a_new_file_at_once_migrate_it_once(path: Path) -> None:
    steps = [Migration(1, "One.", "CREATE TABLE one (x)")]
    async with open_database(str(path)) as one, open_database(str(path)) as two:
        for database in (one, two):
            await database.write(lambda connection: connection.execute("SELECT * FROM sqlite_schema").fetchall())
        await one.migrate("role", steps)
        await two.migrate("role", steps)
        assert await two.read(lambda connection: connection.execute("SELECT count(*) FROM migrations").get) == 1
