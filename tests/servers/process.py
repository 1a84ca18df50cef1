"""Starting, freezing and stopping one server process; the process is known by its number and its time of birth."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from tests.servers.layout import running
from tests.servers.product import Launch, Server, ServerError

#: Longest a server may take from its start to being ready, in seconds.
START_S = 240.0
#: Longest a server may take to end by itself before it is killed, in seconds.
STOP_S = 20.0
_LOG_LINES = 25
#: Children of this process, held as long as it lives: Python warns of one that runs on after its object is gone.
_CHILDREN: list[subprocess.Popen[bytes]] = []


def start(server: Server) -> bool:
    """Start an installed server and wait until it is ready; False when it was running already.

    Raises:
        ServerError: it ended, or is not ready in time; the message has the last lines of its log.
    """
    if is_running(server.name):
        return False
    home = running(server.name)
    home.mkdir(parents=True, exist_ok=True)
    ports = _ports(home, server.n_ports)
    launch = server.prepare(home, ports)
    process = _spawn(launch, home)
    _CHILDREN.append(process)
    (home / "pid").write_text(f"{process.pid} {_birth(process.pid)}")
    _wait_until_ready(server, process, launch, ports[0])
    return True


def ports_of(server: Server) -> list[int]:
    """The ports that a server has had since its first start."""
    ports: list[int] = json.loads((running(server.name) / "ports.json").read_text())
    return ports


def forget(name: str) -> None:
    """Remove the data and ports of a server that has ended."""
    shutil.rmtree(running(name), ignore_errors=True)


def stop(name: str, *, hard: bool = False) -> bool:
    """End a server that was started here; False when it was not running. `hard` is a kill without notice."""
    pid = running_pid(name)
    if pid is None:
        return False
    _signal_all(pid, signal.SIGCONT)
    _signal_all(pid, signal.SIGKILL if hard else signal.SIGTERM)
    give_up_at = time.monotonic() + STOP_S
    while running_pid(name) is not None:
        if time.monotonic() > give_up_at:
            _signal_all(pid, signal.SIGKILL)
        _reap(pid)
        time.sleep(0.05)
    _signal_all(pid, signal.SIGKILL)  # workers that outlived it
    for child in [one for one in _CHILDREN if one.pid == pid]:
        child.wait(STOP_S)  # the last of its threads may still be ending
        _CHILDREN.remove(child)
    (running(name) / "pid").unlink(missing_ok=True)
    return True


def freeze(name: str) -> None:
    """Stop a server's clock: it keeps its connections and answers nothing until `thaw`."""
    _signal(name, signal.SIGSTOP)


def thaw(name: str) -> None:
    """Let a frozen server go on."""
    _signal(name, signal.SIGCONT)


def is_running(name: str) -> bool:
    """Whether the process that was started for `name` still lives."""
    return running_pid(name) is not None


def running_pid(name: str) -> int | None:
    """The process number, or None when that process has ended, even if its number is used again."""
    file = running(name) / "pid"
    if not file.exists():
        return None
    pid, birth = file.read_text().split(maxsplit=1)
    return int(pid) if _birth(int(pid)) == birth else None


def log_tail(home: Path, n_lines: int = _LOG_LINES) -> str:
    """The last lines of a server's log."""
    log = home / "log"
    if not log.exists():
        return "(no log)"
    with log.open(errors="replace") as lines:
        return "".join(deque(lines, n_lines)).rstrip()


def _spawn(launch: Launch, home: Path) -> subprocess.Popen[bytes]:
    with (home / "log").open("wb") as log:
        try:
            return subprocess.Popen(
                launch.command,
                cwd=home,
                env=os.environ | dict(launch.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ServerError(f"{launch.command[0]} cannot be run: {error}") from error


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], launch: Launch, port: int) -> None:
    home = running(server.name)
    give_up_at = time.monotonic() + START_S
    while not _is_ready(home, launch, port):
        if process.poll() is not None:
            raise ServerError(f"{server.name} ended with code {process.returncode}:\n{log_tail(home)}")
        if time.monotonic() > give_up_at:
            stop(server.name, hard=True)
            raise ServerError(f"{server.name} is not ready after {START_S:.0f} s:\n{log_tail(home)}")
        time.sleep(0.1)


def _is_ready(home: Path, launch: Launch, port: int) -> bool:
    if launch.ready and launch.ready not in (home / "log").read_text(errors="replace"):
        return False
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _ports(home: Path, n: int) -> list[int]:
    """The ports of the last start when they are still free, so that a restarted server keeps its URL; else new ones."""
    file = home / "ports.json"
    known: list[int] = json.loads(file.read_text()) if file.exists() else []
    if len(known) != n or not all(map(_is_free, known)):
        known = _free_ports(n)
        file.write_text(json.dumps(known))
    return known


def _free_ports(n: int) -> list[int]:
    sockets = [socket.socket() for _ in range(n)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _birth(pid: int) -> str:
    """When the process was born, in the kernel's ticks; empty when there is none or it only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _reap(pid: int) -> None:
    for child in [one for one in _CHILDREN if one.pid == pid]:
        if child.poll() is not None:
            _CHILDREN.remove(child)
        return
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # started by another process, which has ended


def _signal(name: str, number: signal.Signals) -> None:
    pid = running_pid(name)
    if pid is None:
        raise ServerError(f"{name} is not running")
    _signal_all(pid, number)


def _signal_all(pid: int, number: signal.Signals) -> None:
    """Signal a server and its workers: it was started as the leader of a process group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(pid, number)
