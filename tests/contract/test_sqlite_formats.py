"""A ledger written by any released version opens in this one, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import pytest

from neural_hive.contracts import CaseStatus, Outcome
from neural_hive.errors import StorageError
from neural_hive.ports import CaseQuery, IdempotencyKey
from neural_hive.storage.ledger.chain import export_line, verify_export
from neural_hive.storage.ledger.sqlite import open_sqlite_ledger

DATA = Path(__file__).with_name("data")
FORMATS = ("v1",)
N_ENTRIES = {"v1": 8}


@pytest.fixture(params=FORMATS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(version: str, tmp_path: Path) -> str:
    """A copy of a released ledger."""
    shutil.copyfile(DATA / f"ledger-{version}.db", tmp_path / "hive.db")
    return f"sqlite:///{tmp_path}/hive.db"


async def test_it_verifies_and_exports_what_was_written(url: str, version: str) -> None:
    async with open_sqlite_ledger(url) as ledger:
        found = await ledger.verify()
        lines = [export_line(row) async for row in ledger.export()]
    assert (found.ok, found.checked) == (True, N_ENTRIES[version]), found
    assert b"".join(line + b"\n" for line in lines) == (DATA / f"ledger-{version}.jsonl").read_bytes()


async def test_every_case_of_it_reads(url: str) -> None:
    async with open_sqlite_ledger(url) as ledger:
        mine, others = await ledger.find(CaseQuery("default")), await ledger.find(CaseQuery("other", text="plain"))
    assert [case.status for case in others.items] == [CaseStatus.ACCEPTED, CaseStatus.DECIDED, CaseStatus.DECIDED]
    (case,) = mine.items
    assert case.reviews[0].verdict is Outcome.REJECTED
    assert case.intent.context["huge"] == 1e300
    assert case.intent.transcript is not None
    assert case.intent.plan is not None
    assert len(case.opinions) == 5


async def test_it_can_be_continued(url: str, version: str, samples: Any) -> None:
    async with open_sqlite_ledger(url) as ledger:
        (unfinished,) = await ledger.claim_unfinished(10, 60.0)
        await ledger.record_decision(unfinished.id, *samples.judgement())
        again = await ledger.accept(samples.intent(tenant="other"), IdempotencyKey(f"key-{unfinished.id}", "a" * 64))
        waiting = await ledger.depth()
        found = await ledger.verify()
    assert again.is_existing
    assert (found.ok, found.checked) == (True, N_ENTRIES[version] + 1)
    assert waiting == 4 + 3 * 7 + 1 - 6 + 7


def test_anybody_can_check_an_export_with_the_example_of_the_reference(version: str, tmp_path: Path) -> None:
    page = (DATA.parents[2] / "docs" / "reference" / "ledger.md").read_text()
    example = page.split("```python\n")[1].split("```")[0]
    shutil.copyfile(DATA / f"ledger-{version}.jsonl", tmp_path / "ledger.jsonl")
    answer = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True)
    assert answer.stdout.startswith("intact"), answer.stderr
    changed = (tmp_path / "ledger.jsonl").read_text().replace("backup", "Backup")
    (tmp_path / "ledger.jsonl").write_text(changed)
    answer = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True)
    assert "changed" in answer.stderr


def test_an_export_of_it_verifies(version: str) -> None:
    with (DATA / f"ledger-{version}.jsonl").open("rb") as lines:
        assert verify_export(lines).checked == N_ENTRIES[version]


async def test_a_ledger_of_a_later_release_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "hive.db"
    async with open_sqlite_ledger(f"sqlite:///{path}"):
        pass
    connection = apsw.Connection(str(path))
    connection.execute("INSERT INTO migrations VALUES ('ledger', 99, 'From the future.', '2030-01-01')")
    with pytest.raises(StorageError, match="newer release"):
        async with open_sqlite_ledger(f"sqlite:///{path}"):
            pass
    connection.close()
