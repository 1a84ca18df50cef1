"""The images: as small and as closed as promised, and answering from a root that cannot be written, as user 1000."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import URLS
from tests.deploy import image
from tests.deploy.contained import PORT, Contained, contained
from tests.deploy.objects import SECRETS, container, environment, named, objects
from tests.deploy.toolbox import DEPLOY, find, find_python, run

LIMITS = {"text": 450_000_000, "voice": 900_000_000}
NAMES = ("architecture", "behavior", "business", "evolution", "technical")

every_target = pytest.mark.parametrize("target", list(LIMITS))


def test_the_linter_has_nothing_to_say() -> None:
    run(find("hadolint"), "--failure-threshold", "info", DEPLOY / "Dockerfile")


def test_the_locks_are_for_what_pyproject_names_and_for_the_versions_that_are_tested() -> None:
    def pins(*parts: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in DEPLOY.joinpath(*parts).read_text("utf-8").splitlines():
            if "==" in line:
                name, _, version = line.split(" ")[0].partition("==")
                found.setdefault(name, set()).add(version)
        return found

    tested, text, voice = pins("..", "requirements-dev.lock"), pins("locks", "text.lock"), pins("locks", "voice.lock")
    assert text.items() <= voice.items() <= tested.items()
    for name in ("redis", "aiokafka", "pymongo", "neo4j", "mlflow-skinny", "opentelemetry-sdk", "fastapi", "numpy"):
        assert name in text
    assert {"av", "onnxruntime", "tokenizers"} <= set(voice) - set(text)


def files(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            yield path, path.lstat()


@every_target
def test_it_is_small_and_has_no_compiler_installer_or_program_that_raises_rights(target: str) -> None:
    root = image.root_of(target)
    found = list(files(root))
    n_bytes = sum(status.st_size for _, status in found if stat.S_ISREG(status.st_mode))
    assert n_bytes <= LIMITS[target], f"{n_bytes / 1e6:.0f} MB"
    names = {path.name for path, _ in found}
    assert names & {"gcc", "cc", "cc1", "ld", "make", "pip", "pip3", "rustc", "go", "pip.conf", ".netrc"} == set()
    packages = root / "opt" / "hive"
    inside = [path.relative_to(packages) for path, _ in found if path.is_relative_to(packages)]
    assert [path for path in inside if {"tests", "pip", "setuptools"} & set(path.parts)] == []
    assert {path.name for path in inside if path.parts[0] == "bin"} <= {"hive", "python", "python3", "python3.11"}
    assert [path for path, status in found if stat.S_ISREG(status.st_mode) and status.st_mode & 0o6000] == []
    assert [path for path, status in found if stat.S_ISREG(status.st_mode) and status.st_mode & 0o002] == []


def test_it_says_what_it_is() -> None:
    image.root_of("text")
    config: Any = image.config_of("text")
    assert config["User"] == "1000:1000"
    assert config["Entrypoint"] == ["hive"]
    assert set(config["ExposedPorts"]) == {f"{PORT}/tcp"}
    assert set(config["Volumes"]) == {"/data"}
    assert "/health" in config["Healthcheck"]["Test"][-1]
    labels = config["Labels"]
    assert {f"org.opencontainers.image.{name}" for name in ("title", "licenses", "source", "version", "revision")} <= set(labels)


def test_the_list_of_contents_is_valid_and_complete(tmp_path: Path) -> None:
    """CycloneDX 1.6, with every package of the lock that this platform installs, and Debian's."""
    document = image.root_of("sbom") / "sbom.cdx.json"
    code = (
        "import sys; from cyclonedx.schema import SchemaVersion; from cyclonedx.validation.json import JsonStrictValidator as V; "
        "print(V(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()) or '')"
    )
    assert run(find_python(), "-c", code, document).strip() == ""
    found = json.loads(document.read_text("utf-8"))
    assert found["metadata"]["component"]["name"] == "neural-hive-mind"
    kinds = {component["purl"].split("/")[0] for component in found["components"]}
    assert kinds == {"pkg:pypi", "pkg:deb"}
    names = {component["name"] for component in found["components"]}
    assert {"fastapi", "numpy", "apsw", "libc6"} <= names
    assert len(names) > 100


