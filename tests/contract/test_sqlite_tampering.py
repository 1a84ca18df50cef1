"""Whatever is changed in a SQLite ledger behind the hive's back, `verify` finds it and names the first broken entry."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import pytest

from neural_hive.contracts import Outcome, Verification
from neural_hive.errors import StorageError
from neural_hive.storage.ledger.chain import Draft, Head, seal
from neural_hive.storage.ledger.sqlite import open_sqlite_ledger

Verify = Callable[[], Any]
#: Entries in the ledger of these tests: three decided cases, the second one reviewed twice, and an unfinished one.
KINDS = ("accepted", "accepted", "decided", "accepted", "decided", "reviewed", "decided", "accepted", "reviewed")


@pytest.fixture
async def path(tmp_path: Path, samples: Any) -> Path:
    """A ledger whose entries are of `KINDS`."""
    path = tmp_path / "hive.db"
    async with open_sqlite_ledger(f"sqlite:///{path}") as ledger:
        one = await ledger.accept(samples.intent())
        two = await ledger.accept(samples.intent())
        await ledger.record_decision(one.case.id, *samples.judgement(Outcome.APPROVED))
        three = await ledger.accept(samples.intent())
        await ledger.record_decision(two.case.id, *samples.judgement())
        await ledger.add_review("default", two.case.id, samples.review(Outcome.NEEDS_REVIEW))
        await ledger.record_decision(three.case.id, *samples.judgement(Outcome.REJECTED))
        await ledger.accept(samples.intent())
        await ledger.add_review("default", two.case.id, samples.review(Outcome.APPROVED))
    return path


@pytest.fixture
def database(path: Path) -> Iterator[apsw.Connection]:
    """A tamperer's connection: no triggers are left."""
    connection = apsw.Connection(str(path))
    for trigger in ("never_changed", "never_removed", "added_at_the_end"):
        connection.execute(f"DROP TRIGGER entries_are_{trigger}")
    yield connection
    connection.close()


@pytest.fixture
def verify(path: Path) -> Verify:
    async def verified() -> Verification:
        async with open_sqlite_ledger(f"sqlite:///{path}") as ledger:
            return await ledger.verify()

    return verified


