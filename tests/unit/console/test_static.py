"""What is vendored is what the table says, and no file of ours reaches out."""

from __future__ import annotations

import re
from hashlib import sha256
from xml.etree import ElementTree

from neural_hive.console.rendering import STATIC

ROW = re.compile(r"^\| (\S+\.js) \| \S+ \| [\d.]+ \| .*\((\S+)\) \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def test_every_vendored_script_has_its_hash_and_licence() -> None:
    rows = ROW.findall((STATIC / "vendor" / "README.md").read_text())
    assert {name for name, _, _ in rows} == {path.name for path in (STATIC / "vendor").glob("*.js")}
    for name, licence, digest in rows:
        assert sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest
        assert (STATIC / "vendor" / licence).is_file()


def test_our_files_name_no_other_host() -> None:
    ours = [*STATIC.glob("css/*"), *STATIC.glob("js/*"), *STATIC.glob("*.svg")]
    hosts = {h for path in ours for h in re.findall(r"https?://([^/\"' )]+)", path.read_text())}
    assert hosts <= {"www.w3.org"}


def test_every_symbol_that_is_drawn_exists() -> None:
    sprite = ElementTree.parse(STATIC / "icons.svg").getroot()
    known = {node.get("id") for node in sprite}
    used = {
        "approved",
        "conditional",
        "needs_review",
        "rejected",
        "business",
        "technical",
        "behavior",
        "evolution",
        "architecture",
    }
    for template in (STATIC.parent / "templates").rglob("*.html"):
        text = template.read_text()
        used |= set(re.findall(r"icon\('([a-z_]+)'", text)) | set(re.findall(r"sprite \}\}#([a-z_]+)", text))
    assert used <= known
