"""The rendered objects of deploy/kubernetes, and what a container's environment is once Kubernetes has put it together."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml

from tests.deploy.toolbox import DEPLOY, kustomize

Object = dict[str, Any]

LAYOUTS = ("single", "dev", "cluster", "cluster-complete")
#: What somebody puts into the Secret `hive-secrets`; made up.
SECRETS = {
    "HIVE_AUTH_TOKENS": "a-token=acme:ana:user",
    "HIVE_SPECIALISTS__TOKEN": "between-services",
    "LEDGER_LOGIN": "hive:p%40ss@",
    "GRAPH_LOGIN": "",
    "CACHE_LOGIN": "",
    "BUS_LOGIN": "",
    "MODELS_LOGIN": "",
}


@cache
def _rendered(layout: str) -> str:
    command = [*kustomize(), str(DEPLOY / "kubernetes" / layout)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def objects(layout: str) -> list[Object]:
    """Everything that `kubectl apply -k` would send."""
    return [found for found in yaml.safe_load_all(_rendered(layout)) if found]


def of_kind(layout: str, *kinds: str) -> list[Object]:
    """Those of some kinds."""
    return [found for found in objects(layout) if found["kind"] in kinds]


def named(layout: str, kind: str, name: str, namespace: str = "") -> Object:
    """The one with this kind, name and, if given, namespace; a ConfigMap's name may have a hash behind it."""
    pattern = re.compile(rf"{re.escape(name)}(-[a-z0-9]{{10}})?") if kind == "ConfigMap" else re.compile(re.escape(name))
    (found,) = (
        found
        for found in of_kind(layout, kind)
        if pattern.fullmatch(found["metadata"]["name"]) and namespace in ("", found["metadata"].get("namespace"))
    )
    return found


def key(found: Object) -> str:
    """kind namespace/name."""
    return f"{found['kind']} {found['metadata'].get('namespace', '')}/{found['metadata']['name']}"


def container(deployment: Object) -> Object:
    """The only container of a Deployment."""
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def environment(layout: str, deployment: Object, hosts: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the process sees: ConfigMaps, the Secret, then `env`, whose $(NAME) the kubelet replaces by what came before.

    hosts: values that somebody wrote into the ConfigMap `hosts` instead of the ones in hosts.env.
    """
    found: dict[str, str] = {}
    for source in container(deployment)["envFrom"]:
        found |= _source(layout, source, deployment["metadata"]["namespace"], hosts or {})
    for one in container(deployment).get("env", ()):
        found[one["name"]] = re.sub(r"\$\((\w+)\)", lambda m: found.get(m[1], m[0]), one["value"])
    return found


def _source(layout: str, source: Object, namespace: str, hosts: Mapping[str, str]) -> dict[str, str]:
    if "secretRef" in source:
        assert source["secretRef"]["name"] == "hive-secrets"
        return SECRETS if namespace == "gateway-intencoes" else {"HIVE_SPECIALISTS__TOKEN": SECRETS["HIVE_SPECIALISTS__TOKEN"]}
    name = source["configMapRef"]["name"]
    data: dict[str, str] = named(layout, "ConfigMap", name, namespace)["data"]
    return data | (dict(hosts) if name.startswith("hosts") else {})


def strings(value: Any) -> Iterator[str]:
    """Every string in an object."""
    if isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value