async def test_a_ledger_that_nobody_touched_is_whole(verify: Verify) -> None:
    assert await verify() == Verification(ok=True, checked=len(KINDS))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET body = '{}'",
        "DELETE FROM entries",
        "REPLACE INTO entries SELECT * FROM entries",
        "INSERT INTO entries SELECT seq + 100, kind, case_id, tenant, at, body, previous_hash, hash FROM entries",
    ],
)
def test_the_file_itself_refuses_changes_to_entries(path: Path, sql: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA recursive_triggers = OFF")
    with pytest.raises(apsw.ConstraintError, match="never"):
        connection.execute(sql)
    connection.close()


@pytest.mark.parametrize("column", ["kind", "case_id", "tenant", "at", "body", "previous_hash", "hash"])
@pytest.mark.parametrize("seq", range(1, len(KINDS) + 1))
async def test_any_changed_byte_of_any_column_is_found(database: apsw.Connection, verify: Verify, column: str, seq: int) -> None:
    text = str(database.execute(f"SELECT {column} FROM entries WHERE seq = ?", (seq,)).get)
    place = random.Random(f"{column}{seq}").randrange(len(text))
    changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
    database.execute(f"UPDATE entries SET {column} = ? WHERE seq = ?", (changed, seq))
    found = await verify()
    assert (found.ok, found.first_broken, found.checked) == (False, str(seq), seq - 1)


async def test_bytes_that_are_not_text_are_found(database: apsw.Connection, verify: Verify) -> None:
    database.execute("UPDATE entries SET tenant = CAST(x'ff' AS TEXT) WHERE seq = 4")
    found = await verify()
    assert (found.ok, found.first_broken) == (False, "4")


@pytest.mark.parametrize("seq", range(1, len(KINDS) + 1))
async def test_a_removed_entry_is_found(database: apsw.Connection, verify: Verify, seq: int) -> None:
    database.execute("DELETE FROM entries WHERE seq = ?", (seq,))
    found = await verify()
    assert (found.ok, found.first_broken) == (False, str(seq))


@pytest.mark.parametrize("seq", range(1, len(KINDS)))
async def test_two_entries_in_the_wrong_order_are_found(database: apsw.Connection, verify: Verify, seq: int) -> None:
    for old, new in ((seq, 100), (seq + 1, seq), (100, seq + 1)):
        database.execute("UPDATE entries SET seq = ? WHERE seq = ?", (new, old))
    found = await verify()
    assert (found.ok, found.first_broken) == (False, str(seq))


async def test_an_entry_put_between_others_is_found(database: apsw.Connection, verify: Verify) -> None:
    for seq in range(len(KINDS), 3, -1):
        database.execute("UPDATE entries SET seq = ? WHERE seq = ?", (seq + 1, seq))
    columns = "kind, case_id, tenant, at, body, previous_hash, hash"
    database.execute(f"INSERT INTO entries SELECT 4, {columns} FROM entries WHERE seq = 3")
    found = await verify()
    assert (found.ok, found.first_broken) == (False, "4")


async def test_a_forged_entry_with_a_right_hash_is_found_by_its_case(database: apsw.Connection, verify: Verify) -> None:
    n = len(KINDS)
    head = Head(*database.execute("SELECT seq, hash FROM entries WHERE seq = ?", (n,)).fetchone())
    entry = seal(Draft("accepted", "forged", "default", "2026-01-01T00:00:00.000000Z", b"{}"), head)
    row = (entry.seq, *("accepted", "forged", "default", entry.draft.at, "{}"), entry.previous_hash, entry.hash)
    database.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    found = await verify()
    assert (found.ok, found.first_broken) == (False, str(n + 1))


async def test_a_history_written_anew_from_one_entry_on_is_found_by_who_holds_a_hash(
    database: apsw.Connection, verify: Verify
) -> None:
    """What no file can tell about itself: docs/reference/ledger.md says to keep a hash elsewhere."""
    before = database.execute("SELECT hash FROM entries WHERE seq = 8").get
    rows = database.execute("SELECT seq, kind, case_id, tenant, at, body FROM entries WHERE seq >= 8").fetchall()
    head = Head(*database.execute("SELECT seq, hash FROM entries WHERE seq = 7").fetchone())
    for _, kind, case_id, tenant, at, body in rows:
        entry = seal(Draft(kind, case_id, tenant, at.replace("2", "1"), body.encode()), head)
        values = (entry.draft.at, entry.previous_hash, entry.hash, entry.seq)
        database.execute("UPDATE entries SET at = ?, previous_hash = ?, hash = ? WHERE seq = ?", values)
        head = entry.head
    assert (await verify()).ok
    assert database.execute("SELECT hash FROM entries WHERE seq = 8").get != before


@pytest.mark.parametrize(
    ("sql", "first_broken"),
    [
        ("UPDATE cases SET outcome = 'approved' WHERE decided_seq = 5", "5"),
        ("UPDATE cases SET domain = 'unknown' WHERE decided_seq = 5", "5"),
        ("UPDATE cases SET outcome = NULL WHERE decided_seq = 5", "5"),
        ("UPDATE cases SET tenant = 'other' WHERE accepted_seq = 2", "2"),
        ("UPDATE cases SET id = 'other' WHERE accepted_seq = 2", "2"),
        ("UPDATE cases SET decided_seq = NULL WHERE decided_seq = 3", "3"),
        ("UPDATE cases SET decided_seq = 7 WHERE decided_seq = 3", "3"),
        ("UPDATE cases SET decided_seq = 3 WHERE accepted_seq = 8", "3"),
        ("UPDATE cases SET waiting = 1 WHERE decided_seq = 5", "5"),
        ("UPDATE cases SET waiting = 1 WHERE decided_seq = 3", "3"),
        ("DELETE FROM cases WHERE accepted_seq = 4", "4"),
        ("UPDATE reviews SET verdict = 'approved' WHERE seq = 6", "6"),
        ("UPDATE reviews SET id = 'other' WHERE seq = 6", "6"),
        ("DELETE FROM reviews WHERE seq = 9", "9"),
        ("INSERT INTO reviews VALUES ('x', 'y', 30, 'approved')", "30"),
        ("INSERT INTO cases (accepted_seq, id, tenant, lease_until) VALUES (20, 'x', 'default', 0)", "20"),
    ],
)
async def test_a_case_that_is_not_what_its_entries_say_is_found(
    database: apsw.Connection, verify: Verify, sql: str, first_broken: str
) -> None:
    database.execute(sql)
    found = await verify()
    assert (found.ok, found.first_broken) == (False, first_broken), found


def flip(path: Path, whole: bytes, place: int, mask: int = 0x10) -> None:
    """Write the file with one changed byte."""
    path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])


def places_of_records(path: Path) -> tuple[bytes, list[int]]:
    """The file without older pages, and where it holds each entry's hash and two texts (before that: remains)."""
    connection = apsw.Connection(str(path))
    connection.execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
    texts = [str(row[0]) for row in connection.execute("SELECT hash FROM entries")]
    connection.close()
    whole = path.read_bytes()
    return whole, [whole.rindex(text.encode()) for text in (*texts, "Perda irreversível", "Apagar as")]


async def test_a_changed_byte_of_a_record_in_the_file_itself_is_found(path: Path, verify: Verify) -> None:
    whole, places = places_of_records(path)
    for place in places:
        flip(path, whole, place)
        found = await verify()
        assert not found.ok
        assert found.first_broken is not None


async def test_any_changed_byte_anywhere_gives_an_answer_or_a_storage_error(path: Path, verify: Verify) -> None:
    """Bytes that hold no record (free space, the outbox, the search index) may change: the record is still whole."""
    whole, _ = places_of_records(path)
    random_ = random.Random(7)
    for place in random_.sample(range(len(whole)), 60):
        flip(path, whole, place, random_.randrange(1, 256))
        with suppress(StorageError):
            await verify()


async def test_a_damaged_case_is_an_error_that_says_what_to_run(path: Path, database: apsw.Connection) -> None:
    database.execute("UPDATE entries SET body = '{}' WHERE seq = 1")
    case_id = str(database.execute("SELECT id FROM cases WHERE accepted_seq = 1").get)
    async with open_sqlite_ledger(f"sqlite:///{path}") as ledger:
        with pytest.raises(StorageError, match="hive ledger verify"):
            await ledger.get("default", case_id)
