"""The speech worker: decodes, detects and transcribes, one request after another, in a process of its own with limits.

Started by `process.SpeechProcess` as `python -P -m neural_hive.understanding.speech.worker FD`; ends when the
connection does.
"""

from __future__ import annotations

import resource
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neural_hive.contracts import Transcript
from neural_hive.errors import AudioRejectedError, HiveError
from neural_hive.understanding.audio import AudioLimits, decode
from neural_hive.understanding.speech.model import WhisperModel
from neural_hive.understanding.speech.recognise import Options, Recogniser
from neural_hive.understanding.vad import VoiceActivityDetector
from neural_hive.understanding.wire import receive, send


@dataclass(frozen=True)
class _Job:
    options: Options
    is_samples: bool
    cpu_s: float


def _limit_process(memory_bytes: int) -> None:
    for kind, value in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (allowed, hard))


def _allow_cpu(seconds: float) -> None:
    """Let this process use `seconds` more of processor time, then be killed by the kernel, however it is stuck."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _job(head: dict[str, Any]) -> _Job:
    options = Options(head["language"], tuple(head["vocabulary"]), bool(head["word_times"]))
    return _Job(options, bool(head["is_samples"]), float(head["cpu_s"]))


def _answer(connection: socket.socket, recogniser: Recogniser, job: _Job, body: bytearray) -> None:
    started = time.perf_counter()
    waveform = np.frombuffer(body, np.float32) if job.is_samples else decode(bytes(body), AudioLimits())
    send(connection, {"kind": "decoded"})
    transcript = recogniser.transcribe(
        waveform, job.options, lambda share: send(connection, {"kind": "progress", "share": share})
    )
    whole = transcript.model_copy(update={"compute_s": time.perf_counter() - started})
    send(connection, _done(whole))


def _done(transcript: Transcript) -> dict[str, Any]:
    return {"kind": "done", "transcript": transcript.model_dump(mode="json")}


def _serve(connection: socket.socket, recogniser: Recogniser) -> None:
    while True:
        head, body = receive(connection)
        job = _job(head)
        _allow_cpu(job.cpu_s)
        try:
            _answer(connection, recogniser, job, body)
        except AudioRejectedError as error:
            send(connection, {"kind": "rejected", "message": str(error)})
        except MemoryError:
            send(connection, {"kind": "rejected", "message": "The recording needs more memory than a recording may."})


def main(descriptor: int) -> None:
    """Read the settings, load the model, say `ready`, and serve until the other side is gone."""
    with socket.socket(fileno=descriptor) as connection:
        try:
            settings, _ = receive(connection)
            _limit_process(settings["memory_bytes"])
            started = time.perf_counter()
            model = WhisperModel(Path(settings["model"]), n_threads=settings["n_threads"])
            recogniser = Recogniser(model, VoiceActivityDetector())
            send(connection, {"kind": "ready", "load_s": time.perf_counter() - started, "model": model.name})
            _serve(connection, recogniser)
        except HiveError as error:
            send(connection, {"kind": "failed", "message": str(error)})
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main(int(sys.argv[1]))
