"""How fast the console is in a browser: first paint, bytes of the first page, event to screen.

`python benchmarks/console_paint.py > benchmarks/results/console.json` keeps one JSON line. Targets (issue 6): first paint ≤ 1000 ms,
≤ 300 kB, event to screen ≤ 100 ms. The load average is told because a busy machine measures itself.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from chromium import chromium
from sample_cases import DELETE_PT
from serving import Served, served

ROUNDS = 5
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
_BYTES = "() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
_BYTES += ".reduce((sum, entry) => sum + entry.transferSize, 0)"
#: Writes down when the news change, in Unix milliseconds: the same clock as this process's.
_WATCH = "() => { window.seen = []; new MutationObserver(() => seen.push(Date.now()))"
_WATCH += ".observe(document.getElementById('news'), { childList: true }); }"


def main() -> None:
    """Measure and print."""
    with chromium() as browser, served() as console:
        console.hive.fill()
        paints, sizes = zip(*(first_page(browser, console) for _ in range(ROUNDS)), strict=True)
        console.hive.is_paced = True
        delays = [delay for _ in range(ROUNDS) for delay in event_to_screen(browser, console)]
    result = {
        "n_cpus": os.cpu_count(),
        "load_average_1_min": os.getloadavg()[0],
        "first_paint_ms": {"median": statistics.median(paints), "max": max(paints)},
        "transferred_bytes": max(sizes),
        "event_to_screen_ms": {
            "median": statistics.median(delays),
            "p95": statistics.quantiles(delays, n=20)[-1],
            "max": max(delays),
            "n": len(delays),
        },
    }
    print(json.dumps(result))


def first_page(browser: Any, console: Served) -> tuple[float, int]:
    """(first contentful paint in ms, bytes over the network) with an empty cache."""
    page = browser.new_page()
    page.goto(console.address)
    page.wait_for_load_state("networkidle")
    found = page.evaluate(_PAINT), page.evaluate(_BYTES)
    page.close()
    return found


def event_to_screen(browser: Any, console: Served) -> list[float]:
    """From releasing each of the seven events to the change on the page, in ms."""
    page = browser.new_page(locale="en")
    page.goto(console.address)
    page.get_by_label("Your request").fill(DELETE_PT)
    page.get_by_role("button", name="Ask the hive").click()
    page.wait_for_selector("#news", state="attached")
    page.wait_for_timeout(300)
    page.evaluate(_WATCH)
    delays = []
    for n in range(7):
        released_ms = time.time() * 1000
        console.release()
        page.wait_for_function("n => seen.length > n", arg=n)
        delays.append(page.evaluate("n => seen[n]", n) - released_ms)
    page.close()
    return delays


if __name__ == "__main__":
    main()
