"""Understanding in a process of its own: texts in, understandings out, batch after batch.

Started by `pipeline.minds.ProcessMind` as `python -P -m neural_hive.understanding.worker FD`; ends when the connection does.
"""

from __future__ import annotations

import gc
import signal
import socket
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from neural_hive.contracts import PiiMention
from neural_hive.errors import HiveError
from neural_hive.understanding.encoder import one_blas_thread
from neural_hive.understanding.understand import Heading, Understander, Understood, load_understander
from neural_hive.understanding.wire import receive, send


def heading_head(heading: Heading) -> list[Any]:
    """A heading as it travels."""
    pii = [[p.kind, p.start, p.end] for p in heading.pii]
    return [heading.text, heading.received_at.isoformat(), pii, heading.language]


def _heading(head: list[Any]) -> Heading:
    text, received_at, pii, language = head
    mentions = tuple(PiiMention(kind=kind, start=start, end=end) for kind, start, end in pii)
    return Heading(text, datetime.fromisoformat(received_at), mentions, language)


def _answer(connection: socket.socket, understood: list[Understood]) -> None:
    parts = [part for one in understood for part in (one.understanding.model_dump_json().encode(), one.vector)]
    send(connection, {"kind": "done", "sizes": [len(part) for part in parts]}, b"".join(parts))


def _serve(connection: socket.socket, understander: Understander) -> None:
    while True:
        head, _ = receive(connection)
        if "names" in head:
            understander.learn_names(head["names"])
            continue
        try:
            understood = understander.understand([_heading(one) for one in head["headings"]])
        except Exception as error:  # noqa: BLE001 - whoever asked is told; the words of the error may hold the text, so only its kind
            send(connection, {"kind": "failed", "message": type(error).__name__})
            continue
        _answer(connection, understood)


def main(descriptor: int) -> None:
    """Serve one hive over an inherited socket. Ctrl-C and SIGTERM are the hive's to hear: it closes the connection when it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as connection:
        try:
            head, _ = receive(connection)
            try:
                understander = load_understander(Path(head["model"]) if head["model"] else None)
            except HiveError as error:
                send(connection, {"kind": "failed", "message": str(error)})
                return
            gc.collect()
            gc.freeze()
            send(connection, {"kind": "ready", "models": understander.models})
            with one_blas_thread().limit():
                _serve(connection, understander)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main(int(sys.argv[1]))
