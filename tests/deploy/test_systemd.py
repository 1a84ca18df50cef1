"""The systemd unit: read by systemd without complaint, and as closed as it can be."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from neural_hive.gateway.server import FAREWELL_S, GRACE_S
from neural_hive.hive import DRAIN_S
from neural_hive.settings import environment_names
from tests.deploy.toolbox import DEPLOY, find

UNIT = DEPLOY / "systemd" / "neural-hive-mind.service"


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text("utf-8").replace("/opt/neural-hive-mind/.venv/bin/hive", "/bin/true"))
    ran = subprocess.run([find("systemd-analyze"), "verify", "--man=no", str(copy)], capture_output=True, text=True)
    assert [line for line in (ran.stdout + ran.stderr).splitlines() if UNIT.name in line] == []


def test_systemd_calls_it_well_protected() -> None:
    ran = subprocess.run([find("systemd-analyze"), "security", "--offline=true", str(UNIT)], capture_output=True, text=True)
    found = re.search(r"exposure level for \S+: ([\d.]+)", ran.stdout)
    assert found is not None, ran.stdout + ran.stderr
    assert float(found[1]) <= 2.0


def test_it_knows_the_settings_and_gives_time_to_leave() -> None:
    text = UNIT.read_text("utf-8")
    assert set(re.findall(r"\bHIVE_\w+", text)) <= set(environment_names())
    stop = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert stop is not None
    assert int(stop[1]) > FAREWELL_S + GRACE_S + DRAIN_S
