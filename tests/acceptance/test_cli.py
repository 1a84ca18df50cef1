"""The `hive` command as people and scripts use it: real processes, real terminals."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

HIVE = str(Path(sys.executable).with_name("hive"))
RISKY = "Apagar de vez todas as contas inativas da base de produção, sem backup"
ROWS = '{"id":1,"text":"Add a dark mode to the settings page"}\n{"id":"dois","text":"Borrar las copias de seguridad"}\n'


@pytest.fixture
def environment() -> dict[str, str]:
    """A person's environment without settings of whoever runs the tests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HIVE_", "NO_COLOR", "FORCE_COLOR", "COLUMNS"))}
    return kept | {"HIVE_LEDGER_URL": "sqlite:///hive.db", "TERM": "xterm-256color"}


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `hive` to its end in an empty folder."""

    def call(*words: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [HIVE, *words], cwd=tmp_path, env=environment | settings, input=stdin, capture_output=True, text=True
        )

    return call


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `hive` and go on; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def call(*words: str, **options: Any) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        started.append(subprocess.Popen([HIVE, *words], cwd=tmp_path, **({"env": environment} | pipes)))
        return started[-1]

    yield call
    for process in started:
        process.kill()
        process.communicate()


def on_terminal(words: Sequence[str], folder: Path, environment: dict[str, str], *, columns: int, stdin: str = "") -> str:
    """Everything that `hive` writes on a terminal of this width."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        [HIVE, *words], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=slave, stderr=slave
    ) as process:
        os.close(slave)
        assert process.stdin is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        shown = b"".join(_chunks(master))
    os.close(master)
    return shown.decode()


