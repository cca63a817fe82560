"""The CloudFormation templates: cfn-lint's rules, the rights that they grant, and what streams need."""

import json
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from deploy import policies, settings

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "cloudformation"
TEMPLATES = ["lambda", "fargate"]


class Loader(yaml.SafeLoader):
    """Reads `!Ref x` as `{"Ref": "x"}`, as CloudFormation does."""


def intrinsic(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", intrinsic)


def template(name):
    return yaml.load((FOLDER / f"{name}.yaml").read_text(), Loader)


class Stack:
    """A template with parameters: what its conditions come to."""

    NOTHING = object()

    def __init__(self, name, **parameters):
        self.template = template(name)
        defaults = {key: one.get("Default") for key, one in self.template["Parameters"].items()}
        self.parameters = {**defaults, **parameters}

    def holds(self, condition):
        if isinstance(condition, str):
            return self.holds(self.template["Conditions"][condition])
        (function, value), = condition.items()
        match function:
            case "Condition":
                return self.holds(value)
            case "Fn::Not":
                return not self.holds(value[0])
            case "Fn::And":
                return all(map(self.holds, value))
            case "Fn::Or":
                return any(map(self.holds, value))
            case "Fn::Equals":
                first, second = (str(self.value(one)) for one in value)
                return first == second
        raise AssertionError(function)

    def value(self, node):
        if isinstance(node, list):
            values = [self.value(one) for one in node]
            return [one for one in values if one is not self.NOTHING]
        if not isinstance(node, dict):
            return node
        if node.keys() == {"Fn::If"}:
            condition, yes, no = node["Fn::If"]
            return self.value(yes if self.holds(condition) else no)
        if node == {"Ref": "AWS::NoValue"}:
            return self.NOTHING
        if node.keys() == {"Ref"} and node["Ref"] in self.parameters:
            return self.parameters[node["Ref"]]
        if node.keys() == {"Fn::Join"}:
            between, values = node["Fn::Join"]
            values = self.value(values)
            return between.join(values if isinstance(values, list) else [values])
        values = {key: self.value(one) for key, one in node.items()}
        return {key: one for key, one in values.items() if one is not self.NOTHING}

    def resource(self, name):
        return self.value(self.template["Resources"][name]["Properties"])


def lint(*files):
    command = [pathlib.Path(sys.executable).with_name("cfn-lint"), "--", *files]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_has_nothing_to_say(name):
    run = lint(str(FOLDER / f"{name}.yaml"))
    assert run.returncode == 0, run.stdout


PARAMETERS = {
    "own_models": {"OwnModels": "true"},
    "guardrail": {"GuardrailId": "gr1"},
    "database": {"DatabaseSecret": f"{policies.SECRET}db-AbCdEf"},
}

PARAMETERS_OF = {
    "nothing": {},
    "admin": {"AdminKeysSecret": f"{policies.SECRET}admin-AbCdEf"},
    "guardrail": {"GuardrailId": "gr1", "DefaultModel": "Nova-Lite"},
    "database": {"DatabaseSecret": f"{policies.SECRET}db-AbCdEf"},
}


@pytest.mark.parametrize("case", policies.CASES)
@pytest.mark.parametrize("name, place", [("lambda", "lambda"), ("fargate", "ecs")])
def test_a_template_grants_what_the_command_prints(name, place, case):
    settings, flags = policies.CASES[case]
    chosen = {}
    for setting in settings:
        chosen |= PARAMETERS[setting]
    stack = Stack(name, ApiKeysSecret=f"{policies.SECRET}keys-AbCdEf", **chosen)
    granted = policies.actions(stack.resource("Policy")["PolicyDocument"])
    assert granted == policies.expected(place, flags)


def test_a_function_in_a_vpc_may_have_network_interfaces():
    stack = Stack("lambda", ApiKeysSecret=f"{policies.SECRET}keys-AbCdEf", SubnetIds="subnet-1")
    granted = policies.actions(stack.resource("Policy")["PolicyDocument"])
    assert granted == policies.expected("lambda-vpc", ["--without", policies.OWN])
    assert "VpcConfig" in stack.resource("Function")


@pytest.mark.parametrize("flags", [["--region", "us-east-1"], ["--region", "us-east-1", "-m", "Nova-Pro"]])
def test_a_printed_policy_passes_cfn_lint(flags, tmp_path):
    optional = "client-guardrails,prompts,marketplace,s3-media,tenant-roles"
    policy = policies.printed(*flags, "--service-quotas", "--for", "lambda-vpc", "--with", optional)
    properties = {"PolicyDocument": policy}
    document = {"Resources": {"Printed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}}}
    file = tmp_path / "template.json"
    file.write_text(json.dumps(document))
    run = lint(str(file))
    assert run.returncode == 0, run.stdout
    # It does look at actions.
    file.write_text(json.dumps(document).replace("bedrock:InvokeModel\"", "bedrock:InvokeModul\""))
    assert "InvokeModul" in lint(str(file)).stdout.replace("invokemodul", "InvokeModul")


def test_a_function_streams_for_as_long_as_lambda_allows():
    stack = Stack("lambda", RestApi="true", ApiKeysSecret="x")
    assert stack.resource("Function")["Timeout"] == 900
    assert stack.resource("Url")["InvokeMode"] == "RESPONSE_STREAM"
    integration = stack.resource("ApiMethod")["Integration"]
    assert integration["ResponseTransferMode"] == "STREAM"
    assert integration["TimeoutInMillis"] == 900_000
    assert integration["Uri"]["Fn::Sub"].endswith("/response-streaming-invocations")


def test_a_task_goes_only_after_its_longest_stream():
    stack = Stack("fargate")
    balancer, group = stack.resource("LoadBalancer"), stack.resource("TargetGroup")
    attributes = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"] + group["TargetGroupAttributes"]}
    longest = 900
    assert int(attributes["deregistration_delay.timeout_seconds"]) > longest
    assert longest < int(attributes["idle_timeout.timeout_seconds"]) <= 4000
    container, = stack.resource("Task")["ContainerDefinitions"]
    environment = {one["Name"]: one["Value"] for one in container["Environment"]}
    timeout = int(environment["OUTCROP_SHUTDOWN_TIMEOUT"].removesuffix("s"))
    assert timeout < container["StopTimeout"] <= 120
    idle = int(environment["OUTCROP_IDLE_TIMEOUT"].removesuffix("s"))
    assert idle > int(attributes["idle_timeout.timeout_seconds"]), "the balancer closes connections first"


def test_tasks_start_when_their_endpoints_are_there():
    resources = template("fargate")["Resources"]
    endpoints = {name for name, one in resources.items() if one["Type"] == "AWS::EC2::VPCEndpoint"}
    condition, yes, _ = resources["Service"]["Metadata"]["Endpoints"]["Fn::If"]
    assert condition == "HasEndpoints" and {one["Ref"] for one in yes} == endpoints


def test_a_deployment_leaves_the_number_of_tasks_to_scaling():
    stack = Stack("fargate")
    assert "DesiredCount" not in stack.resource("Service")
    assert stack.resource("Scaling")["MinCapacity"] == 2


def environment_of(name, **parameters):
    """The variables of the function or the container, where CloudFormation fills in what it knows."""
    stack = Stack(name, **parameters)
    if name == "lambda":
        variables = stack.resource("Function")["Environment"]["Variables"]
    else:
        container, = stack.resource("Task")["ContainerDefinitions"]
        variables = {one["Name"]: one["Value"] for one in container["Environment"]}
    known = {"AWS::Region": "eu-central-1", "AWS::StackName": "outcrop"}
    filled = {}
    for key, value in variables.items():
        if isinstance(value, dict):
            text = value["Fn::Sub"] if "Fn::Sub" in value else f"${{{value['Ref']}}}"
            value = re.sub(r"\$\{([\w:]+)\}", lambda found: known[found[1]], text)
        filled[key] = value
    return filled


def test_the_balancers_network_is_believed_where_it_is_named(tmp_path):
    keys = f"{policies.SECRET}keys-AbCdEf"
    named = environment_of("fargate", ApiKeysSecret=keys, TrustedProxies="10.0.0.0/16,10.1.0.0/16")
    assert named["OUTCROP_TRUSTED_PROXIES"] == "10.0.0.0/16,10.1.0.0/16"
    settings.check(named, tmp_path)
    assert "OUTCROP_TRUSTED_PROXIES" not in environment_of("fargate", ApiKeysSecret=keys)


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("extra", PARAMETERS_OF)
def test_the_gateway_takes_the_settings_that_a_template_gives_it(name, extra, tmp_path):
    parameters = {"ApiKeysSecret": f"{policies.SECRET}keys-AbCdEf"} | PARAMETERS_OF[extra]
    settings.check({"AWS_REGION": "eu-central-1"} | environment_of(name, **parameters), tmp_path)


def test_a_function_behind_iam_needs_no_keys(tmp_path):
    alone = environment_of("lambda", UrlAuth="AWS_IAM", ApiKeysSecret="")
    assert alone["OUTCROP_INSECURE_NO_AUTH"] == "true" and "OUTCROP_API_KEYS" not in alone
    settings.check({"AWS_REGION": "eu-central-1"} | alone, tmp_path)
    for others in (
        {"ApiKeysSecret": f"{policies.SECRET}keys-AbCdEf"},
        {"UrlAuth": "AWS_IAM", "ApiKeysSecret": f"{policies.SECRET}keys-AbCdEf"},
        {"UrlAuth": "AWS_IAM", "DatabaseSecret": f"{policies.SECRET}db-AbCdEf"},
        {},
    ):
        assert "OUTCROP_INSECURE_NO_AUTH" not in environment_of("lambda", **others), others


def test_scaling_reads_the_metric_that_the_gateway_writes():
    stack = Stack("fargate")
    scaling = stack.resource("ByStreams")["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]
    container, = stack.resource("Task")["ContainerDefinitions"]
    environment = {one["Name"]: one["Value"] for one in container["Environment"]}
    assert scaling["Namespace"] == environment["OUTCROP_EMF_NAMESPACE"]
    assert scaling["MetricName"] == "OpenStreams" and environment["OUTCROP_EMF"] == "on"


@pytest.mark.parametrize("name", TEMPLATES)
def test_secrets_are_references_alone(name):
    text = (FOLDER / f"{name}.yaml").read_text()
    assert not re.search(r"sk-|NoEcho|password", text, re.I)
    for key in template(name)["Parameters"]:
        if key.endswith("Secret"):
            assert "secretsmanager" in template(name)["Parameters"][key]["AllowedPattern"], key
