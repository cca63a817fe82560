"""The Helm chart, by Helm itself and Kubernetes' own schemas."""

import pathlib

import helm_python
import kubernetes_validate
import pytest
import yaml

from deploy import settings
from deploy.dockerfile import ROOT, Image

CHART = ROOT / "deploy/helm/outcrop"
VALUES = {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}
# The oldest that the chart takes, and the newest whose schema is here.
VERSIONS = ["1.27.0", "1.37.0"]
SAMPLES = {
    "OUTCROP_API_KEYS": "sk-of-a-secret",
    "OUTCROP_DATABASE": "postgres://outcrop:secret@postgres.example.com/outcrop",
    "OUTCROP_SHARED_COUNTERS": "rediss://:secret@redis.example.com",
}


def load(name):
    return yaml.safe_load(VALUES[name].read_text())


def render(values, release="test"):
    """All manifests, and the notes."""
    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render(values, name=release, namespace="ai")
    notes = next(text for path, text in rendered.items() if path.endswith("NOTES.txt"))
    texts = [text for path, text in rendered.items() if path.endswith(".yaml")]
    return [one for text in texts for one in yaml.safe_load_all(text) if one], notes


def manifests(values, kind, release="test"):
    return [one for one in render(values, release)[0] if one["kind"] == kind]


def only(values, kind, release="test"):
    (one,) = manifests(values, kind, release)
    return one


def pod(values):
    return only(values, "Deployment")["spec"]["template"]["spec"]


def environment(values):
    """The variables that the container gets, secrets from samples."""
    (container,) = pod(values)["containers"]
    given = SAMPLES if any("secretRef" in one for one in container.get("envFrom", [])) else {}
    for variable in container["env"]:
        source = variable.get("valueFrom")
        value = SAMPLES[source["secretKeyRef"]["key"]] if source else variable["value"]
        given = given | {variable["name"]: value}
    return given


@pytest.mark.parametrize("name", VALUES)
def test_helm_lints_it(name):
    report = helm_python.lint(CHART, load(name), strict=True, namespace="ai", kube_version="v1.30.0")
    told = [message for message in report["messages"] if "icon is recommended" not in str(message)]
    assert not report["errors"] and not told, report


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", VALUES)
def test_kubernetes_takes_each_manifest(name, version):
    checked = set()
    for one in render(load(name))[0]:
        if one["kind"] == "ServiceMonitor":
            # The operator's own resource, which Kubernetes has no schema of.
            continue
        kubernetes_validate.validate(one, version, strict=True)
        checked.add(one["kind"])
    assert {"Deployment", "Service", "ServiceAccount", "PodDisruptionBudget", "Pod"} <= checked


@pytest.mark.parametrize("name", VALUES)
def test_the_gateway_takes_what_it_is_given(name, tmp_path):
    for one in manifests(load(name), "ConfigMap"):
        (tmp_path / "outcrop.toml").write_text(one["data"]["outcrop.toml"])
    settings.check(environment(load(name)), tmp_path)


def test_what_the_chart_needs_is_said():
    with helm_python.Chart.load(CHART) as chart:
        for wrong in (
            {"replicas": 3},
            {"shutdown": {"timeoutSeconds": "15m"}},
            {"probes": {"readiness": {"path": "/"}}},
            {"ingress": {"enabled": True}},
            {"aws": {"roleArn": "outcrop"}},
            {"image": {"digest": "latest"}},
        ):
            with pytest.raises(helm_python.HelmError):
                chart.validate_schema(wrong)
        chart.validate_schema({})
    with pytest.raises(helm_python.HelmError, match="targetOpenStreams"):
        render({"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": 0}})


@pytest.mark.parametrize("name", VALUES)
def test_a_pod_has_time_for_its_longest_stream(name):
    given = environment(load(name))
    stopping = [settings.seconds(given[f"OUTCROP_SHUTDOWN_{part}"]) for part in ("DELAY", "TIMEOUT")]
    assert pod(load(name))["terminationGracePeriodSeconds"] >= sum(stopping) + 5


def test_unless_told_the_longest_stream_is_the_longest_that_there_is():
    longest = settings.seconds(settings.defaults()["total_timeout"])
    assert settings.seconds(environment({})["OUTCROP_SHUTDOWN_TIMEOUT"]) >= longest > 0
    # One probe more than it takes to be found unready, or requests still come to a closed door.
    probe = pod({})["containers"][0]["readinessProbe"]
    assert settings.seconds(environment({})["OUTCROP_SHUTDOWN_DELAY"]) >= probe["periodSeconds"]


