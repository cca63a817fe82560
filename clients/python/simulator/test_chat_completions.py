"""OpenAI's chat completions, with OpenAI's own client and a Bedrock API key."""

import json
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import openai
import pytest
from known_keys import ACCESS_KEY_ID, API_KEY, SECRET_ACCESS_KEY
from talk import CLAUDE, GPT_OSS


@pytest.fixture
def client(endpoint):
    return openai.OpenAI(base_url=f"{endpoint}/openai/v1", api_key=API_KEY, max_retries=0)


def ask(client, text, model=GPT_OSS, **more):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **more)


def test_a_whole_answer(client):
    answer = ask(client, "Why is the sky blue?", max_completion_tokens=500)
    assert answer.model == GPT_OSS and answer.object == "chat.completion"
    assert answer.choices[0].message.content.startswith("<reasoning>")
    assert "You asked: “Why is the sky blue?”" in answer.choices[0].message.content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_a_stream(client):
    whole = ask(client, "Why is the sky blue?")
    stream = list(ask(client, "Why is the sky blue?", stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text == whole.choices[0].message.content
    assert stream[-1].choices == [] and stream[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert stream[-2].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in ask(client, "Hi", stream=True))


def test_calls(client):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    answer = ask(client, '[[sim:tool f {"a": 1}]]', tools=[tool])
    assert answer.choices[0].message.tool_calls[0].function.arguments == '{"a":1}'
    assert answer.choices[0].finish_reason == "tool_calls"


def test_the_wire_is_server_sent_events(endpoint):
    body = {"model": GPT_OSS, "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    with signed(endpoint, body) as response:
        assert response.headers["content-type"] == "text/event-stream"
        lines = response.read().decode().split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    assert all(json.loads(line.removeprefix("data: "))["object"] for line in lines[:-2])


def test_a_stream_that_is_cut_short_isnt_done(endpoint):
    text = "[[sim:truncate after=3]]"
    body = {"model": GPT_OSS, "stream": True, "messages": [{"role": "user", "content": text}]}
    with signed(endpoint, body) as response:
        events = response.read().decode().split("\n\n")
    assert len(events) == 4 and "[DONE]" not in events[2]


def test_a_corrupt_event_isnt_json(client):
    with pytest.raises(json.JSONDecodeError):
        list(ask(client, "[[sim:corrupt after=3]]", stream=True))


def signed(endpoint, body, secret=SECRET_ACCESS_KEY):
    url = f"{endpoint}/openai/v1/chat/completions"
    request = botocore.awsrequest.AWSRequest("POST", url, {"Content-Type": "application/json"}, json.dumps(body))
    credentials = botocore.credentials.Credentials(ACCESS_KEY_ID, secret)
    botocore.auth.SigV4Auth(credentials, "bedrock", "us-east-1").add_auth(request)
    return urllib.request.urlopen(urllib.request.Request(url, request.body, dict(request.headers)))


def test_signatures_are_checked(endpoint):
    with pytest.raises(urllib.error.HTTPError) as error:
        signed(endpoint, {"model": GPT_OSS, "messages": [{"role": "user", "content": "Hi"}]}, secret="wrong")
    assert error.value.code == 403 and "InvalidSignatureException" in error.value.headers["x-amzn-errortype"]


def test_a_service_tier_comes_back(client):
    assert ask(client, "Hi", service_tier="flex").service_tier == "flex"


def test_what_is_refused(client, endpoint):
    with pytest.raises(openai.BadRequestError, match="doesn't support chat completions"):
        ask(client, "Hi", model=CLAUDE)
    with pytest.raises(openai.BadRequestError, match="identifier is invalid"):
        ask(client, "Hi", model="gpt-4o")
    with pytest.raises(openai.BadRequestError, match="logit_bias"):
        ask(client, "Hi", logit_bias={})
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        ask(client, "[[sim:error ThrottlingException message=Slow down.]]")
    with pytest.raises(openai.PermissionDeniedError):
        ask(openai.OpenAI(base_url=f"{endpoint}/openai/v1", api_key="other", max_retries=0), "Hi")


def test_errors_come_in_mid_stream(client):
    with pytest.raises(openai.APIError, match="stream ended with an error"):
        list(ask(client, "[[sim:stream-error modelStreamErrorException after=3]]", stream=True))


def test_a_guardrail_applies(client):
    headers = {"X-Amzn-Bedrock-GuardrailIdentifier": "simguardrail1", "X-Amzn-Bedrock-GuardrailVersion": "1"}
    answer = ask(client, "A BLOCKED-INPUT", extra_headers=headers)
    assert answer.choices[0].message.content == "Sorry, the model cannot answer this question."
    assert answer.model_extra["amazon-bedrock-guardrailAction"] == "INTERVENED"
