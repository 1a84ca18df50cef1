"""Command line: `python -m tests.deploy install` puts the tools there, `… image` builds the images that tests/deploy runs."""

from __future__ import annotations

import argparse
import sys

from tests.deploy import image, toolbox

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.deploy", description="What the tests of deploy/ need.")
    parser.add_argument("command", choices=("install", "image"))
    parser.add_argument("targets", nargs="*", help="image: text, voice or sbom; text and sbom if none is named")
    chosen = parser.parse_args()
    if chosen.command == "install":
        toolbox.install()
    else:
        for target in chosen.targets or ("text", "sbom"):
            sys.stdout.write(f"{target}: {image.build(target)}\n")
