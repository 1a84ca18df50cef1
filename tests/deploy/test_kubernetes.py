"""The rendered Kubernetes objects: valid, restricted, able to survive a rollout, and speaking of nothing that the code does not know."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from neural_hive.cli.app import verbs
from neural_hive.contracts import SpecialistName
from neural_hive.gateway.auth import parse_tokens
from neural_hive.gateway.edge import PROBES
from neural_hive.observability.metric_table import TABLE
from neural_hive.settings import Settings, environment_names, load_settings
from neural_hive.storage.bus.topics import DEFAULT_PREFIX, topics
from neural_hive.storage.open import find_opener
from tests.deploy.objects import LAYOUTS, SECRETS, Object, container, environment, key, named, objects, of_kind, strings
from tests.deploy.toolbox import DEPLOY, find_python, run

#: Oldest and newest Kubernetes that the schemas are checked against.
VERSIONS = ("1.29", "1.37")
NAMES = tuple(sorted(name.value for name in SpecialistName))
SPECIALISTS = tuple(f"specialist-{name}" for name in NAMES)
NAMESPACES = ("gateway-intencoes", *SPECIALISTS)
#: Ceilings of the seed: nothing may ask for more.
CEILINGS = {"requests": {"cpu": 1.0, "memory": 2 << 30}, "limits": {"cpu": 2.0, "memory": 4 << 30}}
_UNITS = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_FOREIGN = ("monitoring.coreos.com", "external-secrets.io")

every_layout = pytest.mark.parametrize("layout", LAYOUTS)


def amount(text: str) -> float:
    """A quantity of Kubernetes as a number."""
    unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
    return float(text.removesuffix(unit)) * _UNITS.get(unit, 1)


def deployments(layout: str) -> list[Object]:
    found = of_kind(layout, "Deployment")
    assert found
    return found


#: Validates objects, one JSON line each; prints what is wrong with each. Its packages are not those of the tests.
_VALIDATE = """
import json, sys
from kubernetes_validate import ValidationError, validate
for line in open(sys.argv[1]):
    try:
        validate(json.loads(line), sys.argv[2], strict=True)
    except ValidationError as error:
        print(error.message)
