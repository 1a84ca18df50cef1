"""`hive decide` and `hive understand`: rows in, rows out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import FakeHive

from neural_hive.cli.rows import Job, _report

GOOD = ['{"id":"a","text":"one"}', '{"id":2,"text":"two","language":"pt","category":"x"}', '{"id":"c","text":"três"}']


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., str]:
    """Writes lines to a file and gives its name."""

    def write(*lines: str) -> str:
        (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
        return str(tmp_path / "in.jsonl")

    return write


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_rows_come_out_in_order_with_their_ids(run: Callable[..., Any], source: Callable[..., str]) -> None:
    ran = run("decide", "--input", source(*GOOD))
    assert (ran.code, ran.err) == (0, "")
    assert [row["id"] for row in rows(ran.out)] == ["a", 2, "c"]
    assert list(rows(ran.out)[0]) == ["id", "understanding", "opinions", "decision"]
    assert len(rows(ran.out)[0]["opinions"]) == 5


def test_understand_gives_the_understanding_only(run: Callable[..., Any], source: Callable[..., str]) -> None:
    ran = run("understand", "-i", source(*GOOD))
    assert [list(row) for row in rows(ran.out)] == [["id", "understanding"]] * 3
    assert rows(ran.out)[1]["understanding"]["language"] == "pt"


def test_blank_lines_and_a_byte_order_mark_are_no_rows(run: Callable[..., Any], source: Callable[..., str]) -> None:
    ran = run("understand", "-i", source("\ufeff" + GOOD[0], "", "  ", GOOD[2]))
    assert ran.code == 0
    assert [row["id"] for row in rows(ran.out)] == ["a", "c"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ('{"text":"x"}', '"id" is missing'),
        ('{"id":true,"text":"x"}', '"id" must be'),
        ('{"id":1}', '"text" is missing'),
        ('{"id":1,"text":3}', '"text"'),
        ('{"id":1,"text":"x","language":"fr"}', '"language"'),
        ('{"id":1,"text":"   "}', "The text is empty"),
        ('{"id":1,"text":"' + "x" * 1_000_001 + '"}', "the line is too long"),
    ],
)
def test_a_bad_row_is_named_and_ends_the_work_after_the_rows_before_it(
    run: Callable[..., Any], source: Callable[..., str], bad: str, reason: str
) -> None:
    ran = run("decide", "-i", source(GOOD[0], GOOD[1], bad, GOOD[2]))
    assert ran.code == 1
    assert [row["id"] for row in rows(ran.out)] == ["a", 2]
    assert f"line 3: {reason}" in ran.err
    assert len(ran.err.splitlines()) == 2


def test_bad_rows_can_be_skipped_and_are_counted(run: Callable[..., Any], source: Callable[..., str]) -> None:
    ran = run("decide", "--skip-bad", "-i", source("{", GOOD[0], '{"id":9,"text":" "}', GOOD[2], "3"))
    assert ran.code == 0
    assert [row["id"] for row in rows(ran.out)] == ["a", "c"]
    assert [line[:12] for line in ran.err.splitlines()[:3]] == ["hive: line 1", "hive: line 3", "hive: line 5"]
    assert "2 rows written, 3 bad rows skipped" in ran.err


def test_the_output_file_appears_whole(run: Callable[..., Any], source: Callable[..., str], tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("older")
    target.chmod(0o640)
    ran = run("decide", "-i", source(*GOOD), "-o", str(target))
    assert (ran.code, ran.out) == (0, "")
    assert len(rows(target.read_text())) == 3
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_a_failure_leaves_the_old_file_and_no_half_one(
    run: Callable[..., Any], source: Callable[..., str], tmp_path: Path, hive: FakeHive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(hive, "judge", interrupted)
    target = tmp_path / "out.jsonl"
    target.write_text("older")
    ran = run("decide", "-i", source(*GOOD), "-o", str(target))
    assert ran.code == 130
    assert target.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_a_missing_folder_is_told_before_anything_is_judged(
    run: Callable[..., Any], source: Callable[..., str], hive: FakeHive, tmp_path: Path
) -> None:
    ran = run("decide", "-i", source(*GOOD), "-o", str(tmp_path / "no" / "out.jsonl"))
    assert ran.code == 2
    assert "no folder" in ran.err
    assert hive.batches == []


def test_a_link_is_followed_and_stays_one(run: Callable[..., Any], source: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text("older")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    assert run("understand", "-i", source(*GOOD), "-o", str(tmp_path / "link.jsonl")).code == 0
    assert (tmp_path / "link.jsonl").is_symlink()
    assert len(rows((tmp_path / "real.jsonl").read_text())) == 3


def test_what_is_no_file_is_written_directly(run: Callable[..., Any], source: Callable[..., str]) -> None:
    assert run("understand", "-i", source(*GOOD), "-o", os.devnull).code == 0
    assert not Path(os.devnull).is_file()


def test_many_rows_are_judged_in_bounded_batches(run: Callable[..., Any], source: Callable[..., str], hive: FakeHive) -> None:
    ran = run("decide", "-i", source(*(f'{{"id":{n},"text":"x"}}' for n in range(1_000))))
    assert [row["id"] for row in rows(ran.out)] == list(range(1_000))
    assert max(hive.batches) == 64


def test_no_rows_are_no_error(run: Callable[..., Any], source: Callable[..., str]) -> None:
    assert run("decide", "-i", source("")).code == 0


@pytest.mark.parametrize(("target", "said"), [("out.jsonl", "3 rows written to out.jsonl."), ("-", ""), (None, "")])
def test_on_a_terminal_it_says_where_the_rows_went(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: str | None, said: str
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    job = Job(None, Path(target) if target else None, False, 1_000, "Judging")
    assert _report(3, 0, job) == 0
    told = capsys.readouterr().err
    assert said in told
    assert bool(said) == bool(told)
