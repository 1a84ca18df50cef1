"""Recipe for the pictures of docs/how-to/use-the-console.md: `python tests/browser/docs_screenshots.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from chromium import chromium
from serving import served

IMAGES = Path(__file__).parents[2] / "docs" / "how-to" / "images"
#: Largest picture, in bytes.
MAX_BYTES = 120_000
PICTURES = (("console-ask", "/", "light"), ("console-case", "case", "light"), ("console-reviews", "/reviews", "dark"))


def main() -> None:
    """Take the pictures of a hive with sample cases."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with served() as console, chromium() as browser:
        console.hive.fill()
        for name, path, scheme in PICTURES:
            page = browser.new_page(viewport={"width": 1080, "height": 620}, color_scheme=scheme, locale="en")
            page.goto(console.address + (f"/cases/{max(console.hive.known)}" if path == "case" else path))
            page.wait_for_load_state("networkidle")
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()
            size = (IMAGES / f"{name}.png").stat().st_size
            assert size <= MAX_BYTES, f"{name} has {size} bytes"


if __name__ == "__main__":
    main()