Starter = Callable[..., Contained]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts roles from the image `text`; whatever still runs at the end is killed."""
    with ExitStack() as stack:
        data = tmp_path / "data"
        data.mkdir()

        def begin(
            address: str, words: list[str], settings: Mapping[str, str], hosts: Mapping[str, str], target: str = "text"
        ) -> Contained:
            return stack.enter_context(contained(target, data, address, words, settings, hosts))

        yield begin


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.mark.slow
def test_it_answers_as_user_1000_from_a_root_that_it_cannot_write(start: Starter) -> None:
    hive = start("127.0.4.1", ["up"], {}, {})
    hive.wait()
    status = status_of(hive.pid)
    assert set(status["Uid"].split()) == {"1000"}
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    root = Path(f"/proc/{hive.pid}/root")
    assert (root / "data" / "hive.db").stat().st_uid == 1000
    with pytest.raises(OSError, match="Read-only"):
        (root / "opt" / "hive" / "written").write_text("no")
    with hive.client() as http:
        case = http.post("/api/v1/intents", json={"text": "Apagar as contas inativas"})
        assert http.get("/ready").json()["ready"] is True
    assert case.status_code == 201
    assert case.json()["decision"]["quorum"]["answered"] == 5
    config: Any = image.config_of("text")
    check = config["Healthcheck"]["Test"][1:]
    inside = ["nsenter", f"--target={hive.pid}", "--mount", "--root", "--wd", "env", "-i", "HIVE_PORT=8000"]
    probe = [*inside, "/opt/hive/bin/python", *check[1:-1], check[-1].replace("127.0.0.1", hive.address)]
    assert subprocess.run(probe).returncode == 0
    assert hive.end(signal.SIGTERM) == 0


#: Every service of the cluster → an address of this machine that stands for its pods' addresses.
ADDRESSES = {f"specialist-{name}": f"127.0.5.{number}" for number, name in enumerate(NAMES, 1)}


#: In place of the products that the manifests name.
FILES = {
    "HIVE_LEDGER_URL": "sqlite:////data/hive.db",
    "HIVE_GRAPH_URL": "sqlite:////data/hive.db",
    "HIVE_BUS_URL": "sqlite:////data/hive.db",
    "HIVE_CACHE_URL": "memory://",
    "HIVE_MODELS_URL": "bundled://",
}
#: Role of a store → the server that tests run for it, and what follows its URL.
PRODUCTS = {
    "LEDGER": ("mongodb", "/{unique}"),
    "GRAPH": ("neo4j", ""),
    "BUS": ("kafka", "/{unique}"),
    "CACHE": ("redis", "?prefix={unique}"),
    "MODELS": ("mlflow", ""),
}


def cluster_settings(role: str, stores: dict[str, str]) -> dict[str, str]:
    """The environment that the manifests give a role, with `stores` in place of the addresses that only a cluster has."""
    found = environment("cluster", named("cluster", "Deployment", role))
    return found | stores if role in ("gateway-intencoes", "worker") else found


@pytest.fixture(params=["files", pytest.param("servers", marks=[pytest.mark.server(name) for name, _ in PRODUCTS.values()])])
def stores(request: pytest.FixtureRequest) -> dict[str, str]:
    """Addresses of the ledger, graph, bus, cache and registry: files, or all five products."""
    if request.param == "files":
        return FILES
    unique = f"image{os.getpid()}"
    return {f"HIVE_{role}_URL": os.environ[URLS[name]] + rest.format(unique=unique) for role, (name, rest) in PRODUCTS.items()}


def hosts() -> dict[str, str]:
    """The names of the services, as the cluster's own names would resolve."""
    services = [one for one in objects("cluster") if one["kind"] == "Service"]
    places = {one["metadata"]["name"]: one["metadata"]["namespace"] for one in services}
    return {f"{name}.{places[name]}.svc.cluster.local": address for name, address in ADDRESSES.items()}


