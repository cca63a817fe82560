"""Metrics: what Prometheus reads, who may read it, and the lines for CloudWatch."""

import json
import pathlib
import re
import shutil
import subprocess

import httpx
import pytest

from support import admin, settings
from support.process import poll, run
from support.wire import Connection, chat_request

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPEN_METRICS = "application/openmetrics-text"
SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? ([0-9.eE+-]+|NaN)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Samples(list):
    """The samples of one scrape: name, labels and value of each."""

    def __init__(self, text):
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        found = [SAMPLE.match(line) for line in lines]
        assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
        parts = map(re.Match.groups, found)
        super().__init__((name, dict(LABEL.findall(labels or "")), float(value)) for name, labels, value in parts)

    def sum(self, name, **labels):
        """The sum of all samples with such labels."""
        return sum(value for sample, found, value in self if sample == name and labels.items() <= found.items())


def scrape(gateway, key=admin.ADMIN_KEY, **headers):
    authorization = {"authorization": f"Bearer {key}" if key else None}
    return gateway.get("/metrics", headers=authorization | headers)


@pytest.fixture
def counted(serve):
    """An open gateway, whose metrics are open too."""
    gateway = serve(key=None)

    def samples():
        reply = gateway.get("/metrics")
        assert reply.status_code == 200, reply.text
        return Samples(reply.text)

    gateway.samples = samples
    return gateway


def test_a_request_is_counted_by_endpoint_model_and_tokens(counted):
    usage = counted.chat("[[sim:text one two three]]").json()["usage"]
    counted.chat("hi", model="no-such-model")
    samples = counted.samples()
    endpoint = {"endpoint": "/v1/chat/completions"}
    assert samples.sum("outcrop_requests_total", status="200", outcome="completed", **endpoint) == 1
    assert samples.sum("outcrop_requests_total", status="404", outcome="failed", **endpoint) == 1
    assert samples.sum("outcrop_tokens_total", kind="input", model=settings.NOVA) == usage["prompt_tokens"]
    assert samples.sum("outcrop_tokens_total", kind="output", model=settings.NOVA) == usage["completion_tokens"]
    assert samples.sum("outcrop_cost_dollars_total", model=settings.NOVA) > 0
    of_conventions = {"gen_ai_operation_name": "chat", "gen_ai_request_model": settings.NOVA}
    assert samples.sum("gen_ai_server_request_duration_seconds_count", **of_conventions) == 1
    written = samples.sum("gen_ai_client_token_usage_sum", gen_ai_token_type="output", **of_conventions)
    assert written == usage["completion_tokens"]
    assert samples.sum("outcrop_upstream_attempts_total", outcome="answered") == 1
    assert "no-such-model" not in json.dumps(samples)


def test_a_stream_is_open_until_it_ends(counted):
    assert counted.samples().sum("outcrop_open_streams") == 0
    with Connection(counted.port) as connection:
        connection.send(chat_request("[[sim:tokens 100]] [[sim:hang after=3]]", stream=True))
        assert connection.head().status_code == 200
        poll(lambda: counted.samples().sum("outcrop_open_streams") == 1, "an open stream")
        during = counted.samples()
        assert during.sum("outcrop_in_flight_requests") == 1
        assert during.sum("outcrop_upstream_calls") == 1
        assert during.sum("outcrop_client_connections") >= 1
    poll(lambda: counted.samples().sum("outcrop_open_streams") == 0, "no open stream")
    ended = counted.samples()
    assert ended.sum("outcrop_in_flight_requests") == 0
    assert ended.sum("outcrop_requests_total", outcome="client_left") == 1


def test_a_stream_tells_its_first_token_and_its_gaps(counted):
    counted.chat("[[sim:pace 20ms]] [[sim:text one two three four]]", body={"stream": True})
    poll(lambda: counted.samples().sum("gen_ai_server_time_to_first_token_seconds_count") == 1, "a first token")
    samples = counted.samples()
    assert samples.sum("gen_ai_server_time_per_output_token_seconds_count") == 1
    assert samples.sum("outcrop_stream_gap_seconds_count") >= 1
    # What is given whole has no first token of its own.
    counted.chat("hi")
    assert counted.samples().sum("gen_ai_server_time_to_first_token_seconds_count") == 1


def test_tries_again_are_counted(counted):
    assert counted.chat("[[sim:error ThrottlingException times=1]] [[sim:text ok]]").status_code == 200
    samples = counted.samples()
    assert samples.sum("outcrop_upstream_attempts_total", outcome="throttled") == 1
    assert samples.sum("outcrop_retries_total", kind="same_target") == 1


