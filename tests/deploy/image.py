"""The images of deploy/Dockerfile: built without a daemon, on a base made by debootstrap, and run as Kubernetes runs them.

Run means: process 1 of its own process namespace, user 1000, no capabilities, a root that cannot be written, its own /tmp and /data.
Needs root, buildah and debootstrap. What is built is kept below `.servers/image` until its sources change.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.deploy.toolbox import DEPLOY, ROOT, missing
from tests.servers.layout import ROOT as SERVERS

_HOME = SERVERS / "image"
_BASE = "localhost/hive-base"
_PACKAGES = "python3,python3-venv,ca-certificates"
_SOURCES = (
    ".dockerignore",
    "LICENSE",
    "NOTICE",
    "README.md",
    "pyproject.toml",
    "deploy/Dockerfile",
    "deploy/sbom.py",
    "deploy/trim.sh",
)
#: Makes the process see only the image: a read-only root, /proc, /dev, hosts of the test's own, a private /tmp and /data.
_ENTER = """
view=$(mktemp -d)
mount --bind "$1" "$view"; mount -o remount,bind,ro "$view"
mount --bind "$2" "$view/data"; mount --bind "$3" "$view/etc/hosts"; mount -o remount,bind,ro "$view/etc/hosts"
mount -t tmpfs -o mode=1777,size=256m tmpfs "$view/tmp"
mount -t proc proc "$view/proc"; mount --rbind /dev "$view/dev"
shift 3
exec chroot "$view" /usr/bin/setpriv --reuid=1000 --regid=1000 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
  /usr/bin/env -i --chdir=/data "$@"
"""


def build(target: str) -> str:
    """The name of the image, built if its sources have changed since it was built last.

    Raises:
        subprocess.CalledProcessError: debootstrap or buildah failed.
    """
    name = f"localhost/hive-{target}:{digest()}"
    if not exists(name):
        if not exists(_BASE):
            _build_base()
        secrets = _secrets()
        inputs = ["--build-arg", f"BASE={_BASE}", "--target", target, "-t", name, "-f", str(DEPLOY / "Dockerfile"), str(ROOT)]
        command = _buildah("bud", "--isolation", "chroot", "--format", "docker", "--layers", *secrets, *inputs)
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return name


def root_of(target: str) -> Path:
    """The folder with the files of an image; skips the test where it is not built, or fails it where `image` is required."""
    if os.geteuid() != 0 or shutil.which("buildah") is None:
        missing("images are built by root with buildah and debootstrap", "image")
    name = name_of(target)
    if not exists(name):
        missing(f"{name} is not there; run `python -m tests.deploy image {target}`", "image")
    container = re.sub(r"\W", "-", name)
    if subprocess.run(_buildah("inspect", container), capture_output=True).returncode:
        _say(_buildah("from", "--pull-never", "--name", container, name))
    return Path(_say(_buildah("mount", container)))


def name_of(target: str) -> str:
    """The image of these sources, or the one that HIVE_TEST_IMAGE_TEXT (…_VOICE, …_SBOM) names."""
    return os.environ.get(f"HIVE_TEST_IMAGE_{target.upper()}") or f"localhost/hive-{target}:{digest()}"


def config_of(target: str) -> dict[str, object]:
    """Entry point, environment, user, health check … of an image."""
    found: dict[str, object] = json.loads(_say(_buildah("inspect", "--type", "image", name_of(target))))
    return dict(found["Docker"]["config"])  # type: ignore[index]


def command(
    target: str, folder: Path, hosts: Mapping[str, str], words: Iterable[str], environment: Mapping[str, str]
) -> list[str]:
    """The command that runs the image's entry point with `words`.

    folder: becomes /data. hosts: name → address. environment: beside the image's own.
    """
    root, config = root_of(target), config_of(target)
    own = dict(pair.split("=", 1) for pair in config["Env"])  # type: ignore[attr-defined]
    file = folder.parent / f"{folder.name}.hosts"
    file.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in hosts.items()))
    os.chown(folder, 1000, 1000)
    pairs = [f"{name}={value}" for name, value in {**own, **environment}.items()]
    program = [*config["Entrypoint"], *words]  # type: ignore[misc]
    enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", _ENTER, "enter"]
    return [*enter, str(root), str(folder), str(file), *pairs, *program]


def digest() -> str:
    """16 hex digits of everything that an image is made of."""
    files = [ROOT / name for name in _SOURCES] + sorted((DEPLOY / "locks").iterdir())
    files += sorted(path for path in (ROOT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    whole = hashlib.sha256()
    for path in files:
        whole.update(f"{path.relative_to(ROOT)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]


def exists(name: str) -> bool:
    """Whether an image has been built."""
    return bool(_say(_buildah("images", "--quiet", "--filter", f"reference={name}")))


def _build_base() -> None:
    """Debian's smallest system with Python, as an image."""
    tree = _HOME / "base"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(tree)],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    container = _say(_buildah("from", "scratch"))
    _say(_buildah("add", "--quiet", container, str(tree), "/"))
    _say(_buildah("config", "--env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", container))
    _say(_buildah("commit", "--quiet", "--rm", container, _BASE))
    shutil.rmtree(tree)


def _secrets() -> list[str]:
    """This machine's package index and authorities, for the build alone."""
    configured = next(
        (path for path in map(Path, ("/etc/pip.conf", str(Path.home() / ".config/pip/pip.conf"))) if path.exists()), None
    )
    text = configured.read_text() if configured else "[global]\n"
    lines = [line for line in text.splitlines() if not line.strip().startswith("cert")]
    lines.insert(lines.index("[global]") + 1 if "[global]" in lines else 0, "cert = /run/secrets/ca.pem")
    _HOME.mkdir(parents=True, exist_ok=True)
    (_HOME / "pip.conf").write_text("\n".join(lines) + "\n")
    return ["--secret", f"id=pip,src={_HOME / 'pip.conf'}", "--secret", "id=ca,src=/etc/ssl/certs/ca-certificates.crt"]


def _buildah(*words: str) -> list[str]:
    return ["buildah", "--root", str(_HOME / "root"), "--runroot", str(_HOME / "run"), "--storage-driver", "vfs", *words]


def _say(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