class Service:
    """What kube-proxy is to a Service: takes connections and hands them on, in turn, to the pods that accept them.

    in_use: the pod that the newest connection leads to.
    """

    def __init__(self, address: str, pods: list[str]) -> None:
        self._listener = socket.create_server((address, PORT))
        self._pods = pods
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._serve)]
        self.n_connections, self.in_use = 0, ""
        self._threads[0].start()

    def close(self) -> None:
        """End everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in (self._listener, *self._ends):
            end.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._ends.append(client)
            pod = self._connect()
            if pod is None:
                client.shutdown(socket.SHUT_RDWR)
                continue
            self._ends.append(pod)
            self.n_connections += 1
            for source, sink in ((client, pod), (pod, client)):
                self._threads.append(threading.Thread(target=_pump, args=(source, sink)))
                self._threads[-1].start()

    def _connect(self) -> socket.socket | None:
        for _ in self._pods:
            self._pods.append(self._pods.pop(0))
            try:
                found = socket.create_connection((self._pods[-1], PORT))
            except OSError:
                continue
            self.in_use = self._pods[-1]
            return found
        return None


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65_536):
            sink.sendall(piece)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def words(role: str) -> list[str]:
    found: list[str] = container(named("cluster", "Deployment", role))["args"]
    return found


@pytest.mark.slow
def test_a_gateway_and_five_specialists_answer_with_the_environment_of_the_cluster(
    start: Starter, stores: dict[str, str]
) -> None:
    """One specialist has two pods, and one of the two is killed under way: nothing is lost, nothing is degraded."""
    pods = {name: [address] for name, address in ADDRESSES.items()} | {"specialist-technical": ["127.0.6.1", "127.0.6.2"]}
    roles = [start(pod, words(name), cluster_settings(name, stores), {}) for name, found in pods.items() for pod in found]
    by_address = {role.address: role for role in roles}
    service = Service(ADDRESSES["specialist-technical"], pods["specialist-technical"])
    gateway = start("127.0.7.1", words("gateway-intencoes"), cluster_settings("gateway-intencoes", stores), hosts())
    try:
        for role in [*roles, gateway]:
            role.wait()
        with gateway.client(Authorization=f"Bearer {SECRETS['HIVE_AUTH_TOKENS'].partition('=')[0]}") as http:
            assert (
                http.post("/api/v1/intents", json={"text": "Add a dark mode"}, headers={"Authorization": ""}).status_code == 401
            )
            decisions = []
            for number in range(30):
                if number == 10:
                    by_address[service.in_use].end(signal.SIGKILL)  # the pod that the gateway's connection leads to
                answer = http.post("/api/v1/intents", json={"text": f"Add a report about room {number}"})
                assert answer.status_code == 201, answer.text
                decisions.append(answer.json()["decision"])
            verified = http.get("/api/v1/ledger/verify").json()
            ready = http.get("/ready").json()
        assert [d["quorum"]["missing"] for d in decisions if d["quorum"]["missing"]] == []
        if stores == FILES:  # a server that is slow at its first question degrades that one decision, and says so
            assert not any(d["degraded"] for d in decisions)
        assert sum(d["degraded"] for d in decisions) <= 2
        assert all(d["quorum"]["answered"] == 5 for d in decisions)
        assert verified["ok"] is True
        assert all(ready["dependencies"][name]["status"] == "ok" for name in ADDRESSES)
        assert service.n_connections >= 2
    finally:
        service.close()


@pytest.mark.slow
def test_the_image_that_hears_has_the_model_and_loads_it(start: Starter, tmp_path: Path) -> None:
    root = image.root_of("voice")
    folder = root / "opt" / "whisper-base"
    assert {path.name for path in folder.glob("*.bin")} == {"model.bin"}
    assert len(list(folder.glob("hive-*.onnx"))) == 2
    hive = start("127.0.4.2", ["up"], {}, {}, target="voice")
    hive.wait()
    clips = sorted((Path(__file__).parents[1] / "fuzz").rglob("*.wav")) or [_silence(tmp_path)]
    with hive.client() as http:
        answer = http.post("/v1/audio/transcriptions", files={"file": ("clip.wav", clips[0].read_bytes(), "audio/wav")})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) >= {"text"}


def _silence(folder: Path) -> Path:
    import wave

    path = folder / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 16_000, "NONE", ""))
        file.writeframes(bytes(32_000))
    return path
