"""`hive transcribe`: recordings in, text out."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from neural_hive.cli.connect import connect, run
from neural_hive.cli.options import Json, LanguageHint, Server, Token
from neural_hive.cli.output import json_line, wants_json
from neural_hive.cli.progress import open_share_progress
from neural_hive.cli.recordings import Recordings, each_recording
from neural_hive.contracts import Language, Transcript


def register(app: typer.Typer) -> None:
    """Add `transcribe`."""
    app.command("transcribe")(transcribe)


def transcribe(
    audio: Recordings, language: LanguageHint = None, as_json: Json = None, server: Server = None, token: Token = None
) -> int:
    """Turn recordings into text.

    With --json or in a pipe, one line a recording, in order: file, text, language, duration_s, compute_s, segments
    and more. A recording that cannot be used is named on stderr, the others go on, and the exit code is 1.
    """
    return run(_transcribe(audio, language, wants_json(as_json), server, token))


async def _transcribe(paths: list[Path], language: Language | None, as_json: bool, server: str | None, token: str | None) -> int:
    async with connect(server, token) as hive:

        async def write(path: Path, sound: bytes) -> None:
            with open_share_progress(f"Listening to {path}") as progress:
                transcript = await hive.transcribe(sound, language=language, progress=progress)
            line = json_line({"file": str(path)} | transcript.model_dump(mode="json")) if as_json else _text(path, transcript)
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()

        return await each_recording(paths, write)


def _text(path: Path, transcript: Transcript) -> bytes:
    from neural_hive.cli.terminal import clean

    said = clean(transcript.text) if transcript.has_speech else "(no speech)"
    return f"{path} [{transcript.language}, {transcript.duration_s:.1f} s] {said}\n".encode()
