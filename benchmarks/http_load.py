"""What a decision costs over HTTP: latency of one client, throughput of many, over keep-alive connections on loopback.

    python -P benchmarks/http_load.py http://127.0.0.1:8000 [--seconds 5] [--clients 1 16] [--path /health]
    python -P benchmarks/http_load.py http://127.0.0.1:8000 --rate 200 --seconds 600 --pid $(pgrep -f 'hive up')

Starts nothing: point it at a hive that runs, with HIVE_RATE_LIMIT_PER_MINUTE=0. Prints one JSON line per number of clients. With
`--rate`, requests are sent when they are due, however slow the answers are, and a latency counts from when it was due (no
coordinated omission); with `--pid`, the memory of that process and its children is read before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

#: Everyday intents in three languages; each request takes the next one with words of its own, so that no cache answers. (A number
#: would be masked as somebody's phone, and the texts would be alike again.)
TEXTS = (
    "Apagar as contas inativas há mais de cinco anos",
    "Migrate the billing database to PostgreSQL 17 this weekend with a rollback plan",
    "El botón de pagar no se ve en el móvil y los clientes se quejan",
    "Aumentar o timeout do serviço de pagamentos para trinta segundos",
    "Give the support team read access to the customer dashboard",
    "Desactivar los registros de auditoría en producción",
)
#: What tells one request from the next.
WORDS = [
    "azul",
    "verde",
    "norte",
    "sul",
    "leste",
    "oeste",
    "lote",
    "turno",
    "mesa",
    "porta",
    "linha",
    "ponto",
    "campo",
    "folha",
    "barco",
    "torre",
    "blue",
    "green",
    "north",
    "south",
    "east",
    "west",
    "batch",
    "shift",
    "table",
    "door",
    "line",
    "point",
    "field",
    "sheet",
    "boat",
    "tower",
    "rojo",
    "blanco",
    "noche",
    "tarde",
    "calle",
    "plaza",
    "puente",
    "playa",
    "monte",
    "valle",
    "fuente",
    "piedra",
    "arena",
    "nube",
    "lluvia",
    "trigo",
]
#: Connections that take turns at a steady rate.
N_CONNECTIONS = 64


@dataclass(slots=True)
class Tally:
    """What the clients measured. seconds: one latency per answer."""

    seconds: list[float] = field(default_factory=list)
    n_errors: int = 0

    def report(self, n_clients: int, elapsed_s: float) -> dict[str, float]:
        """Milliseconds and requests per second."""
        ordered = sorted(self.seconds)
        at = [round(1000 * ordered[min(int(q * len(ordered)), len(ordered) - 1)], 3) for q in (0.5, 0.9, 0.99, 1.0)]
        names = dict(zip(("p50_ms", "p90_ms", "p99_ms", "max_ms"), at, strict=True))
        return {"clients": n_clients, "per_s": round(len(ordered) / elapsed_s, 1), **names, "errors": self.n_errors}


def mark(number: int) -> str:
    """Three everyday words; the same again only after 110,592 numbers."""
    n = len(WORDS)
    return f"{WORDS[number % n]} {WORDS[number // n % n]} {WORDS[number // n // n % n]}"


def request(path: str, host: str, number: int, token: str) -> bytes:
    """One HTTP/1.1 request: POST of an intent, or GET of any other path."""
    auth = f"Authorization: Bearer {token}\r\n" if token else ""
    if path != "/api/v1/intents":
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{auth}\r\n".encode()
    body = json.dumps({"text": f"{TEXTS[number % len(TEXTS)]} ({mark(number)})"}).encode()
    about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{auth}{about}\r\n".encode() + body


async def read_answer(reader: asyncio.StreamReader) -> int:
    """Read one answer with a Content-Length; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(head[9:12])


async def run_client(url: str, path: str, token: str, first: int, until: float, tally: Tally) -> None:
    """Send one request after the other on one connection."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    number = first
    while (started := time.perf_counter()) < until:
        writer.write(request(path, parts.netloc, number, token))
        status = await read_answer(reader)
        tally.seconds.append(time.perf_counter() - started)
        tally.n_errors += status >= 400
        number += 1
    writer.close()


async def follow(url: str, path: str, token: str, base: int, due: asyncio.Queue[tuple[int, float] | None], tally: Tally) -> None:
    """Send on one connection whatever is due next."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    while (job := await due.get()) is not None:
        number, due_s = job
        writer.write(request(path, parts.netloc, base + number, token))
        status = await read_answer(reader)
        tally.seconds.append(time.perf_counter() - due_s)
        tally.n_errors += status >= 400
    writer.close()


async def measure_rate(url: str, path: str, token: str, rate: float, seconds: float, pid: int) -> dict[str, float]:
    """Requests at a steady rate for a while, after a tenth of it as warm-up."""
    base = time.time_ns() // 1000 % 10**9 * 1000
    due: asyncio.Queue[tuple[int, float] | None] = asyncio.Queue()
    tally, before = Tally(), 0.0
    senders = [asyncio.create_task(follow(url, path, token, base, due, tally)) for _ in range(N_CONNECTIONS)]
    started, n_warm, n_all = time.perf_counter(), int(rate * seconds / 10), int(rate * seconds * 1.1)
    for number in range(n_all):
        due_s = started + number / rate
        if (wait_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        if number == n_warm:
            tally.seconds.clear()
            tally.n_errors, before = 0, memory_mb(pid)
        due.put_nowait((number, due_s))
    for _ in senders:
        due.put_nowait(None)
    await asyncio.gather(*senders)
    told = {"rate": rate} | tally.report(0, time.perf_counter() - started - n_warm / rate)
    del told["clients"]
    return told | ({"memory_before_mb": before, "memory_after_mb": memory_mb(pid)} if pid else {})


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children, in MB. Source: proc(5)."""
    if not pid:
        return 0.0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = [int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in (str(pid), *children)]
    return round(sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


async def measure(url: str, path: str, token: str, n_clients: int, seconds: float) -> dict[str, float]:
    """All clients at once for a while, after a short warm-up."""
    base = time.time_ns() // 1000 % 10**9 * 100
    await run_client(url, path, token, base, time.perf_counter() + min(1.0, seconds / 4), Tally())
    tally, started = Tally(), time.perf_counter()
    until = started + seconds
    firsts = (base + (n + 1) * 1_000_000 for n in range(n_clients))
    await asyncio.gather(*(run_client(url, path, token, first, until, tally) for first in firsts))
    return tally.report(n_clients, time.perf_counter() - started)


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--path", default="/api/v1/intents")
    parser.add_argument("--token", default="")
    parser.add_argument("--rate", type=float, default=0.0, help="requests per second, sent when due; instead of --clients")
    parser.add_argument("--pid", type=int, default=0, help="process whose memory is read, with --rate")
    chosen = parser.parse_args()
    host = urlsplit(chosen.url).hostname or ""
    if host != "localhost" and not ip_address(host).is_loopback:
        parser.error("only a hive on this machine may be loaded")
    if chosen.rate:
        seconds = min(chosen.seconds, 600)
        print(json.dumps(asyncio.run(measure_rate(chosen.url, chosen.path, chosen.token, chosen.rate, seconds, chosen.pid))))
        return
    for n_clients in chosen.clients:
        print(json.dumps(asyncio.run(measure(chosen.url, chosen.path, chosen.token, n_clients, min(chosen.seconds, 600)))))


if __name__ == "__main__":
    main()