def _chunks(master: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(master, 4096):
            yield chunk
    except OSError:  # Linux says EIO when the last writer has gone
        return


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for a condition, at most thirty seconds."""
    give_up_at = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < give_up_at, f"never happened: {what}"
        time.sleep(0.01)


@contextmanager
def running(start: Callable[..., subprocess.Popen[str]]) -> Iterator[str]:
    """The address of a hive that is up; ends it with Ctrl-C and checks that it ends well."""
    process = start("up", "--port", "0")
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"listening on (http://\S+)", line):
            break
    else:
        pytest.fail("".join(said))
    yield found[1]
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in rest


def test_an_intent_becomes_a_recorded_reviewed_and_verified_case(run: Any, tmp_path: Path) -> None:
    asked = json.loads(run("ask", RISKY).stdout)
    assert asked["status"] == "decided"
    assert asked["decision"]["outcome"] in {"needs_review", "rejected"}
    shown = json.loads(run("ledger", "show", asked["id"]).stdout)
    assert shown["decision"] == asked["decision"]
    reviewed = run("review", asked["id"], "rejected", "--comment", "no", "--reviewer", "reviewer-7")
    assert json.loads(reviewed.stdout)["reviews"][0]["reviewer"] == "reviewer-7"
    verified = run("ledger", "verify")
    assert (verified.returncode, json.loads(verified.stdout)) == (0, {"ok": True, "checked": 3})


def test_what_was_masked_comes_back_only_with_the_key_it_was_recorded_under(
    hive_command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    key, other = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    text = "Apagar a conta da cliente com cpf 529.982.247-25 e email ana@example.com"
    kept = json.loads(hive_command("ask", text, "--json", HIVE_VAULT_KEY=key).stdout)
    plain = json.loads(hive_command("ask", text, "--json").stdout)
    assert "529.982.247-25" not in json.dumps(kept)
    assert all(b"529.982.247-25" not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert "vault" not in plain["intent"]
    revealed = json.loads(hive_command("ledger", "reveal", kept["id"], "--json", HIVE_VAULT_KEY=key).stdout)
    assert revealed == {"‹cpf-1›": "529.982.247-25", "‹email-1›": "ana@example.com"}
    assert json.loads(hive_command("ledger", "reveal", plain["id"], "--json", HIVE_VAULT_KEY=key).stdout) == {}
    for wrong in ({"HIVE_VAULT_KEY": other}, {"HIVE_VAULT_KEY": "short"}, {}):
        refused = hive_command("ledger", "reveal", kept["id"], **wrong)
        assert refused.returncode != 0
        assert "HIVE_VAULT_KEY" in refused.stderr
    assert hive_command("ledger", "verify", "--json").returncode == 0


def test_an_export_is_verified_anywhere_and_a_changed_byte_is_found(run: Any, tmp_path: Path) -> None:
    run("ask", "Add a dark mode to the settings page")
    run("ask", "Cambiar el color del botón de pago")
    assert run("ledger", "export", "--output", "copy.jsonl").returncode == 0
    copy = (tmp_path / "copy.jsonl").read_text()
    assert len(copy.splitlines()) == 4
    assert run("ledger", "verify", "--file", "copy.jsonl").returncode == 0
    (tmp_path / "copy.jsonl").write_text(copy.replace("dark mode", "dark mood"))
    changed = run("ledger", "verify", "--file", "copy.jsonl")
    assert (changed.returncode, json.loads(changed.stdout)["ok"]) == (1, False)


def test_what_needs_a_person_is_in_the_queue_until_one_decides(run: Any) -> None:
    case_id = json.loads(run("ask", "Apagar de vez as contas inativas há mais de cinco anos").stdout)["id"]
    assert run("reviews", "--ids").stdout.split() == [case_id]
    assert run("review", case_id, "approved").returncode == 0
    assert run("reviews", "--ids").stdout == ""


def test_rows_go_through_pipes_and_nothing_is_recorded(run: Any, tmp_path: Path) -> None:
    ran = run("decide", stdin=ROWS)
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [row["id"] for row in rows] == [1, "dois"]
    assert all(row["decision"]["hash"] == "" for row in rows)
    assert json.loads(run("ledger", "verify").stdout)["checked"] == 0


def test_understanding_alone(run: Any) -> None:
    rows = [json.loads(line) for line in run("understand", stdin=ROWS).stdout.splitlines()]
    assert [(row["id"], row["understanding"]["language"]) for row in rows] == [(1, "en"), ("dois", "es")]


def test_a_bad_row_is_named_by_its_line(run: Any) -> None:
    ran = run("decide", stdin=ROWS + '{"id":3}\n' + ROWS)
    assert (ran.returncode, len(ran.stdout.splitlines())) == (1, 2)
    assert "line 3" in ran.stderr
    skipped = run("decide", "--skip-bad", stdin=ROWS + '{"id":3,"text":"\\u200b"}\n' + ROWS)
    assert (skipped.returncode, len(skipped.stdout.splitlines())) == (0, 4)


def test_an_answer_comes_while_the_pipe_is_still_open(start: Any) -> None:
    process = start("understand")
    process.stdin.write(ROWS.splitlines()[0] + "\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == 1
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert process.stderr.read() == "hive: Interrupted.\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_batch_leaves_no_file(start: Any, tmp_path: Path, number: int, code: int) -> None:
    process = start("decide", "--output", "out.jsonl")
    process.stdin.write(ROWS)
    process.stdin.flush()
    until(lambda: any(part.stat().st_size for part in tmp_path.glob(".out.jsonl.*.part")), "a half-written file")
    process.send_signal(number)
    assert process.wait(timeout=30) == code
    assert list(tmp_path.glob("*out.jsonl*")) == []


def test_a_reader_that_goes_away_is_no_noise(start: Any) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = start("decide", stdout=writer)
    os.close(writer)
    _, said = process.communicate(ROWS)
    assert (process.returncode, said) == (1, "")


@pytest.mark.parametrize(
    ("text", "label"), [(RISKY, "Risco"), ("Delete all the backups", "Risk"), ("Borrar todos los clientes", "Riesgo")]
)
def test_a_terminal_shows_the_decision_in_colour_and_within_its_width(
    run: Any, tmp_path: Path, environment: dict[str, str], text: str, label: str
) -> None:
    asked = on_terminal(["ask", text], tmp_path, environment, columns=80)
    assert "\x1b[" in asked
    [case_id] = run("reviews", "--ids").stdout.split() or re.findall(r"[0-9a-f-]{36}", asked)[:1]
    for columns in (60, 80, 120):
        plain = without_colours(on_terminal(["ledger", "show", case_id], tmp_path, environment, columns=columns))
        assert label in plain
        assert max(len(line.rstrip("\r")) for line in plain.split("\n") if line.startswith("│")) <= columns
    bare = on_terminal(["ledger", "show", case_id], tmp_path, environment | {"NO_COLOR": "1"}, columns=80)
    assert not re.search(r"\x1b\[[0-9;]*[34][0-7]m", bare)


def without_colours(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def test_a_long_batch_shows_progress_on_a_terminal(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "in.jsonl").write_text("".join(f'{{"id":{n},"text":"Add a dark mode {n}"}}\n' for n in range(300)))
    words = ["decide", "--input", "in.jsonl", "--output", "out.jsonl"]
    shown = on_terminal(words, tmp_path, environment, columns=80)
    assert "Judging" in shown
    assert "100%" in shown
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 300


def test_a_running_hive_is_asked_the_same_way(run: Any, start: Any) -> None:
    with running(start) as address:
        case = json.loads(run("ask", "Apagar de vez as contas inativas há mais de cinco anos", "--server", address).stdout)
        assert case["intent"]["channel"] == "api"
        decided = run("decide", "--server", address, stdin=ROWS)
        assert [json.loads(line)["id"] for line in decided.stdout.splitlines()] == [1, "dois"]
        assert case["id"] in run("reviews", "--ids", "--server", address).stdout.split()
        assert run("review", case["id"], "rejected", "--server", address).returncode == 0
        assert json.loads(run("ledger", "show", case["id"], "--server", address).stdout)["reviews"]
        assert json.loads(run("ledger", "verify", "--server", address).stdout)["ok"] is True
        assert run("ledger", "export", "--server", address, "--output", "copy.jsonl").returncode == 0
        checked = run("ledger", "verify", "--file", "copy.jsonl", "--one-tenant")
        assert json.loads(checked.stdout)["checked"] >= 5
        assert run("ledger", "export", "--server", address, "--tenant", "other").returncode == 2
        assert run("doctor", "--server", address).returncode == 0
        missing = run("ledger", "show", "00000000-0000-7000-8000-000000000000", "--server", address)
        assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert run("ask", "x", "--server", address).returncode == 1


def test_every_tenants_queue_is_reached_on_this_machine(run: Any, start: Any, environment: dict[str, str]) -> None:
    environment["HIVE_AUTH_TOKENS"] = "sesame=acme:ana:reviewer"
    with running(start) as address:
        asked = run("ask", "Apagar de vez todas as contas inativas", "--server", address, "--token", "sesame")
    case_id = json.loads(asked.stdout)["id"]
    assert run("reviews", "--ids").stdout == ""
    assert run("reviews", "--ids", "--tenant", "acme").stdout.split() == [case_id]
    assert run("review", case_id, "rejected", "--tenant", "acme").returncode == 0
    assert run("reviews", "--ids", "--tenant", "acme").stdout == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_welcome_gives_an_address_that_answers(start: Any, tmp_path: Path, environment: dict[str, str], host: str) -> None:
    process = start("up", "--port", "0", "--host", host, "--insecure", env=environment | {"HIVE_LOG_FORMAT": "human"})
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if line.split()[:1] == ["stop"]:
            break
    shown = {line.split()[0]: line.split()[-1] for line in said if line.startswith("  ")}
    assert httpx2.get(f"{shown['console']}/health").json()["status"] == "healthy"
    assert shown["ask"] == shown["look"] == shown["console"]
    assert "0.0.0.0" not in "".join(said)


def test_a_public_address_needs_authentication(run: Any) -> None:
    ran = run("up", "--host", "0.0.0.0", "--port", "0")
    assert ran.returncode == 2
    assert "HIVE_AUTH_TOKENS" in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_doctor_finds_a_fit_machine_and_a_misspelt_setting(run: Any, tmp_path: Path) -> None:
    ran = run("doctor", HIVE_DEADLINE="5")
    report = json.loads(ran.stdout)
    assert (ran.returncode, report["ok"]) == (0, True), ran.stdout
    assert any("HIVE_DEADLINE is not a setting" in check["detail"] for check in report["checks"])
    assert list(tmp_path.glob("*.db")) == []


def test_the_graph_learns_a_catalogue(run: Any, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("kind: Component\nmetadata: {name: crm}\nspec: {owner: sales}\n")
    ran = run("graph", "import", "c.yaml")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "1 entit" in ran.stderr


def test_the_text_may_come_from_a_pipe(run: Any) -> None:
    assert json.loads(run("ask", "-", stdin="Add a dark mode\n").stdout)["intent"]["text"] == "Add a dark mode"


@pytest.mark.parametrize("words", [["ask", ""], ["ask", "\u200b"], ["aks"], ["ask"], ["decide", "--input", "nowhere"], []])
def test_a_wrong_call_is_told_without_a_traceback(run: Any, words: list[str]) -> None:
    ran = run(*words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Traceback" not in ran.stderr
