"""Jamba's messages by InvokeModel."""

import pytest
from botocore.exceptions import ClientError
from invoking import chunks, invoke, refused

JAMBA = "ai21.jamba-1-5-large-v1:0"


def ask(text, **more):
    return {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}], **more}


def test_whole_and_streamed(runtime):
    body = ask("Why?", max_tokens=20, temperature=1.5, top_p=0.5, stop=["merits"], frequency_penalty=0.1)
    answer, _ = invoke(runtime, JAMBA, body)
    choice = answer["choices"][0]
    assert choice["finish_reason"] == "length" and choice["message"]["role"] == "assistant"
    stream = chunks(runtime, JAMBA, body)
    said = "".join(choice["delta"].get("content", "") for chunk in stream for choice in chunk["choices"])
    assert said == choice["message"]["content"]
    assert stream[-1]["usage"] == answer["usage"]


def test_several_choices(runtime):
    answer, _ = invoke(runtime, JAMBA, ask("Why?", n=3))
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_tokens": 4097}, "#/max_tokens: 4097 is not less or equal to 4096"),
        ({"temperature": 2.5}, "#/temperature: 2.5 is not less or equal to 2"),
        ({"n": 17}, "#/n: 17 is not less or equal to 16"),
        ({"tools": []}, "#: extraneous key [tools] is not permitted"),
        ({"prompt": "a", "messages": None}, "#: required key [messages] not found"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "#/messages/0/role: tool is not a valid enum value"),
        ({"messages": [{"role": "user", "content": [{"text": "a"}]}]}, "expected type: String, found: JSONArray"),
    ],
)
def test_what_is_refused(runtime, change, message):
    body = {name: value for name, value in {**ask("Hi"), **change}.items() if value is not None}
    assert message in refused(runtime, JAMBA, body)


def test_the_first_jamba_doesnt_stream(runtime):
    first = "ai21.jamba-instruct-v1:0"
    invoke(runtime, first, ask("Hi"))
    with pytest.raises(ClientError, match="unsupported for streaming"):
        chunks(runtime, first, ask("Hi"))
    with pytest.raises(ClientError, match="unsupported for streaming"):
        runtime.converse_stream(modelId=first, messages=[{"role": "user", "content": [{"text": "Hi"}]}])
