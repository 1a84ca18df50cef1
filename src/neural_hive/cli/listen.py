"""`hive listen`: recordings in, recorded decisions out."""

from __future__ import annotations

from pathlib import Path

import typer

from neural_hive.cli.ask import show_case
from neural_hive.cli.connect import CALLER, AnyHive, connect, run
from neural_hive.cli.options import Json, LanguageHint, Server, Token
from neural_hive.cli.progress import waiting
from neural_hive.cli.recordings import Recordings, each_recording
from neural_hive.cli.remote import RemoteHive
from neural_hive.contracts import Case, Channel, Language
from neural_hive.pipeline.spoken import ask_of


def register(app: typer.Typer) -> None:
    """Add `listen`."""
    app.command("listen")(listen)


def listen(
    audio: Recordings, language: LanguageHint = None, as_json: Json = None, server: Server = None, token: Token = None
) -> int:
    """Ask by voice: recordings in, decisions out.

    Every recording becomes one recorded case; with --json or in a pipe, one line each, in order. A recording that
    cannot be used is named on stderr, the others go on, and the exit code is 1.
    """
    return run(_listen(audio, language, as_json, server, token))


async def _listen(
    paths: list[Path], language: Language | None, as_json: bool | None, server: str | None, token: str | None
) -> int:
    async with connect(server, token, is_recovering=True) as hive:

        async def decide(path: Path, sound: bytes) -> None:
            with waiting(f"Listening to {path}"):
                case = await _hear(hive, sound, language)
            show_case(case, as_json)

        return await each_recording(paths, decide)


async def _hear(hive: AnyHive, sound: bytes, language: Language | None) -> Case:
    """The case that a recording becomes; a server does both steps itself."""
    if isinstance(hive, RemoteHive):
        return await hive.listen(sound, language=language)
    transcript = await hive.transcribe(sound, language=language)
    caller = CALLER.model_copy(update={"channel": Channel.VOICE})
    return await hive.ask(ask_of(transcript), caller, transcript=transcript)
