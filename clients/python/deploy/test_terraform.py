"""The Terraform modules, as far as they can be judged without AWS's provider, which no registry of packages has: their
syntax, their references, the names of arguments and attributes by the provider's schema, the rights that they grant.
Where Terraform itself is installed, also their format and the settings that they come to."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import hcl2
import pytest

from deploy import policies, settings

HERE = pathlib.Path(__file__).parent
FOLDER = HERE.parents[2] / "deploy" / "terraform"
MODULES = ["lambda", "fargate"]
SCHEMA = json.loads((HERE / "terraform_schema.json").read_text())["schema"]

# Any resource takes them.
META = {"count", "for_each", "depends_on", "lifecycle", "provider", "dynamic"}

# Of provider 6.29.0; the newest schema that a registry of packages has is 6.25.0's.
NEWER = {("aws_lambda_permission", "invoked_via_function_url")}

REFERENCE = re.compile(r"(?<![\w.\"-])(?:data\.)?(?:var|local|aws_\w+)(?:\.\w+|\[\d+\])+")


def bare(node):
    """Without the quotes and marks that the parser leaves."""
    if isinstance(node, dict):
        return {bare(key): bare(value) for key, value in node.items() if not key.startswith("__")}
    if isinstance(node, list):
        return [bare(one) for one in node]
    return node[1:-1] if isinstance(node, str) and node.startswith('"') else node


class Module:
    def __init__(self, folder):
        self.text = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))
        self.code = re.sub(r"^\s*#.*$", "", self.text, flags=re.M)
        self.blocks = {}
        for file in sorted(folder.glob("*.tf")):
            for kind, blocks in bare(hcl2.loads(file.read_text())).items():
                self.blocks.setdefault(kind, []).extend(blocks)

    def named(self, kind):
        return {name: body for block in self.blocks.get(kind, []) for name, body in block.items()}

    def resources(self):
        for kind in ("resource", "data"):
            for block in self.blocks.get(kind, []):
                for type_name, names in block.items():
                    for name, body in names.items():
                        yield kind, type_name, name, body

    def references(self):
        found = set()
        for reference in REFERENCE.findall(self.code):
            found.add(re.sub(r"\[[^\]]*\]", "", reference).rstrip("."))
        return found


@pytest.fixture(params=MODULES)
def module(request):
    return Module(FOLDER / request.param)


def test_all_that_is_used_is_defined_and_all_that_is_defined_is_used(module):
    variables = set(module.named("variable"))
    values = {name for block in module.blocks["locals"] for name in block}
    resources = {(kind, type_name, name) for kind, type_name, name, _ in module.resources()}
    used = module.references()
    of = {prefix: {one.split(".")[1] for one in used if one.startswith(prefix + ".")} for prefix in ("var", "local")}
    assert of["var"] == variables
    assert of["local"] == values
    for reference in used:
        parts = reference.split(".")
        kind = "data" if parts[0] == "data" else "resource"
        parts = parts[1:] if kind == "data" else parts
        if not parts[0].startswith("aws_"):
            continue
        assert (kind, parts[0], parts[1]) in resources, reference
        if len(parts) > 2:
            assert parts[2] in SCHEMA[f"{kind}.{parts[0]}"]["attributes"], reference


def check(type_name, body, schema, where):
    for key, value in body.items():
        if key == "dynamic":
            for block in value:
                for name, dynamic in block.items():
                    assert name in schema["blocks"], f"{where}: no block {name}"
                    for content in dynamic["content"]:
                        check(type_name, content, schema["blocks"][name], f"{where}.{name}")
            continue
        if key in META or (type_name, key) in NEWER:
            continue
        assert key in schema["arguments"], f"{where}: no argument {key}"
        nested = schema["blocks"].get(key)
        blocks = value if isinstance(value, list) else []
        for block in blocks if nested else []:
            if isinstance(block, dict):
                check(type_name, block, nested, f"{where}.{key}")


def test_arguments_and_blocks_are_the_providers(module):
    seen = 0
    for kind, type_name, name, body in module.resources():
        seen += 1
        check(type_name, body, SCHEMA[f"{kind}.{type_name}"], f"{type_name}.{name}")
    assert seen > 10


def test_variables_and_outputs_say_what_they_are(module):
    for kind in ("variable", "output"):
        for name, body in module.named(kind).items():
            assert body["description"].endswith("."), name
    for name, body in module.named("variable").items():
        assert "type" in body, name
        if name.endswith("_secret"):
            assert body.get("default", "") == "", name


@pytest.mark.parametrize("name", MODULES)
def test_the_example_calls_the_module_as_it_is(name):
    example, module = Module(FOLDER / name / "examples"), Module(FOLDER / name)
    given = set(example.named("module")["outcrop"]) - {"source"}
    variables = module.named("variable")
    assert given <= set(variables)
    assert {key for key, body in variables.items() if "default" not in body} <= given
    for output in re.findall(r"module\.outcrop\.(\w+)", example.code):
        assert output in module.named("output")


@pytest.mark.parametrize("name", MODULES)
def test_the_example_makes_no_secret(name):
    """An empty one would keep the gateway from starting; a value would be in the state."""
    kinds = {type_name for _, type_name, _, _ in Module(FOLDER / name / "examples").resources()}
    assert not {kind for kind in kinds if "secret" in kind}


def statements(name, settings):
    """The statements of the gateway's policy, where these settings are made."""
    truth = {
        "var.guardrail == null ? [] : [var.guardrail.id]": "guardrail" in settings,
        "var.guardrail == null ? [1] : []": "guardrail" not in settings,
        "var.own_models ? [1] : []": "own_models" in settings,
        "length(local.secrets) > 0 ? [1] : []": True,
        "var.vpc == null ? [] : [1]": "vpc" in settings,
    }
    documents = [body for _, kind, one, body in Module(FOLDER / name).resources() if (kind, one) == (
        "aws_iam_policy_document", "gateway")]
    for document in documents:
        yield from document["statement"]
        for block in document["dynamic"]:
            condition = block["statement"]["for_each"].removeprefix("${").removesuffix("}")
            if truth[condition]:
                yield from block["statement"]["content"]


