"""Writes what follows from other files in this folder: the Helm chart from the rendered kustomizations, the PrometheusRule from the rules.

    python -m deploy.generate [--kustomize COMMAND]

COMMAND renders a folder to stdout: `kustomize build` or `kubectl kustomize`. tests/deploy fails when the result is not current.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
CHART = HERE / "helm" / "neural-hive-mind"
RULES = HERE / "kubernetes" / "components" / "monitoring" / "rules.yaml"
WRITTEN = "# Written by deploy/generate.py; a test fails when it is not current.\n"
#: Kustomize names a ConfigMap after its content.
HASHED = re.compile(r"^(settings|hosts)-[a-z0-9]{10}$")

Object = dict[str, Any]


def main() -> None:
    """Write every file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kustomize", default="kubectl kustomize", metavar="COMMAND")
    command = shlex.split(parser.parse_args().kustomize)
    for path, text in files({name: render(command, name) for name in ("cluster", "single")}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def render(command: list[str], name: str) -> list[Object]:
    """The objects of one folder of deploy/kubernetes."""
    ran = subprocess.run([*command, str(HERE / "kubernetes" / name)], capture_output=True, text=True, check=True)  # noqa: S603
    return [found for found in yaml.safe_load_all(ran.stdout) if found]


def files(layouts: dict[str, list[Object]]) -> dict[Path, str]:
    """What is written where. layouts: the objects of `cluster` and `single`."""
    values: Object = {"layout": "cluster", "image": {}, "settings": {}, "hosts": {}, "roles": {}, "storage": ""}
    templates = {layout: template(layout, objects, values) for layout, objects in layouts.items()}
    return {
        RULES: prometheus_rule(),
        CHART / "values.yaml": WRITTEN + _ABOUT_VALUES + dump(values),
        **{CHART / "templates" / f"{layout}.yaml": text for layout, text in templates.items()},
    }


_ABOUT_VALUES = """# layout: cluster (gateway, workers, five specialists; stores elsewhere) or single (one pod, its ledger on a volume).
# Secrets are never values: make `hive-secrets` in each namespace first, see docs/how-to/deploy-on-kubernetes.md.
"""


def prometheus_rule() -> str:
    """The rules of deploy/observability for the Prometheus operator."""
    sources = sorted((HERE / "observability" / "prometheus" / "rules").glob("*.yaml"))
    rules = {source.stem: yaml.safe_load(source.read_text("utf-8"))["groups"] for source in sources}
    objects = (
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": f"hive-{name}", "namespace": "gateway-intencoes"},
            "spec": {"groups": groups},
        }
        for name, groups in rules.items()
    )
    return WRITTEN + "---\n".join(map(dump, objects))


def template(layout: str, objects: list[Object], values: Object) -> str:
    """One template with every object; what can be chosen is taken out of them and put into `values`."""
    texts = [_with_expressions(dump(_opened(found, values))) for found in objects]
    return WRITTEN + f'{{{{- if eq .Values.layout "{layout}" }}}}\n' + "---\n".join(texts) + "{{- end }}\n"


def dump(value: Any) -> str:
    """YAML in the order of the value, without wrapped lines and without anchors."""
    return yaml.dump(value, Dumper=_Plain, sort_keys=False, width=10_000, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write a value as often as it occurs."""
        return True


def _opened(found: Object, values: Object) -> Object:
    """The object with `EXPRESSION<…>` where a value goes."""
    kind, name = found["kind"], found["metadata"]["name"]
    found["metadata"]["name"] = name = unhashed(name)
    if kind == "ConfigMap":
        for key, value in found["data"].items():
            place, chosen = ("hosts", "OTLP_ENDPOINT") if key == "HIVE_OTLP_ENDPOINT" else (name, key)
            if values[place].setdefault(chosen, value) != value:
                raise ValueError(f"{key} differs between ConfigMaps; a value could not stand for it")
            found["data"][key] = f"EXPRESSION<.Values.{place}.{chosen} | quote>"
    elif kind == "Deployment":
        _open_deployment(found, values["roles"].setdefault(name, {}), values)
    elif kind == "HorizontalPodAutoscaler":
        for key in ("minReplicas", "maxReplicas"):
            values["roles"].setdefault(name, {})[key] = found["spec"][key]
            found["spec"][key] = f'EXPRESSION<(index .Values.roles "{name}").{key}>'
    elif kind == "NetworkPolicy" and name == "specialists-and-stores":
        found["spec"]["egress"][1]["to"][0]["ipBlock"]["cidr"] = "EXPRESSION<.Values.hosts.STORES_CIDR>"
    elif kind == "PersistentVolumeClaim":
        values["storage"] = found["spec"]["resources"]["requests"]["storage"]
        found["spec"]["resources"]["requests"]["storage"] = "EXPRESSION<.Values.storage>"
    return found


def _open_deployment(found: Object, role: Object, values: Object) -> None:
    template = found["spec"]["template"]
    container = template["spec"]["containers"][0]
    repository, _, tag = container["image"].rpartition(":")
    values["image"] = {"repository": repository, "tag": tag}
    container["image"] = 'EXPRESSION<printf "%s:%s" .Values.image.repository .Values.image.tag | quote>'
    role["resources"] = container["resources"]
    container["resources"] = f'BLOCK<(index .Values.roles "{found["metadata"]["name"]}").resources>'
    for source in container["envFrom"]:
        if "configMapRef" in source:
            source["configMapRef"]["name"] = unhashed(source["configMapRef"]["name"])
    # Kustomize renames a ConfigMap that changes, so that pods start anew; here their template changes with it.
    checksum = "EXPRESSION<list .Values.settings .Values.hosts | toJson | sha256sum>"
    template["metadata"] = {"annotations": {"checksum/settings": checksum}, **template["metadata"]}


def unhashed(name: str) -> str:
    """A ConfigMap's name without the hash of its content."""
    return found[1] if (found := HASHED.match(name)) else name


def _with_expressions(text: str) -> str:
    return "".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        if found := re.fullmatch(r"(\s*(?:- )?)([^\s:]+): BLOCK<(.*)>\n", line):
            yield f"{found[1]}{found[2]}:\n{{{{ toYaml {found[3]} | indent {len(found[1]) + 2} }}}}\n"
        else:
            yield re.sub(r"""(['"]?)EXPRESSION<(.*)>\1""", r"{{ \2 }}", line)


if __name__ == "__main__":
    main()
