"""The dashboard and the alerts: what they ask for is there, and Prometheus takes them."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROMETHEUS, GRAFANA = ROOT / "deploy/prometheus", ROOT / "deploy/grafana"
DASHBOARD = json.loads((GRAFANA / "outcrop.json").read_text())
# A metric as PromQL names it: a word of ours that is no label, so not followed by `=` and not in a `by (…)`.
METRIC = re.compile(r"\b(?:outcrop|gen_ai|process)_\w+")
# Words that are values of labels.
WORDS = re.compile(r'"[^"]*"')
GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\([^)]*\)")
SELECTED = re.compile(r"\{[^}]*\}")

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's package prometheus is not installed")


def served():
    """The names of samples that the gateway serves, with their kinds."""
    names = {}
    golden = ROOT / "crates/outcrop-server/src/metrics/exposition.txt"
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", golden.read_text(), re.MULTILINE):
        endings = ["_bucket", "_sum", "_count"] if kind == "histogram" else [""]
        names |= {name + ending: kind for ending in endings}
    return names


def metrics(expression):
    plain = GROUPED.sub("", SELECTED.sub("", WORDS.sub('""', expression)))
    return set(METRIC.findall(plain))


def expressions():
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        yield variable["name"], variable["query"]["query"].removeprefix("label_values(").split(",")[0]
    for group in yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_what_is_asked_for_is_served(where, expression):
    known = served()
    asked = metrics(expression) or {name for name in ("up",) if name in expression}
    assert asked, f"{where} asks for nothing: {expression}"
    for name in asked - {"up"}:
        assert name in known, f"{where}: {name} is not served"


def test_counters_are_asked_for_by_their_growth():
    counters = {name for name, kind in served().items() if kind == "counter"}
    for where, expression in expressions():
        for name in metrics(expression) & counters:
            if expression != name:
                assert re.search(rf"(?:rate|increase)\({name}\b", expression), f"{where}: {expression}"


def test_what_matters_is_on_the_dashboard():
    asked = set().union(*(metrics(expression) for _, expression in expressions()))
    left_out = {
        name
        for name, kind in served().items()
        if not name.endswith(("_sum", "_count")) and name not in asked
    }
    assert left_out <= {"outcrop_project_requests_total", "process_start_time_seconds"}, left_out


def test_panels_lie_beside_each_other():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_dashboard_finds_its_datasource():
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"] == {"type": source["type"], "uid": source["uid"]}


@needs_promtool
@pytest.mark.parametrize(
    "command",
    [["check", "config", "prometheus.yaml"], ["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]],
    ids=" ".join,
)
def test_prometheus_takes_them(command):
    ran = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
def test_prometheus_takes_the_queries_of_the_dashboard(tmp_path):
    """As the expressions of rules, with Grafana's variables filled in."""
    fill = {"$__rate_interval": "5m", "$__range": "6h", "$instance": ".*", "$model": ".*"}
    rules = []
    for number, (_, expression) in enumerate(expressions()):
        for variable, value in fill.items():
            expression = expression.replace(variable, value)
        rules.append({"record": f"dashboard:{number}", "expr": expression})
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    ran = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_has_a_test():
    [group] = yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())["groups"]
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yaml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in group["rules"]}
