"""compose.yaml, as Docker Compose reads it; no engine is asked."""

import os
import re
import subprocess

import pytest
import yaml

from deploy import settings
from deploy.dockerfile import ROOT, Image, instructions

SECRETS = ["OUTCROP_API_KEYS", "OUTCROP_ADMIN_KEYS", "POSTGRES_PASSWORD", "VALKEY_PASSWORD", "GRAFANA_PASSWORD"]


def compose(env_file):
    return subprocess.run(
        ["docker-compose", "--env-file", env_file, "--file", ROOT / "compose.yaml", "config"],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def pairs(path):
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if re.match(r"\w+=", line))


@pytest.fixture(scope="module")
def env_file(tmp_path_factory):
    """What .env becomes by the commands of the page on containers."""
    folder = tmp_path_factory.mktemp("compose")
    page = (ROOT / "docs/containers.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (commands,) = [block for block in blocks if "cp .env.example .env" in block]
    subprocess.run(["cp", ROOT / ".env.example", folder], check=True)
    subprocess.run(["sh", "-euc", commands], cwd=folder, check=True)
    return folder / ".env"


@pytest.fixture(scope="module")
def project(env_file):
    said = compose(env_file)
    assert (said.returncode, said.stderr) == (0, ""), said.stderr
    return yaml.safe_load(said.stdout)


@pytest.fixture(scope="module")
def services(project):
    return project["services"]


def test_nothing_starts_without_its_secrets(env_file, tmp_path):
    good = env_file.read_text()
    for name in (*SECRETS, "AWS_REGION"):
        (tmp_path / "env").write_text(re.sub(rf"(?m)^{name}=.*$", f"{name}=", good))
        said = compose(tmp_path / "env")
        assert said.returncode != 0 and "is missing in .env" in said.stderr, f"{name}: {said.stderr}"


def test_secrets_are_made_and_not_written_down(env_file):
    made, kept = pairs(env_file), pairs(ROOT / ".env.example")
    assert len({made[name] for name in SECRETS}) == len(SECRETS) and all(len(made[name]) > 30 for name in SECRETS)
    assert not any(kept[name] for name in SECRETS)
    assert "/.env" in (ROOT / ".gitignore").read_text().splitlines()
    assert env_file.stat().st_mode & 0o077 == 0


def test_the_gateway_takes_what_it_is_given(services):
    given = {name: str(value) for name, value in services["outcrop"]["environment"].items() if value is not None}
    assert given["OUTCROP_DATABASE"].startswith("postgres://") and "AWS_ACCESS_KEY_ID" not in given
    settings.check({**Image().environment, **given}, ROOT / "deploy/compose")


def test_each_file_that_is_mounted_is_there(services):
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("/") or os.path.exists(source), f"{name}: {source}"


def test_the_gateway_has_no_rights(services):
    gateway = services["outcrop"]
    assert gateway["read_only"] and gateway["cap_drop"] == ["ALL"] and gateway["tmpfs"] == ["/tmp"]
    targets = [volume.split(":")[1] for volume in gateway["volumes"]]
    assert {*Image().volumes, Image().folder} == set(targets)
    assert gateway["healthcheck"]["test"] == ["CMD", *Image().health]
    for name, service in services.items():
        assert "no-new-privileges:true" in service["security_opt"], name


def test_streams_have_their_time(services):
    stopping = settings.seconds(services["outcrop"]["environment"]["OUTCROP_SHUTDOWN_TIMEOUT"])
    assert stopping >= settings.seconds(settings.defaults()["total_timeout"])
    assert settings.seconds(services["outcrop"]["stop_grace_period"]) >= stopping + 30


def test_only_this_machine_can_reach_it(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 3 and all(str(port).startswith("127.0.0.1:") for port in ports), ports


def test_the_databases_can_be_reached_by_the_gateway_alone(project, services):
    assert project["networks"]["data"]["internal"]
    assert {name for name, service in services.items() if "data" in service.get("networks", {})} == {
        "outcrop", "postgres", "valkey",
    }  # fmt: skip
    for name in ("postgres", "valkey"):
        assert list(services[name]["networks"]) == ["data"] and "ports" not in services[name]


def test_the_gateway_waits_until_they_answer(services):
    for name, how in services["outcrop"]["depends_on"].items():
        assert how == {"condition": "service_healthy"} and services[name]["healthcheck"]["test"]
    assert set(services["outcrop"]["depends_on"]) == {"postgres", "valkey"}


def test_images_are_of_one_version(services):
    for name, service in services.items():
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", service["image"]), f"{name}: {service['image']}"
    arguments = dict(text.split("=", 1) for name, text in instructions() if name == "ARG")
    assert services["outcrop"]["image"].endswith(f":{arguments['VERSION']}")
    assert set(services["outcrop"]["build"]["args"]) <= set(arguments)


def test_prometheus_asks_the_gateway_for_metrics(services):
    port = settings.seconds(services["outcrop"]["environment"]["OUTCROP_METRICS_LISTEN"].rpartition(":")[2])
    asked = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())
    targets = [target for job in asked["scrape_configs"] for one in job["static_configs"] for target in one["targets"]]
    assert f"outcrop:{port}" in targets
    mounted = dict(volume.split(":")[:2] for volume in services["prometheus"]["volumes"])
    folder = "/etc/prometheus/"
    rules = [path if path.startswith("/") else folder + path for path in asked.get("rule_files", [])]
    assert set(rules) <= set(mounted.values())
    assert f"--config.file={folder}prometheus.yaml" in services["prometheus"]["command"]


def test_grafana_finds_the_dashboard_and_prometheus(services):
    mounted = {volume.split(":")[1] for volume in services["grafana"]["volumes"]}
    provisioning = ROOT / "deploy/grafana/provisioning"
    providers = [yaml.safe_load(path.read_text()) for path in sorted((provisioning / "dashboards").glob("*.yaml"))]
    folders = [one["options"]["path"].rstrip("/") for file in providers for one in file["providers"]]
    assert any(f"{folder}/outcrop.json" in mounted or folder in mounted for folder in folders), folders
    sources = [yaml.safe_load(path.read_text()) for path in sorted((provisioning / "datasources").glob("*.yaml"))]
    assert "http://prometheus:9090" in [one["url"] for file in sources for one in file["datasources"]]
