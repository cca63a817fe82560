"""Checks values against OpenAI's own description of its API (openai_shapes.json, made by extract_shapes.py)."""

import json
import pathlib

SHAPES = json.loads(pathlib.Path(__file__).with_name("openai_shapes.json").read_text())

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def problems(value, shape, extra=(), path="$"):
    """What is wrong with `value`, one line each. `shape` is a schema's name or a schema.

    A field that the description doesn't know is a problem unless its name is in `extra`.
    """
    if isinstance(shape, str):
        shape = SHAPES[shape]
    if "$ref" in shape:
        if value is None and shape.get("nullable"):
            return []
        return problems(value, SHAPES[shape["$ref"]], extra, path)
    if value is None and shape.get("nullable"):
        return []
    found = []
    for part in shape.get("allOf", ()):
        found += problems(value, part, extra, path)
    for union in ("anyOf", "oneOf"):
        if union in shape:
            attempts = [problems(value, part, extra, path) for part in shape[union]]
            if all(attempts):
                found += min(attempts, key=len)
    kind = shape.get("type")
    if kind and not TYPES[kind](value):
        return found + [f"{path}: {value!r} is not of type {kind}"]
    if "enum" in shape and value not in shape["enum"]:
        found.append(f"{path}: {value!r} is none of {shape['enum']}")
    if isinstance(value, dict) and ("properties" in shape or "required" in shape):
        properties = shape.get("properties", {})
        found += [
            f"{path}: the required field `{name}` is missing" for name in shape.get("required", ()) if name not in value
        ]
        for name, part in value.items():
            if name in properties:
                found += problems(part, properties[name], extra, f"{path}.{name}")
            elif name not in extra:
                found.append(f"{path}: OpenAI knows no field `{name}`")
    if isinstance(value, list) and "items" in shape:
        for index, item in enumerate(value):
            found += problems(item, shape["items"], extra, f"{path}[{index}]")
    return found


def check(value, shape, extra=()):
    found = problems(value, shape, extra)
    assert not found, (
        f"not a {shape}:\n  " + "\n  ".join(found) + f"\nin {json.dumps(value, ensure_ascii=False)[:2000]}"
    )


def check_completion(value):
    """A whole chat completion, to the letter."""
    check(value, "CreateChatCompletionResponse")
    assert value["object"] == "chat.completion", value
    assert value["id"].startswith("chatcmpl-") and len(value["id"]) > len("chatcmpl-"), value["id"]
    assert value["created"] > 1_700_000_000, f"`created` is in seconds since 1970: {value['created']}"
    assert [choice["index"] for choice in value["choices"]] == list(range(len(value["choices"]))), value["choices"]
    check_usage(value["usage"])


def check_usage(usage):
    check(usage, "CompletionUsage")
    assert usage["prompt_tokens"] > 0 and usage["completion_tokens"] > 0, usage
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"], usage


def check_stream(chunks, include_usage=False, choices=1):
    """All chunks of one stream, to the letter. Returns each choice's text."""
    assert chunks, "the stream has no chunks"
    for chunk in chunks:
        check(chunk, "CreateChatCompletionStreamResponse")
    for field in ("id", "created", "model", "object"):
        values = {chunk[field] for chunk in chunks}
        assert len(values) == 1, f"`{field}` differs between chunks: {values}"
    assert chunks[0]["id"].startswith("chatcmpl-"), chunks[0]["id"]
    assert chunks[0]["object"] == "chat.completion.chunk", chunks[0]

    if include_usage:
        *chunks, last = chunks
        assert last["choices"] == [], f"the usage chunk comes last and has no choices: {last}"
        check_usage(last["usage"])
        for chunk in chunks:
            assert "usage" in chunk and chunk["usage"] is None, f"`usage: null` is missing: {chunk}"
    else:
        for chunk in chunks:
            assert chunk.get("usage") is None, f"usage without having been asked for: {chunk}"

    texts, finished = {}, {}
    for chunk in chunks:
        assert len(chunk["choices"]) == 1, f"one choice a chunk: {chunk}"
        choice = chunk["choices"][0]
        index, delta = choice["index"], choice["delta"]
        assert index not in finished, f"choice {index} goes on after its finish_reason: {chunk}"
        if index not in texts:
            assert delta.get("role") == "assistant", f"the first chunk of choice {index} carries the role: {chunk}"
            texts[index] = ""
        else:
            assert "role" not in delta, f"the role comes once: {chunk}"
        texts[index] += delta.get("content") or ""
        if choice["finish_reason"] is not None:
            finished[index] = choice["finish_reason"]
    assert sorted(texts) == list(range(choices)), f"choices {sorted(texts)} instead of {choices} of them"
    assert sorted(finished) == sorted(texts), f"only {finished} have a finish_reason"
    return [texts[index] for index in range(choices)]


def check_error(reply, status=None, code=None, kind=None, param=None):
    """An HTTP error in OpenAI's shape. `param` is a word or several that its `param` must name. Returns the error."""
    said = f"{reply.status_code} {reply.text[:1000]!r}"
    if status is not None:
        allowed = status if isinstance(status, (tuple, list, set, range)) else (status,)
        assert reply.status_code in allowed, f"expected {allowed}, got {said}"
    media_type = reply.headers.get("content-type", "")
    assert media_type.startswith("application/json"), f"an error is JSON, not {media_type!r}: {said}"
    body = reply.json()
    return check_error_body(body, code, kind, param)


def check_error_body(body, code=None, kind=None, param=None):
    assert isinstance(body, dict) and set(body) == {"error"}, f"only `error` stands at the top: {body}"
    error = body["error"]
    missing = [name for name in ("message", "type", "param", "code") if name not in error]
    assert not missing, f"the error has no {missing}: {error}"
    named = {name: error[name] for name in ("message", "type", "param", "code")}
    check(named, "Error")
    assert error["message"].strip(), f"the message is empty: {error}"
    if code is not None:
        assert error["code"] == code, f"expected code {code!r}: {error}"
    if kind is not None:
        assert error["type"] == kind, f"expected type {kind!r}: {error}"
    for word in [param] if isinstance(param, str) else param or ():
        assert error["param"] and word in error["param"], f"`param` should name {word!r}: {error}"
    return error