"""


def invalid(found: list[Object], version: str, folder: Path) -> str:
    """What the schemas of a version of Kubernetes say against some objects."""
    python = find_python()
    file = folder / "objects.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in found))
    return run(python, "-c", _VALIDATE, file, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_follows_the_schema_of_kubernetes(version: str, tmp_path: Path) -> None:
    everything = [one for layout in ("single", "dev", "cluster-complete") for one in objects(layout)]
    known = [one for one in everything if not one["apiVersion"].startswith(_FOREIGN)]
    assert len(known) > 70
    assert invalid(known, version, tmp_path) == ""


def test_the_schema_check_finds_a_misspelling(tmp_path: Path) -> None:
    wrong = deployments("single")[0]
    container(wrong)["livenessprobe"] = {}
    assert "livenessprobe" in invalid([wrong], VERSIONS[-1], tmp_path)


def test_nothing_is_there_twice() -> None:
    for layout in LAYOUTS:
        keys = [key(found) for found in objects(layout)]
        assert len(set(keys)) == len(keys)


def test_the_cluster_has_the_namespaces_of_the_seed() -> None:
    assert sorted(found["metadata"]["name"] for found in of_kind("cluster", "Namespace")) == sorted(NAMESPACES)
    kinds = {
        "Deployment",
        "Service",
        "ConfigMap",
        "ServiceAccount",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }
    for namespace in NAMESPACES:
        assert {f["kind"] for f in objects("cluster") if f["metadata"].get("namespace") == namespace} == kinds


@every_layout
def test_every_namespace_enforces_the_restricted_standard(layout: str) -> None:
    for namespace in of_kind(layout, "Namespace"):
        for mode in ("enforce", "audit", "warn"):
            assert namespace["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] == "restricted"


def violations(pod: Object) -> list[str]:
    """What the Pod Security Standard `restricted` forbids, field by field.

    Source: kubernetes.io, Pod Security Standards, Restricted; controls of Baseline included.
    """
    context, found = pod.get("securityContext", {}), []
    found += [name for name in ("hostNetwork", "hostPID", "hostIPC", "hostUsers") if pod.get(name)]
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        found.append("seccompProfile")
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    found += [f"volume {v['name']}" for v in pod.get("volumes", ()) if not set(v) - {"name"} <= allowed]
    for one in [*pod["containers"], *pod.get("initContainers", ()), *pod.get("ephemeralContainers", ())]:
        found += [f"{one['name']}: {what}" for what in _container_violations(one["securityContext"], context)]
        found += [f"{one['name']}: hostPort" for port in one.get("ports", ()) if port.get("hostPort")]
    return found


def _container_violations(own: Object, pod: Object) -> list[str]:
    is_right = {
        "privileged": not own.get("privileged"),
        "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
        "runAsNonRoot": own.get("runAsNonRoot", pod.get("runAsNonRoot")) is True,
        "runAsUser": own.get("runAsUser", pod.get("runAsUser")) != 0,
        "capabilities": own.get("capabilities") == {"drop": ["ALL"]},
        "procMount": own.get("procMount", "Default") == "Default",
        "seLinuxOptions": not own.get("seLinuxOptions"),
    }
    return [what for what, right in is_right.items() if not right]


@every_layout
def test_every_pod_passes_the_restricted_standard(layout: str) -> None:
    for deployment in deployments(layout):
        assert violations(deployment["spec"]["template"]["spec"]) == [], key(deployment)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("securityContext", "runAsNonRoot"), False, ["hive: runAsNonRoot"]),
        (("securityContext", "seccompProfile"), {"type": "Unconfined"}, ["seccompProfile"]),
        (("hostNetwork",), True, ["hostNetwork"]),
        (("volumes", 0), {"name": "host", "hostPath": {"path": "/"}}, ["volume host"]),
        (("containers", 0, "securityContext", "capabilities"), {"drop": ["ALL"], "add": ["NET_ADMIN"]}, ["hive: capabilities"]),
        (("containers", 0, "securityContext", "allowPrivilegeEscalation"), True, ["hive: allowPrivilegeEscalation"]),
    ],
)
def test_the_standard_is_really_looked_at(path: tuple[Any, ...], value: Any, expected: list[str]) -> None:
    pod: Any = deployments("cluster")[0]["spec"]["template"]["spec"]
    place = pod
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert violations(pod) == expected


@every_layout
def test_every_process_is_user_1000_with_a_root_it_cannot_write(layout: str) -> None:
    for deployment in deployments(layout):
        pod = deployment["spec"]["template"]["spec"]
        context = pod["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (1000, 1000, 1000)
        assert container(deployment)["securityContext"]["readOnlyRootFilesystem"] is True
        assert {"name": "tmp", "mountPath": "/tmp"} in container(deployment)["volumeMounts"]


@every_layout
def test_nobody_gets_a_token_of_kubernetes_or_variables_named_after_services(layout: str) -> None:
    for account in of_kind(layout, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    accounts = {(f["metadata"]["namespace"], f["metadata"]["name"]) for f in of_kind(layout, "ServiceAccount")}
    for deployment in deployments(layout):
        pod = deployment["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert (deployment["metadata"]["namespace"], pod["serviceAccountName"]) in accounts


@every_layout
def test_probes_ask_addresses_that_the_code_serves_and_give_two_minutes_to_start(layout: str) -> None:
    for deployment in deployments(layout):
        one = container(deployment)
        ports = {port["name"]: port["containerPort"] for port in one["ports"]}
        for probe, path in (("startupProbe", "/health"), ("livenessProbe", "/health"), ("readinessProbe", "/ready")):
            assert one[probe]["httpGet"]["path"] == path
            assert path in PROBES
            assert ports[one[probe]["httpGet"]["port"]] == 8000
        start = one["startupProbe"]
        assert start["periodSeconds"] * start["failureThreshold"] >= 120
        assert one["livenessProbe"]["timeoutSeconds"] >= 3


@every_layout
def test_resources_are_given_and_below_the_ceilings(layout: str) -> None:
    for deployment in deployments(layout):
        given = container(deployment)["resources"]
        for kind, ceilings in CEILINGS.items():
            for what, ceiling in ceilings.items():
                assert 0 < amount(given[kind][what]) <= ceiling
        assert all(amount(given["requests"][what]) <= amount(given["limits"][what]) for what in ("cpu", "memory"))


@every_layout
def test_every_image_has_a_version(layout: str) -> None:
    for deployment in deployments(layout):
        _, _, tag = container(deployment)["image"].rpartition(":")
        assert tag not in ("", "latest"), container(deployment)["image"]


@every_layout
def test_nothing_secret_is_written_down(layout: str) -> None:
    assert of_kind(layout, "Secret") == []
    secret = [name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)]
    forbidden = {f"HIVE_{name.upper()}" for name in secret} | {"HIVE_SPECIALISTS__TOKEN"}
    for config in of_kind(layout, "ConfigMap"):
        assert forbidden & set(config["data"]) == set()
    for deployment in deployments(layout):
        assert forbidden & {one["name"] for one in container(deployment).get("env", ())} == set()
        for one in container(deployment).get("env", ()):
            parts = urlsplit(one["value"])
            assert parts.password is None or "$(" in one["value"]


@every_layout
def test_every_variable_is_a_setting_and_the_settings_are_valid(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for deployment in deployments(layout):
        found = environment(layout, deployment)
        assert {name for name in found if name.startswith("HIVE_")} <= set(environment_names())
        assert [value for name, value in found.items() if name.startswith("HIVE_") and "$(" in value] == []
        with monkeypatch.context() as patch:
            for name, value in found.items():
                patch.setenv(name, value)
            settings = load_settings()
            parse_tokens(settings.auth_tokens.get_secret_value())
        for role in ("ledger", "graph", "cache", "bus", "models"):
            find_opener(role, getattr(settings, f"{role}_url"), f"HIVE_{role.upper()}_URL")
        assert (settings.host, settings.port) == ("0.0.0.0", container(deployment)["ports"][0]["containerPort"])


def test_every_secret_that_a_url_needs_is_named_by_the_example() -> None:
    named_there = {
        found["metadata"]["namespace"]: {row["secretKey"] for row in found["spec"]["data"]}
        for found in of_kind("cluster-complete", "ExternalSecret")
    }
    assert set(named_there) == set(NAMESPACES)
    assert named_there.pop("gateway-intencoes") == set(SECRETS)
    assert all(keys == {"HIVE_SPECIALISTS__TOKEN"} for keys in named_there.values())


def test_every_command_is_one_of_the_code() -> None:
    assert "serve" in verbs()
    said = {found["metadata"]["name"]: container(found)["args"] for found in deployments("cluster")}
    assert said.pop("gateway-intencoes") == ["serve", "gateway"]
    assert said.pop("worker") == ["serve", "worker"]
    assert said == {f"specialist-{name}": ["serve", "specialist", name] for name in NAMES}
    assert [container(found)["args"] for found in deployments("single")] == [["up"]]
    assert "up" in verbs()


@pytest.mark.parametrize("role", ["gateway-intencoes", "worker"])
def test_every_specialist_is_where_its_url_says(role: str) -> None:
    found = environment("cluster", named("cluster", "Deployment", role))
    for name in NAMES:
        place = urlsplit(found[f"HIVE_SPECIALISTS__{name.upper()}_URL"])
        service = named("cluster", "Service", f"specialist-{name}", f"specialist-{name}")
        assert place.hostname == f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"
        assert place.port in [port["port"] for port in service["spec"]["ports"]]


@every_layout
def test_every_service_finds_its_pods(layout: str) -> None:
    for service in of_kind(layout, "Service"):
        same = [f for f in deployments(layout) if f["metadata"]["namespace"] == service["metadata"]["namespace"]]
        found = [f for f in same if service["spec"]["selector"].items() <= f["spec"]["template"]["metadata"]["labels"].items()]
        assert [f["metadata"]["name"] for f in found] == [service["metadata"]["name"]]
        assert {port["port"] for port in service["spec"]["ports"]} == {8000}
        for deployment in found:
            selector = deployment["spec"]["selector"]["matchLabels"]
            assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_hosts_are_written_in_one_file() -> None:
    """No host of a product or a specialist stands anywhere else than in the ConfigMap `hosts`."""
    hosts = named("cluster", "ConfigMap", "hosts")
    places = {urlsplit(v if "://" in v else f"//{v}").hostname for v in hosts["data"].values() if ":" in v}
    assert len(places) == 10
    for found in objects("cluster"):
        if found is not hosts and found["metadata"]["name"] != hosts["metadata"]["name"]:
            assert [text for text in strings(found) if any(place and place in text for place in places)] == []


def test_the_topics_are_those_of_the_code() -> None:
    bus = urlsplit(environment("cluster", named("cluster", "Deployment", "worker"))["HIVE_BUS_URL"])
    assert topics(bus.path.strip("/")) == topics(DEFAULT_PREFIX)


@pytest.mark.parametrize("name", ["gateway-intencoes", "worker", *SPECIALISTS])
def test_a_rollout_never_has_fewer_pods_than_before(name: str) -> None:
    deployment = named("cluster", "Deployment", name)
    namespace = deployment["metadata"]["namespace"]
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert "replicas" not in deployment["spec"]  # the autoscaler's number would be reset by every apply
    scaler = named("cluster", "HorizontalPodAutoscaler", name, namespace)
    assert scaler["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    assert 2 <= scaler["spec"]["minReplicas"] < scaler["spec"]["maxReplicas"]
    assert scaler["spec"]["metrics"][0]["resource"]["name"] == "cpu"
    budget = named("cluster", "PodDisruptionBudget", name, namespace)
    assert budget["spec"]["maxUnavailable"] == 1
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    pod = deployment["spec"]["template"]["spec"]
    spread = pod["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert all(one["labelSelector"]["matchLabels"].items() <= labels.items() for one in spread)


@every_layout
def test_there_is_time_to_leave(layout: str) -> None:
    """preStop, the farewell to idle connections, what is under way, and what is judged in the background."""
    from neural_hive.gateway.server import FAREWELL_S, GRACE_S
    from neural_hive.hive import DRAIN_S

    for deployment in deployments(layout):
        word, seconds = container(deployment)["lifecycle"]["preStop"]["exec"]["command"]
        assert word == "sleep"
        needed_s = int(seconds) + FAREWELL_S + GRACE_S + DRAIN_S
        assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > needed_s


def test_the_single_pod_has_one_writer() -> None:
    (deployment,) = deployments("single")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert of_kind("single", "HorizontalPodAutoscaler", "PodDisruptionBudget") == []
    assert {"name": "data", "mountPath": "/data"} in container(deployment)["volumeMounts"]


def test_only_dev_is_open_and_it_cannot_be_reached() -> None:
    assert named("dev", "ConfigMap", "settings")["data"]["HIVE_INSECURE"] == "true"
    assert [f["metadata"]["name"] for f in of_kind("dev", "NetworkPolicy")] == ["default-deny", "names-and-metrics"]
    for layout in ("single", "cluster", "cluster-complete"):
        assert all("HIVE_INSECURE" not in found["data"] for found in of_kind(layout, "ConfigMap"))


Flow = tuple[str, str, int]


def flows(layout: str) -> set[Flow]:
    """Who may talk to whom at which port, as far as policies name it: (from, to, port)."""
    found: set[Flow] = set()
    for policy in of_kind(layout, "NetworkPolicy"):
        namespace, spec = policy["metadata"]["namespace"], policy["spec"]
        for rule in spec.get("ingress", ()):
            found |= {(_peer(peer), f"{namespace}{_pods(spec)}", port["port"]) for peer in rule["from"] for port in rule["ports"]}
        for rule in spec.get("egress", ()):
            found |= {(f"{namespace}{_pods(spec)}", _peer(peer), port["port"]) for peer in rule["to"] for port in rule["ports"]}
    return found


def _pods(spec: Object) -> str:
    return "/".join(["", *spec["podSelector"].get("matchLabels", {}).values()])


def _peer(peer: Object) -> str:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    return "/".join(
        [*peer["namespaceSelector"]["matchLabels"].values(), *peer.get("podSelector", {}).get("matchLabels", {}).values()]
    )


def test_the_network_lets_through_exactly_what_the_page_draws() -> None:
    """docs/reference/deployment.md has the same table."""
    stores = named("cluster", "ConfigMap", "hosts")["data"]["STORES_CIDR"]
    expected: set[Flow] = {("ingress-nginx", "gateway-intencoes/gateway-intencoes", 8000)}
    expected |= {("gateway-intencoes", "specialist/specialist", 8000)}
    expected |= {("gateway-intencoes", stores, port) for port in (27017, 7687, 6379, 9092, 5000)}
    for namespace in NAMESPACES:
        expected |= {(namespace, "kube-system/kube-dns", 53), (namespace, "monitoring", 4318)}
        expected |= {("monitoring/prometheus", namespace, 8000)}
    expected |= {("gateway-intencoes", f"{name}/specialist", 8000) for name in SPECIALISTS}
    assert flows("cluster") == expected
    page = (DEPLOY.parent / "docs" / "reference" / "deployment.md").read_text("utf-8")
    assert all(f"{port}" in page for _, _, port in expected)


@every_layout
def test_every_namespace_begins_with_nothing_allowed(layout: str) -> None:
    for namespace in of_kind(layout, "Namespace"):
        policy = named(layout, "NetworkPolicy", "default-deny", namespace["metadata"]["name"])
        assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_network_lets_through_what_the_urls_need() -> None:
    hosts = named("cluster", "ConfigMap", "hosts")["data"]
    ipaddress.ip_network(hosts["STORES_CIDR"])
    allowed = {port for source, peer, port in flows("cluster") if (source, peer) == ("gateway-intencoes", hosts["STORES_CIDR"])}
    products = (hosts[name] for name in ("LEDGER_HOSTS", "GRAPH_HOST", "CACHE_HOST", "BUS_HOSTS", "MODELS_HOST"))
    assert {int(place.rpartition(":")[2]) for text in products for place in text.split(",")} == allowed
    for namespace in of_kind("cluster", "Namespace"):
        is_specialist = namespace["metadata"]["name"].startswith("specialist-")
        assert (namespace["metadata"]["labels"].get("app.kubernetes.io/component") == "specialist") is is_specialist


def test_prometheus_scrapes_every_service_under_the_names_of_the_rules() -> None:
    (monitor,) = of_kind("cluster-complete", "ServiceMonitor")
    assert sorted(monitor["spec"]["namespaceSelector"]["matchNames"]) == sorted(NAMESPACES)
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["path"] in PROBES
    for service in of_kind("cluster-complete", "Service"):
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert endpoint["relabelings"][0] == {"action": "replace", "targetLabel": "job", "replacement": "hive"}


def test_the_autoscalers_number_is_made_from_a_metric_of_the_code() -> None:
    adapter = yaml.safe_load((DEPLOY / "kubernetes" / "components" / "requests-per-second" / "adapter-rules.yaml").read_text())
    (rule,) = adapter["rules"]["custom"]
    assert rule["seriesQuery"].partition("{")[0] in {f"hive_{metric.name}" for metric in TABLE}
    metrics = named("cluster-complete", "HorizontalPodAutoscaler", "gateway-intencoes")["spec"]["metrics"]
    assert metrics[1]["pods"]["metric"]["name"] == rule["name"]["as"]
    assert len(named("cluster", "HorizontalPodAutoscaler", "gateway-intencoes")["spec"]["metrics"]) == 1
