"""One case, the queue, the ledger, recordings, the graph."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import CASE_ID, FakeHive

from neural_hive.cli.catalogue import read_catalogue
from neural_hive.cli.progress import open_share_progress
from neural_hive.contracts import Channel, Language, Outcome, Verification
from neural_hive.errors import UsageError


def test_a_pipe_gets_the_case_as_one_line_of_json(run: Callable[..., Any], hive: FakeHive) -> None:
    ran = run("ask", "Apagar tudo", "--language", "pt", "--context", "team=crm", "--context", "note=a=b")
    assert ran.code == 0
    assert json.loads(ran.out)["intent"]["text"] == "Apagar tudo"
    assert ran.out.count("\n") == 1
    assert hive.asked[0].language is Language.PT
    assert hive.asked[0].context == {"team": "crm", "note": "a=b"}
    assert hive.callers[0].channel is Channel.CLI


def test_text_can_be_asked_for_and_holds_no_colour_in_a_pipe(run: Callable[..., Any]) -> None:
    ran = run("ask", "Apagar tudo", "--language", "pt", "--text")
    assert "PRECISA DE REVISÃO" in ran.out
    assert "\x1b" not in ran.out
    assert f"hive review {CASE_ID}" in ran.err


def test_the_text_can_come_from_stdin(run: Callable[..., Any], hive: FakeHive, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "text").write_text("from a file\n")
    with (tmp_path / "text").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert run("ask", "-").code == 0
    assert hive.asked[0].text == "from a file"


def test_a_plan_comes_from_a_file(run: Callable[..., Any], hive: FakeHive, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"tasks":[{"id":"a"},{"id":"b","depends_on":["a"]}]}')
    assert run("ask", "x", "--plan", str(plan)).code == 0
    assert hive.asked[0].plan is not None
    assert [task.id for task in hive.asked[0].plan.tasks] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "said"), [("{", "is not JSON"), ('{"tasks":[]}', "tasks"), ('{"tasks":[{"id":1}]}', "tasks.0.id")]
)
def test_a_bad_plan_says_what_is_wrong(run: Callable[..., Any], tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "plan.json").write_text(content)
    ran = run("ask", "x", "--plan", "plan.json")
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["ask", "  "], ["ask", "x", "--context", "nothing"], ["ask", "\udcff"], ["ask", "x", "--token", "t"]]
)
def test_what_cannot_be_asked_is_a_usage_error(run: Callable[..., Any], hive: FakeHive, words: list[str]) -> None:
    ran = run(*words)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert hive.asked == []


def test_the_queue_goes_through_pages_up_to_the_limit(run: Callable[..., Any], hive: FakeHive) -> None:
    hive.n_waiting = 120
    assert len(run("reviews", "--ids", "--limit", "70").out.splitlines()) == 70
    assert len(run("reviews", "--json", "--limit", "500").out.splitlines()) == 120
    assert CASE_ID in run("reviews", "--text").out


@pytest.mark.parametrize("words", [["reviews"], ["review", CASE_ID, "rejected"], ["ledger", "show", CASE_ID]])
def test_another_tenants_cases_are_reached_by_name(run: Callable[..., Any], hive: FakeHive, words: list[str]) -> None:
    assert run(*words).code == 0
    assert run(*words, "--tenant", "acme").code == 0
    assert hive.tenants == ["default", "acme"]
    ran = run(*words, "--tenant", "acme", "--server", "http://127.0.0.1:9")
    assert (ran.code, "the token says whose cases" in ran.err) == (2, True)


def test_an_empty_queue_is_said_on_stderr(run: Callable[..., Any], hive: FakeHive) -> None:
    hive.n_waiting = 0
    ran = run("reviews", "--text")
    assert (ran.code, ran.out) == (0, "")
    assert "Nothing waits" in ran.err


def test_a_verdict_is_recorded_with_who_and_why(run: Callable[..., Any], hive: FakeHive) -> None:
    ran = run("review", CASE_ID, "rejected", "--comment", "not now", "--reviewer", "ana")
    assert ran.code == 0
    assert hive.reviews == [(CASE_ID, "ana", Outcome.REJECTED, "not now")]
    assert json.loads(ran.out)["reviews"][0]["verdict"] == "rejected"


def test_a_wrong_verdict_names_the_right_ones(run: Callable[..., Any]) -> None:
    ran = run("review", CASE_ID, "maybe")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "needs_review" in ran.err


def test_an_intact_ledger_is_ok_and_a_broken_one_fails(run: Callable[..., Any], hive: FakeHive) -> None:
    ran = run("ledger", "verify")
    assert (ran.code, json.loads(ran.out)) == (0, {"ok": True, "checked": 3})
    hive.verification = Verification(ok=False, checked=1, first_broken="2", reason="entry 2 is not as it was written")
    assert run("ledger", "verify").code == 1
    said = run("ledger", "verify", "--text").out
    assert said == "BROKEN: entry 2 is not as it was written. 1 entry before it as written.\n"


def test_an_unknown_case_fails(run: Callable[..., Any]) -> None:
    assert run("ledger", "show", CASE_ID).code == 0
    ran = run("ledger", "show", "no-such-id")
    assert (ran.code, ran.out) == (1, "")


def test_the_export_is_one_entry_a_line(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("ledger", "export", "--output", "copy.jsonl").code == 0
    assert [json.loads(line)["entry"]["seq"] for line in (tmp_path / "copy.jsonl").read_text().splitlines()] == [1, 2]
    assert run("ledger", "verify", "--file", "copy.jsonl").code == 1


def test_an_export_from_a_hive_that_does_not_answer_is_one_clear_line(run: Callable[..., Any]) -> None:
    refused = run("ledger", "export", "--server", "http://127.0.0.1:9")
    assert (refused.code, "No hive answers" in refused.err) == (1, True)


def test_recordings_are_answered_in_order_and_a_bad_one_is_named(run: Callable[..., Any], tmp_path: Path) -> None:
    for name, content in {"a.ogg": "olá", "b.ogg": "noise", "c.ogg": "adeus"}.items():
        (tmp_path / name).write_text(content)
    ran = run("transcribe", "a.ogg", "b.ogg", "nowhere.ogg", "c.ogg")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [(line["file"], line["text"]) for line in lines] == [("a.ogg", "olá"), ("c.ogg", "adeus")]
    assert {"language", "duration_s", "compute_s", "segments"} <= lines[0].keys()
    assert ran.code == 1
    assert [line.split(":")[1] for line in ran.err.splitlines()] == [" b.ogg", " nowhere.ogg"]


def test_a_long_recording_shows_on_a_terminal_how_much_of_it_is_heard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with open_share_progress("Listening to a.ogg") as progress:
        progress(0.5)
    told = capsys.readouterr().err
    assert "Listening to a.ogg" in told
    assert "50%" in told


def test_a_recording_becomes_a_case(run: Callable[..., Any], hive: FakeHive, tmp_path: Path) -> None:
    (tmp_path / "a.ogg").write_text("apagar tudo")
    (tmp_path / "silence.ogg").write_text("")
    ran = run("listen", "a.ogg", "silence.ogg")
    assert ran.code == 1
    assert json.loads(ran.out)["intent"]["text"] == "apagar tudo"
    assert hive.callers[0].channel is Channel.VOICE
    assert hive.asked[0].language is Language.PT
    assert "Nobody speaks" in ran.err


def test_a_catalogue_gives_entities_with_plain_names(tmp_path: Path) -> None:
    (tmp_path / "catalog-info.yaml").write_text(
        "kind: Component\nmetadata:\n  name: crm\n  title: CRM\n"
        "  annotations: {neural-hive-mind/aliases: 'clientes, customers'}\n"
        "spec:\n  owner: group:default/sales\n  lifecycle: production\n  dependsOn: ['resource:default/crm-db']\n"
        "  consumesApis: [billing]\n---\nkind: Resource\nmetadata: {name: crm-db}\n"
    )
    crm, database = read_catalogue(tmp_path / "catalog-info.yaml")
    assert (crm.name, crm.owner, crm.aliases, crm.depends_on) == (
        "crm",
        "sales",
        ("clientes", "customers"),
        ("crm-db", "billing"),
    )
    assert (database.kind, database.depends_on) == ("Resource", ())


@pytest.mark.parametrize("content", ["a: [", "- 1", "kind: Component", "kind: X\nmetadata: 3", "kind: X\nmetadata: {name: 1}"])
def test_a_catalogue_that_is_none_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "c.yaml").write_text(content)
    with pytest.raises(UsageError, match=r"c\.yaml"):
        read_catalogue(tmp_path / "c.yaml")