def test_names_that_clients_make_up_make_no_series(counted):
    for number in range(30):
        counted.chat("hi", model=f"amazon.made-up-{number}")
        counted.get(f"/made-up-{number}")
    samples = counted.samples()
    assert "made-up" not in json.dumps(samples)
    models = {labels["model"] for name, labels, _ in samples if name == "outcrop_model_requests_total"}
    assert models <= {"other"}
    assert samples.sum("outcrop_requests_total", endpoint="other", status="404") == 30


def test_many_keys_make_no_series():
    with admin.start() as stack:
        operator = admin.Admin(stack.gateway)
        project = operator.project(operator.organization("acme"), "chat")
        keys = [operator.key(project, f"key {number}") for number in range(30)]
        for key in keys:
            assert admin.chat(stack.gateway, key).status_code == 200
        samples = Samples(scrape(stack.gateway).text)
        assert samples.sum("outcrop_project_requests_total", organization="acme", project="chat") == 30
        assert len([1 for name, *_ in samples if name == "outcrop_project_requests_total"]) == 1
        text = json.dumps(samples)
        assert not any(key["id"] in text or key["key"] in text or key["name"] in text for key in keys)


def test_budgets_are_told_by_project():
    with admin.start() as stack:
        operator = admin.Admin(stack.gateway)
        project = operator.project(operator.organization("acme"), "chat", budgets=[{"period": "day", "limit_usd": 5}])
        key = operator.key(project)
        assert admin.chat(stack.gateway, key).status_code == 200
        labels = {"scope": "project", "organization": "acme", "project": "chat", "period": "day"}
        samples = Samples(scrape(stack.gateway).text)
        assert samples.sum("outcrop_budget_limit_dollars", **labels) == 5
        assert 0 < samples.sum("outcrop_budget_left_dollars", **labels) < 5


def test_the_text_is_prometheus_own_or_openmetrics(counted):
    counted.chat("hi")
    plain = counted.get("/metrics")
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    open_metrics = counted.get("/metrics", headers={"accept": f"{OPEN_METRICS}; version=1.0.0,text/plain;q=0.5"})
    assert open_metrics.headers["content-type"].startswith(OPEN_METRICS)
    assert open_metrics.text.endswith("# EOF\n")
    # What is described is what is written down.
    golden = (ROOT / "crates/outcrop-server/src/metrics/exposition.txt").read_text()
    assert [line for line in plain.text.splitlines() if line.startswith("#")] == golden.splitlines()
    described = set(re.findall(r"^# TYPE (\S+)", golden, re.MULTILINE))
    for name, *_ in Samples(plain.text):
        assert {name, re.sub("_(bucket|sum|count)$", "", name)} & described, name


@pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's package prometheus is not installed")
def test_prometheus_has_nothing_to_say_of_the_text(counted):
    counted.chat("hi")
    counted.chat("hi", body={"stream": True})
    text = counted.get("/metrics").content
    ran = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr + ran.stdout) == (0, b"")


def test_the_process_tells_of_itself(counted):
    samples = counted.samples()
    assert samples.sum("outcrop_build_info") == 1
    assert samples.sum("process_resident_memory_bytes") > 1e6
    assert 0 < samples.sum("process_open_fds") < samples.sum("process_max_fds")
    assert samples.sum("process_start_time_seconds") > 1.7e9


class TestAccess:
    def test_an_admin_key_is_asked_for_where_keys_are(self, serve):
        gateway = serve(env={"OUTCROP_ADMIN_KEYS": admin.ADMIN_KEY})
        assert scrape(gateway).status_code == 200
        assert scrape(gateway, key=None).status_code == 401
        assert scrape(gateway, key="sk-wrong").status_code == 401
        # A key for asking models is none.
        assert scrape(gateway, key=settings.KEY).status_code in (401, 403)

    def test_an_administrator_of_one_organization_may_not(self):
        with admin.start() as stack:
            operator = admin.Admin(stack.gateway)
            organization = operator.organization()
            body = {"name": "bound", "role": "viewer", "organization": organization["id"]}
            key = operator.done("POST", "/admin_keys", json=body)["key"]
            assert scrape(stack.gateway, key=key).status_code == 403
            body = {"name": "unbound", "role": "viewer"}
            assert scrape(stack.gateway, key=operator.done("POST", "/admin_keys", json=body)["key"]).status_code == 200

    def test_web_pages_are_kept_out_of_an_open_gateway(self, counted):
        assert counted.get("/metrics", headers={"origin": "https://evil.example"}).status_code == 403

    def test_an_address_of_their_own_asks_for_no_key_and_the_main_one_has_none(self, serve):
        gateway = serve("--metrics-listen", "127.0.0.1:0")

        def address():
            lines = [json.loads(line) for line in gateway.stderr if line.startswith("{")]
            return next((line["url"] for line in lines if line["message"] == "metrics"), None)

        url = poll(address, "the address of the metrics")
        gateway.chat("hi")
        with httpx.Client(trust_env=False) as client:
            reply = client.get(url)
            assert reply.status_code == 200
            assert Samples(reply.text).sum("outcrop_requests_total", status="200") == 1
            # Nothing else is there.
            assert client.get(url.replace("/metrics", "/v1/models")).status_code == 404
            assert client.post(url).status_code == 404
        assert gateway.get("/metrics").status_code == 404


