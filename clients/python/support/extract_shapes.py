"""Makes openai_shapes.json from OpenAI's OpenAPI description: python extract_shapes.py openapi.yaml (needs PyYAML).

Keeps the schemas that the tests name and all that these lead to, without their prose.
"""

import json
import pathlib
import sys

WANTED = [
    "CreateChatCompletionResponse",
    "CreateChatCompletionStreamResponse",
    "CreateCompletionResponse",
    "CreateEmbeddingResponse",
    "CreateModerationResponse",
    "ErrorResponse",
    "ImagesResponse",
    "ListModelsResponse",
]
KEPT = ["$ref", "type", "enum", "required", "nullable", "anyOf", "oneOf", "allOf", "items", "properties"]


def compact(schema):
    kept = {key: schema[key] for key in KEPT if key in schema}
    if "properties" in kept:
        kept["properties"] = {name: compact(value) for name, value in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = compact(kept["items"])
    for union in ("anyOf", "oneOf", "allOf"):
        if union in kept:
            kept[union] = [compact(value) for value in kept[union]]
    if "$ref" in kept:
        kept["$ref"] = kept["$ref"].removeprefix("#/components/schemas/")
    return kept


def references(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def main():
    import yaml

    with open(sys.argv[1], encoding="utf-8") as file:
        document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    schemas = document["components"]["schemas"]
    shapes, waiting = {}, list(WANTED)
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = compact(schemas[name])
            waiting.extend(references(shapes[name]))
    target = pathlib.Path(__file__).with_name("openai_shapes.json")
    target.write_text(json.dumps(dict(sorted(shapes.items())), indent=1) + "\n")


if __name__ == "__main__":
    main()
