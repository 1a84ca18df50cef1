"""What is written from something else is current, and `helm install` gives the objects that `kubectl apply -k` gives."""

from __future__ import annotations

import yaml

from deploy import generate
from tests.deploy.objects import Object, key, objects
from tests.deploy.toolbox import find, run

_KUBERNETES = "1.33.0"


def chart(*options: str) -> dict[str, Object]:
    said = run(find("helm"), "template", "hive", generate.CHART, "--kube-version", _KUBERNETES, *options)
    found = [one for one in yaml.safe_load_all(said) if one]
    assert len({key(one) for one in found}) == len(found)
    return {key(one): one for one in found}


def plain(found: Object) -> Object:
    """Without what tells of a changed ConfigMap: a name with a hash here, an annotation there."""
    found["metadata"]["name"] = generate.unhashed(found["metadata"]["name"])
    if found["kind"] == "Deployment":
        template = found["spec"]["template"]
        template["metadata"].pop("annotations", None)
        for source in template["spec"]["containers"][0]["envFrom"]:
            for reference in source.values():
                reference["name"] = generate.unhashed(reference["name"])
    return found


def kustomized(layout: str) -> dict[str, Object]:
    return {key(one): one for one in map(plain, objects(layout))}


def test_what_is_written_is_current() -> None:
    written = generate.files({layout: objects(layout) for layout in ("cluster", "single")})
    assert [path for path, text in written.items() if path.read_text("utf-8") != text] == [], "run: python -m deploy.generate"


def test_the_chart_is_the_cluster() -> None:
    assert {name: plain(one) for name, one in chart().items()} == kustomized("cluster")


def test_the_chart_is_the_single_pod() -> None:
    assert {name: plain(one) for name, one in chart("--set", "layout=single").items()} == kustomized("single")


def test_values_reach_the_objects() -> None:
    found = chart(
        *("--set", "image.repository=example.org/hive", "--set-string", "image.tag=9.9.9"),
        *("--set-string", "hosts.LEDGER_HOSTS=mongo-a:27017\\,mongo-b:27017", "--set", "hosts.STORES_CIDR=192.168.0.0/16"),
        *("--set", "roles.specialist-technical.minReplicas=4", "--set", "roles.worker.resources.limits.memory=3Gi"),
        *("--set", "hosts.OTLP_ENDPOINT=http://collector:4318"),
    )
    gateway = found["Deployment gateway-intencoes/gateway-intencoes"]["spec"]["template"]
    assert gateway["spec"]["containers"][0]["image"] == "example.org/hive:9.9.9"
    assert found["ConfigMap gateway-intencoes/hosts"]["data"]["LEDGER_HOSTS"] == "mongo-a:27017,mongo-b:27017"
    assert found["ConfigMap specialist-business/settings"]["data"]["HIVE_OTLP_ENDPOINT"] == "http://collector:4318"
    policy = found["NetworkPolicy gateway-intencoes/specialists-and-stores"]["spec"]["egress"][1]
    assert policy["to"] == [{"ipBlock": {"cidr": "192.168.0.0/16"}}]
    assert found["HorizontalPodAutoscaler specialist-technical/specialist-technical"]["spec"]["minReplicas"] == 4
    worker = found["Deployment gateway-intencoes/worker"]["spec"]["template"]["spec"]["containers"][0]
    assert worker["resources"]["limits"] == {"cpu": "2", "memory": "3Gi"}


def test_a_changed_setting_starts_the_pods_anew() -> None:
    name = "Deployment specialist-business/specialist-business"
    before, after = chart()[name], chart("--set", "settings.HIVE_LOG_LEVEL=debug")[name]
    assert before["spec"]["template"]["metadata"]["annotations"] != after["spec"]["template"]["metadata"]["annotations"]


def test_the_chart_passes_its_linter() -> None:
    assert "0 chart(s) failed" in run(find("helm"), "lint", "--strict", generate.CHART)
