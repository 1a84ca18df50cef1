"""Command line: `python -m tests.deploy install` puts the tools there, `… image` builds the images that tests/deploy runs,
`… measure` starts every role from them and prints what it took."""

from __future__ import annotations

import argparse
import sys

import pytest

from tests.deploy import image, measure, toolbox

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.deploy", description="What the tests of deploy/ need.")
    parser.add_argument("command", choices=("install", "image", "measure"))
    parser.add_argument("targets", nargs="*", help="image, measure: text, voice or sbom; text (and sbom) if none is named")
    chosen = parser.parse_args()
    if chosen.command == "install":
        toolbox.install()
    elif chosen.command == "measure":
        try:
            for target in chosen.targets or ("text",):
                measure.roles(target)
        except pytest.skip.Exception as error:
            sys.exit(str(error))
    else:
        for target in chosen.targets or ("text", "sbom"):
            sys.stdout.write(f"{target}: {image.build(target)}\n")
