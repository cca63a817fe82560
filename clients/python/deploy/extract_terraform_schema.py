"""Takes the names of arguments, blocks and attributes of the AWS provider's resources from its bindings for Python.

    pip download --no-deps cdktf-cdktf-provider-aws==21.22.1
    python extract_terraform_schema.py cdktf_cdktf_provider_aws-21.22.1-py3-none-any.whl

Those bindings are made of the schema of provider 6.25.0, and have 60 MB, so that what the modules use is kept beside.
A resource that is new in a module needs it run again.
"""

import json
import pathlib
import re
import sys
import zipfile

HERE = pathlib.Path(__file__).parent
MODULES = HERE.parents[2] / "deploy" / "terraform"
STRUCT = re.compile(r'jsii_type="@cdktf/provider-aws\.\w+\.(\w+)",\s*jsii_struct_bases=.*?name_mapping=\{(.*?)\}', re.S)
GETTER = re.compile(r"@builtins\.property\s*\n\s*@jsii\.member\(jsii_name=\"\w+\"\)\s*\n\s*def (\w+)\(self\)")
META = {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"}


def used():
    """The kinds of resources and data sources in the modules."""
    for file in sorted(MODULES.rglob("*.tf")):
        for kind, name in re.findall(r'^(resource|data) "(\w+)"', file.read_text(), re.M):
            yield kind, name


def camel(text):
    return "".join(part.capitalize() for part in text.split("_"))


def block(structs, prefix):
    arguments = structs[prefix]
    nested = {name: camel(name) for name in arguments if prefix.removesuffix("Config") + camel(name) in structs}
    return {
        "arguments": sorted(arguments - META),
        "blocks": {name: block(structs, prefix.removesuffix("Config") + part) for name, part in nested.items()},
    }


def extract(wheel, kind, name):
    short = name.removeprefix("aws_")
    module = f"data_aws_{short}" if kind == "data" else short
    text = wheel.read(f"cdktf_cdktf_provider_aws/{module}/__init__.py").decode()
    structs = {struct: set(re.findall(r'"(\w+)":', mapping)) for struct, mapping in STRUCT.findall(text)}
    top = camel(module) + "Config"
    top = next(struct for struct in structs if struct.lower() == top.lower())
    first = text.split("@jsii.data_type")[0]
    return {**block(structs, top), "attributes": sorted(name for name in set(GETTER.findall(first)) if not name.endswith("_input"))}


def main(path):
    with zipfile.ZipFile(path) as wheel:
        schema = {f"{kind}.{name}": extract(wheel, kind, name) for kind, name in sorted(set(used()))}
    document = {"provider": "hashicorp/aws 6.25.0", "package": pathlib.Path(path).name, "schema": schema}
    (HERE / "terraform_schema.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