@pytest.mark.parametrize("name", VALUES)
def test_pods_have_no_rights(name):
    everything = [pod(load(name)), only(load(name), "Pod")["spec"]]
    for spec in everything:
        security = spec["securityContext"]
        assert security["runAsNonRoot"] and security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert f"{security['runAsUser']}:{security['runAsGroup']}" == Image().user
        assert spec["automountServiceAccountToken"] is False and spec["enableServiceLinks"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.parametrize("name", VALUES)
def test_what_must_be_written_is_a_volume(name):
    spec = pod(load(name))
    mounted = {one["mountPath"]: one for one in spec["containers"][0]["volumeMounts"]}
    volumes = {one["name"]: one for one in spec["volumes"]}
    for path in (*Image().volumes, "/tmp"):
        assert "emptyDir" in volumes[mounted[path]["name"]], path
    assert set(volumes) == {one["name"] for one in mounted.values()}


def test_settings_are_mounted_so_that_a_change_gets_through():
    for name, config_map in (("eks", "test-outcrop"), ("nginx", "of-somebody-else")):
        spec = pod(load(name))
        mount = next(one for one in spec["containers"][0]["volumeMounts"] if one["name"] == "config")
        assert mount["mountPath"] == Image().folder and "subPath" not in mount
        volume = next(one for one in spec["volumes"] if one["name"] == "config")
        assert volume["configMap"] == {"name": config_map}
    assert not manifests(load("nginx"), "ConfigMap")
    assert "annotations" not in only(load("eks"), "Deployment")["spec"]["template"]["metadata"]
    rolled = [only({"config": text, "restartOnConfigChange": True}, "Deployment") for text in ("a = 1", "a = 2")]
    first, second = (one["spec"]["template"]["metadata"]["annotations"] for one in rolled)
    assert first != second


@pytest.mark.parametrize("name", VALUES)
def test_selectors_find_the_gateways_pods_and_no_others(name):
    values = load(name)
    labels = only(values, "Deployment")["spec"]["template"]["metadata"]["labels"]
    foreign = only(values, "Pod")["metadata"]["labels"]
    selectors = [only(values, "Deployment")["spec"]["selector"]["matchLabels"]]
    selectors += [one["spec"]["selector"] for one in manifests(values, "Service")]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in manifests(values, "PodDisruptionBudget")]
    selectors += [one["spec"]["podSelector"]["matchLabels"] for one in manifests(values, "NetworkPolicy")]
    for selector in selectors:
        assert selector.items() <= labels.items() and not selector.items() <= foreign.items(), selector


def test_each_reference_is_to_something_that_is_there():
    values = load("eks")
    service = next(one for one in manifests(values, "Service") if one["spec"].get("clusterIP") != "None")
    backend = only(values, "Ingress")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    ports = {port["name"]: port["containerPort"] for port in pod(values)["containers"][0]["ports"]}
    assert {port["targetPort"] for one in manifests(values, "Service") for port in one["spec"]["ports"]} == set(ports)
    assert set(ports.values()) == set(Image().ports)
    assert only(values, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] == "test-outcrop"
    assert pod(values)["serviceAccountName"] == only(values, "ServiceAccount")["metadata"]["name"]
    monitor = only(values, "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    found = [one for one in manifests(values, "Service") if wanted <= one["metadata"]["labels"].items()]
    assert [port["name"] for one in found for port in one["spec"]["ports"]] == [monitor["spec"]["endpoints"][0]["port"]]
    asked = only(values, "Pod")["spec"]["containers"][0]["args"]
    assert asked == ["health", "--ready", "--url", f"http://{service['metadata']['name']}:80"]


def test_scaling_by_open_streams():
    asked = only(load("eks"), "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert {"name": "outcrop_open_streams"} in [one["pods"]["metric"] for one in asked if one["type"] == "Pods"]
    assert "replicas" not in only(load("eks"), "Deployment")["spec"]
    assert only(load("nginx"), "Deployment")["spec"]["replicas"] == 4
    assert not manifests(load("nginx"), "HorizontalPodAutoscaler")


def test_streams_pass_the_balancers():
    silent = settings.seconds(settings.defaults()["keep_alive_interval"])
    whole = settings.seconds(settings.defaults()["first_byte_timeout"])
    alb = only(load("eks"), "Ingress")["metadata"]["annotations"]
    attributes = alb["alb.ingress.kubernetes.io/load-balancer-attributes"]
    assert int(attributes.removeprefix("idle_timeout.timeout_seconds=")) > max(silent, whole)
    # Or ALB would use a connection that the gateway is closing.
    idle = settings.seconds(environment(load("eks"))["OUTCROP_IDLE_TIMEOUT"])
    assert idle > int(attributes.removeprefix("idle_timeout.timeout_seconds="))
    assert "OUTCROP_IDLE_TIMEOUT" not in environment(load("minimal"))
    assert alb["alb.ingress.kubernetes.io/scheme"] == "internal"
    nginx = only(load("nginx"), "Ingress")["metadata"]["annotations"]
    assert nginx["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    assert nginx["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "900"
    assert nginx["nginx.ingress.kubernetes.io/proxy-body-size"] == "64m"


def test_the_role_is_the_service_accounts():
    account = only(load("nginx"), "ServiceAccount")
    assert account["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws-us-gov:iam::123456789012:role/outcrop"
    }
    assert "annotations" not in only(load("eks"), "ServiceAccount")["metadata"]
    assert "create-pod-identity-association" in render(load("eks"))[1]


def test_notes_warn_where_there_is_no_key():
    assert "WARNING" in render({})[1] and "WARNING" not in render(load("minimal"))[1]


def test_the_versions_are_the_packages():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    manifest = (ROOT / "Cargo.toml").read_text()
    assert f'version = "{chart["appVersion"]}"' in manifest
    (container,) = pod({})["containers"]
    assert container["image"] == f"outcrop:{chart['appVersion']}"
    assert pathlib.Path(CHART / "values.schema.json").is_file()
