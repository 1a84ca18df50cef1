"""What is in the image, as a CycloneDX 1.6 document on stdout: Python packages of this environment, Debian packages of the base.

    python sbom.py [DPKG_STATUS] > sbom.cdx.json

Source: CycloneDX 1.6 (ECMA-424); package URLs as in ECMA-427.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

_ME = "neural-hive-mind"


def main(arguments: list[str]) -> None:
    """Print the document. arguments: a file in the format of `/var/lib/dpkg/status`, or none."""
    debian = [component for file in arguments for component in debian_packages(Path(file).read_text("utf-8"))]
    json.dump(document([*python_packages(), *debian]), sys.stdout, indent=1, sort_keys=True)


def document(components: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole document; the same components give the same bytes."""
    ordered = sorted(components, key=lambda c: str(c["purl"]))
    me = next(c for c in ordered if c["name"] == _ME)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": me | {"type": "application"}},
        "components": [c for c in ordered if c is not me],
    }


def python_packages() -> Iterator[dict[str, Any]]:
    """Every distribution that this interpreter can import."""
    for found in distributions():
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        yield _component(name, found.version, f"pkg:pypi/{name}@{found.version}", _licences(found))


def debian_packages(status: str) -> Iterator[dict[str, Any]]:
    """Every package that is installed according to dpkg."""
    for paragraph in status.strip().split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            purl = f"pkg:deb/debian/{fields['Package']}@{fields['Version'].replace(':', '%3A')}?arch={fields['Architecture']}"
            yield _component(fields["Package"], fields["Version"], purl, [])


def _component(name: str, version: str, purl: str, licences: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return found | ({"licenses": licences} if licences else {})


def _licences(found: Distribution) -> list[dict[str, Any]]:
    """An SPDX expression where the package gives one, else what its classifiers say."""
    if expression := found.metadata.get("License-Expression"):
        return [{"expression": expression}]
    classifiers = found.metadata.get_all("Classifier") or []
    names = sorted({c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License :: ")})
    return [{"license": {"name": name}} for name in names]


if __name__ == "__main__":
    main(sys.argv[1:])