class TestCloudWatch:
    @staticmethod
    def lines(gateway, count):
        def found():
            lines = [json.loads(line) for line in gateway.stdout if line.startswith('{"_aws"')]
            lines = [line for line in lines if "RequestId" in line]
            return lines if len(lines) >= count else None

        lines = poll(found, f"{count} lines")
        assert len(lines) == count
        return lines

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_request_leaves_a_line(self, serve, mark, stream):
        gateway = serve("--emf", "on", "--emf-namespace", "Acme")
        reply = gateway.chat(mark, body={"stream": stream, "stream_options": {"include_usage": True}} if stream else {})
        [line] = self.lines(gateway, 1)
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Acme"
        assert directive["Dimensions"] == [["Model"]]
        assert line["Model"] == settings.NOVA
        assert line["RequestId"] == reply.headers["x-request-id"]
        assert (line["Requests"], line["Errors"], line["Status"], line["Outcome"]) == (1, 0, 200, "completed")
        assert line["InputTokens"] > 0 and line["OutputTokens"] > 0 and line["Cost"] > 0 and line["Duration"] > 0
        assert ("TimeToFirstToken" in line) == stream
        declared = {metric["Name"] for metric in directive["Metrics"]}
        assert all(isinstance(line[name], int | float) for name in declared)
        # Neither what was asked nor a key.
        assert mark not in json.dumps(line) and settings.KEY not in json.dumps(line)

    def test_it_tells_who(self):
        with admin.start("--emf", "on") as stack:
            operator = admin.Admin(stack.gateway)
            key = operator.key(operator.project(operator.organization("acme"), "chat"), "laptop")
            admin.chat(stack.gateway, key, body={"user": "ada"})
            [line] = self.lines(stack.gateway, 1)
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Model"], ["Organization", "Project"]]
        assert [line[name] for name in ("Organization", "Project", "KeyName", "KeyId", "User")] == [
            "acme",
            "chat",
            "laptop",
            key["id"],
            "ada",
        ]
        assert key["key"] not in json.dumps(line)

    def test_so_does_one_that_is_refused(self, serve):
        gateway = serve("--emf", "on")
        gateway.request("POST", "/v1/chat/completions", headers={"authorization": "Bearer wrong"}, json={})
        [line] = self.lines(gateway, 1)
        assert (line["Errors"], line["Status"], line["ErrorCode"], line["Model"]) == (1, 401, "invalid_api_key", "none")

    def test_what_asks_no_model_leaves_none(self, serve):
        gateway = serve("--emf", "on")
        gateway.get("/v1/models")
        gateway.chat("hi")
        [line] = self.lines(gateway, 1)
        assert line["Endpoint"] == "/v1/chat/completions"

    def test_how_much_is_open_is_told(self, serve):
        gateway = serve("--emf", "on")
        gauges = poll(lambda: [line for line in gateway.stdout if '"OpenStreams":' in line], "a line with gauges")
        line = json.loads(gauges[0])
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]
        assert line["OpenStreams"] == line["InFlight"] == 0

    @pytest.mark.parametrize(("environment", "is_on"), [({}, False), ({"AWS_LAMBDA_FUNCTION_NAME": "f"}, True)])
    def test_a_lambda_function_has_it_by_itself(self, serve, environment, is_on):
        gateway = serve(env=environment)
        gateway.chat("hi")
        assert gateway.record(gateway.chat("hi"))["status"] == 200
        if is_on:
            self.lines(gateway, 2)
        else:
            assert not any("_aws" in line for line in gateway.stdout)

    @pytest.mark.parametrize("command", [["chat", "hi"], ["models", "--json"]], ids=" ".join)
    def test_commands_have_their_output_to_themselves(self, serve, command):
        """A command that starts a gateway of its own leaves the metrics to the one that serves."""
        gateway = serve("--metrics-listen", "127.0.0.1:0")
        url = poll(lambda: next((line for line in gateway.stderr if "/metrics" in line), None), "where the metrics are")
        taken = re.search(r"127\.0\.0\.1:\d+", json.loads(url)["url"]).group()
        env = {"OUTCROP_EMF": "on", "OUTCROP_METRICS_LISTEN": taken, "OUTCROP_SIMULATE": "true"}
        done = run(*command, env=env, timeout=30)
        assert done.returncode == 0, done.stderr
        assert done.stdout and "_aws" not in done.stdout