@pytest.mark.parametrize("case", policies.CASES)
@pytest.mark.parametrize("name, place", [("lambda", "lambda"), ("fargate", "ecs")])
def test_a_module_grants_what_the_command_prints(name, place, case):
    settings, flags = policies.CASES[case]
    granted = {action for statement in statements(name, settings) for action in statement["actions"]}
    assert granted == policies.expected(place, flags)


def test_a_function_in_a_vpc_may_have_network_interfaces():
    granted = {action for statement in statements("lambda", {"vpc": True}) for action in statement["actions"]}
    assert granted == policies.expected("lambda-vpc", ["--without", policies.OWN])


def test_both_ways_deploy_the_same():
    """Time-outs and the like are in CloudFormation's test; here, that the modules have the same."""
    for name, figures in {
        "lambda": ["900", "900000", "RESPONSE_STREAM", "STREAM", "provided.al2023"],
        "fargate": ["910", "920s", "960", "120", "110s", "OpenStreams", "/healthz", "ELBSecurityPolicy-TLS13-1-2-2021-06"],
    }.items():
        template = (FOLDER.parent / "cloudformation" / f"{name}.yaml").read_text()
        module = Module(FOLDER / name).code
        for figure in figures:
            pattern = rf"(?<![\w]){re.escape(figure)}(?![\w])"
            assert re.search(pattern, template) and re.search(pattern, module), (name, figure)
        variables = re.compile(r"\bOUTCROP_\w+")
        assert set(variables.findall(template)) == set(variables.findall(module)), name


TERRAFORM = shutil.which("terraform")
with_terraform = pytest.mark.skipif(not TERRAFORM, reason="Terraform isn't installed")


def terraform(*arguments, folder=FOLDER):
    return subprocess.run(
        [TERRAFORM, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@with_terraform
def test_the_files_are_formatted():
    run = terraform("fmt", "-check", "-recursive", "-diff")
    assert run.returncode == 0, run.stdout + run.stderr


def environment(name, variables, folder):
    """What Terraform makes of `local.environment`, without the resources, which would need the provider."""
    main = (FOLDER / name / "main.tf").read_text()
    value = re.search(r"^  environment = (merge\(\n.*?^  \))$", main, re.M | re.S)[1]
    shutil.copy(FOLDER / name / "variables.tf", folder)
    (folder / "main.tf").write_text(
        f'locals {{\n  region = "eu-central-1"\n  environment = {value}\n}}\n'
        'output "environment" {\n  value = local.environment\n}\n'
    )
    required = {key for key, body in Module(FOLDER / name).named("variable").items() if "default" not in body}
    given = {key: '["subnet-1", "subnet-2"]' if key.endswith("_ids") else "arn:aws:acm:x" for key in required} | variables
    flags = [f"-var={key}={one}" for key, one in given.items()]
    run = terraform("apply", "-auto-approve", "-input=false", "-no-color", *flags, folder=folder)
    assert run.returncode == 0, run.stderr
    return json.loads(terraform("output", "-json", "environment", folder=folder).stdout)


KEYS = {"api_keys_secret": f"{policies.SECRET}keys-AbCdEf"}
IAM = {"url_auth": "AWS_IAM", "api_keys_secret": ""}
GIVEN = [
    ("lambda", KEYS),
    ("lambda", KEYS | {"admin_keys_secret": f"{policies.SECRET}admin-AbCdEf", "default_model": "Nova-Lite"}),
    ("lambda", IAM),
    ("lambda", IAM | {"database_secret": f"{policies.SECRET}db-AbCdEf"}),
    ("fargate", KEYS),
    ("fargate", KEYS | {"trusted_proxies": '["10.0.0.0/16"]'}),
    ("fargate", KEYS | {"database_secret": f"{policies.SECRET}db-AbCdEf", "guardrail": '{id="gr1",version="1"}'}),
]


@with_terraform
@pytest.mark.parametrize("name, variables", GIVEN)
def test_the_gateway_takes_the_settings_that_a_module_gives_it(name, variables, tmp_path):
    made = environment(name, variables, tmp_path)
    settings.check({"AWS_REGION": "eu-central-1"} | made, tmp_path)
    assert ("OUTCROP_API_KEYS" in made) == bool(variables["api_keys_secret"])
    # Open only where IAM keeps others out.
    assert made.get("OUTCROP_INSECURE_NO_AUTH") == ("true" if variables == IAM else None)
