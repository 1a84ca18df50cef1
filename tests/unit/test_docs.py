"""The documentation: everything public is in it, its links lead somewhere, and its commands work as they stand there."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from neural_hive.cli.app import verbs
from neural_hive.gateway.app import document_for
from neural_hive.observability.metric_table import TABLE
from neural_hive.settings import Settings, environment_names
from neural_hive.specialists.rubric import bundled_rubrics

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
HIVE = Path(sys.executable).with_name("hive")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").glob("*/README.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
#: Blocks that begin with ```sh and nothing else are run; ```ini blocks are the settings of the hive they talk to.
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INI = re.compile(r"^```ini\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:8000"
#: Pages whose commands run here; the tutorial's run in tests/acceptance.
EXECUTED = [
    ROOT / "README.md",
    *(ROOT / "docs" / "how-to" / f"{name}.md" for name in ("run-on-a-server", "back-up-and-restore", "review-queue")),
    *(ROOT / "docs" / "how-to" / f"{name}.md" for name in ("batch-decide", "troubleshoot", "observe")),
]
#: Folders of one person's machine, and registries: neither belongs into a file.
ELSEWHERE = re.compile(
    r"(?<![\w.~/])/(?:wor[k]|home|roo[t]|Users|mnt)/\w|\b(?:files\.python[h]osted|py[p]i|registry\.npm[j]s)\.org\b"
)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """docs/generate.py."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_settings_page_is_current(generator: ModuleType) -> None:
    assert (REFERENCE / "settings.md").read_text("utf-8") == generator.settings_page(), "run: make docs"


def test_every_setting_is_documented() -> None:
    page = (REFERENCE / "settings.md").read_text("utf-8")
    assert [name for name in environment_names() if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - {"specialists"}))
def test_every_setting_is_read_by_some_code(name: str) -> None:
    looks = re.compile(rf"settings\.{name}\b|environ\.get\(\"HIVE_{name.upper()}\"")
    files = (f for f in (ROOT / "src").rglob("*.py") if f.name != "settings.py")
    assert any(looks.search(file.read_text("utf-8")) for file in files)


def test_every_metric_is_documented() -> None:
    page = (REFERENCE / "metrics.md").read_text("utf-8")
    assert [metric.name for metric in TABLE if f"`hive_{metric.name}`" not in page] == []


def test_every_verb_is_documented() -> None:
    page = (REFERENCE / "cli.md").read_text("utf-8")
    assert [name for name in verbs() if f"### `hive {name}" not in page] == []


def test_every_route_is_documented() -> None:
    page = (REFERENCE / "http.md").read_text("utf-8")
    paths = document_for(Settings.model_construct())["paths"]
    routes = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    assert [route for route in routes if f"## {route}" not in page] == []


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as forges make them."""
    headings = HEADING.findall(FENCED.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    assert ELSEWHERE.findall(page.read_text("utf-8")) == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text("utf-8"))}
    assert [name_of(page) for page in (ROOT / "docs").rglob("*.md") if page != index and page.resolve() not in linked] == []


def test_every_page_that_the_code_names_exists() -> None:
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.toml")]
    named = {path for source in sources for path in re.findall(r"\bdocs/[\w/-]+\.md", source.read_text("utf-8"))}
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_test_that_a_page_names_exists() -> None:
    tests = {path: path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")}
    pages = [(ROOT / "docs" / "explanation" / f"{name}.md") for name in ("promises", "judging", "privacy-by-design")]
    named = {name for page in pages for name in re.findall(r"`(test_\w+)`", page.read_text("utf-8"))}
    assert sorted(name for name in named if not any(f"def {name}(" in text for text in tests.values())) == []


def test_the_readme_counts_the_concerns_right() -> None:
    n_concerns = sum(len(rubric.concerns) for rubric in bundled_rubrics().values())
    assert f"{n_concerns} general concerns" in (ROOT / "README.md").read_text("utf-8")


def test_the_readme_has_a_row_for_every_number(generator: ModuleType) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert [what for rows in generator.NUMBERS.values() for what, _, _ in rows if f"| {what} |" not in text] == []


def test_the_first_screen_of_the_readme_is_one_screen() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert next(n for n, line in enumerate(lines, 1) if "(docs/README.md)" in line) <= 40


@contextmanager
def running_hive(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """A hive in the folder, on a free port; where it listens."""
    command = [str(HIVE), "up", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said: list[str] = []
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"listening on http://\S+:(\d+)", line):
                    yield f"http://127.0.0.1:{found[1]}"
                    break
            else:
                pytest.fail("".join(said))
        finally:
            process.send_signal(signal.SIGTERM)


def settings_of(text: str) -> dict[str, str]:
    """Settings that a page gives in its ```ini blocks."""
    pairs = (line.partition("=") for block in INI.findall(text) for line in block.splitlines())
    return {name: value for name, _, value in pairs if name.startswith("HIVE_")}


@pytest.mark.slow
@pytest.mark.parametrize("page", EXECUTED, ids=name_of)
def test_the_commands_of_a_page_work(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    if "curl" in text and shutil.which("curl") is None:
        pytest.skip("curl is not installed; the page uses it")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HIVE_")}
    environment["PATH"] = f"{HIVE.parent}{os.pathsep}{environment['PATH']}"
    with running_hive(tmp_path, environment | settings_of(text)) as address:
        for block in BLOCK.findall(text):
            command = ["bash", "-euo", "pipefail", "-c", block.replace(ADDRESS, address)]
            ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
            assert ran.returncode == 0, f"{block}\n{ran.stdout}\n{ran.stderr}"
