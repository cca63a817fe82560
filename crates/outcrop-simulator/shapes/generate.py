#!/usr/bin/env python3
"""Writes shapes.json: what botocore's service models say about the operations that the simulator speaks.

Run it with a Python that has botocore: `python shapes/generate.py`. Only names, types and limits are taken over, never
AWS's prose. One shape per line, so that a new botocore shows as a readable diff.
"""

import json
import pathlib

import botocore
import botocore.loaders

OPERATIONS = {
    "bedrock-runtime": [
        "ApplyGuardrail",
        "Converse",
        "ConverseStream",
        "CountTokens",
        "InvokeGuardrailChecks",
        "InvokeModel",
        "InvokeModelWithResponseStream",
    ],
    "bedrock": [
        "ListFoundationModels",
        "GetFoundationModel",
        "ListInferenceProfiles",
        "GetInferenceProfile",
        "CreateInferenceProfile",
        "DeleteInferenceProfile",
        "GetProvisionedModelThroughput",
        "ListProvisionedModelThroughputs",
        "GetCustomModel",
        "ListCustomModels",
        "GetCustomModelDeployment",
        "ListCustomModelDeployments",
        "GetImportedModel",
        "ListImportedModels",
        "GetPromptRouter",
        "ListPromptRouters",
    ],
    "bedrock-agent-runtime": ["Rerank"],
}
# The services beside Bedrock: only what they are asked is checked, and their exceptions have names of their own kind.
ASKED = {
    "sts": ["AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"],
    "secretsmanager": ["GetSecretValue"],
    "ssm": ["GetParameter", "GetParameters"],
    "service-quotas": ["ListServiceQuotas", "GetServiceQuota", "ListAWSDefaultServiceQuotas"],
    "sso-oidc": ["CreateToken"],
}
LIMITS = ("type", "required", "min", "max", "pattern", "enum", "union", "document")


def main():
    operations, shapes, known = {}, {}, {}
    for service, names in {**OPERATIONS, **ASKED}.items():
        model = botocore.loaders.Loader().load_service_model(service, "service-2")
        whole = service in OPERATIONS
        reached = set().union(*(reachable(model, model["operations"][name], whole) for name in names))
        own = disagreeing(model, reached, known)
        for name in names:
            operations[name] = operation(model["operations"][name], whole, own)
        for shape in reached:
            shapes.setdefault(own.get(shape, shape), compact(model["shapes"][shape], own))
        if whole:
            for name, shape in model["shapes"].items():
                known.setdefault(name, compact(shape, {}))
        else:
            known.update((name, compact(model["shapes"][name], {})) for name in reached if name not in known)
    write(operations, shapes)


def disagreeing(model, reached, known):
    """New names for the shapes that an earlier service has another idea of, and for those that hold one of them."""
    own = {}
    while True:
        new = {
            name: f"{model['metadata']['endpointPrefix']}.{name}"
            for name in reached
            if name in known and name not in own and known[name] != compact(model["shapes"][name], own)
        }
        if not new:
            return own
        own.update(new)


def operation(model, whole, renamed):
    out = {
        "method": model["http"]["method"],
        "uri": model["http"]["requestUri"],
        "input": renamed.get(model["input"]["shape"], model["input"]["shape"]),
    }
    if whole:
        out["output"] = model["output"]["shape"]
        out["errors"] = [error["shape"] for error in model["errors"]]
    return out


def reachable(model, operation, whole):
    waiting = [operation["input"]["shape"]]
    if whole:
        waiting += [operation["output"]["shape"], *(error["shape"] for error in operation["errors"])]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        shape = model["shapes"][name]
        waiting += [member["shape"] for member in shape.get("members", {}).values()]
        waiting += [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]
    return seen


def compact(shape, renamed):
    out = {key: shape[key] for key in LIMITS if key in shape}
    if "error" in shape:
        out["status"] = shape["error"]["httpStatusCode"]
    if shape["type"] == "structure":
        out["members"] = {name: member_of(name, member, renamed) for name, member in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in shape:
            out[part] = renamed.get(shape[part]["shape"], shape[part]["shape"])
    return out


def member_of(name, member, renamed):
    out = {"shape": renamed.get(member["shape"], member["shape"])}
    if "location" in member:
        out["location"] = member["location"]
    if member.get("location") in ("header", "querystring") and member["locationName"] != name:
        out["name"] = member["locationName"]
    return out


def write(operations, shapes):
    lines = ["{", f'"source": "botocore {botocore.__version__}",', '"operations": {']
    lines += table(operations)
    lines += ["},", '"shapes": {']
    lines += table(shapes)
    lines += ["}", "}"]
    target = pathlib.Path(__file__).with_name("shapes.json")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def table(rows):
    rows = [f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(rows.items())]
    return [row + "," for row in rows[:-1]] + rows[-1:]


main()
