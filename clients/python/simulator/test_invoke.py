"""InvokeModel and its stream: what goes for all models, whatever their bodies."""

import json

import pytest
from botocore.exceptions import ClientError, EventStreamError
from botocore.eventstream import ChecksumMismatch
from invoking import chunks, invoke, refused
from urllib3.exceptions import ProtocolError

JAMBA = "ai21.jamba-1-5-mini-v1:0"
GUARDRAIL = {"guardrailIdentifier": "simguardrail1", "guardrailVersion": "1", "contentType": "application/json"}


def ask(text, **more):
    return {"messages": [{"role": "user", "content": text}], **more}


def said(stream):
    deltas = [choice["delta"] for chunk in stream for choice in chunk["choices"]]
    return "".join(delta.get("content", "") for delta in deltas)


def test_headers_tell_the_tokens(runtime):
    answer, headers = invoke(runtime, JAMBA, ask("Why is the sky blue?"))
    assert int(headers["x-amzn-bedrock-input-token-count"]) == answer["usage"]["prompt_tokens"] > 0
    assert int(headers["x-amzn-bedrock-output-token-count"]) == answer["usage"]["completion_tokens"] > 0
    assert int(headers["x-amzn-bedrock-invocation-latency"]) > 0


def test_the_answer_is_converses(runtime):
    converse = runtime.converse(modelId=JAMBA, messages=[{"role": "user", "content": [{"text": "Why is rain wet?"}]}])
    answer, _ = invoke(runtime, JAMBA, ask("Why is rain wet?"))
    stream = chunks(runtime, JAMBA, ask("Why is rain wet?"))
    text = converse["output"]["message"]["content"][0]["text"]
    assert answer["choices"][0]["message"]["content"] == text == said(stream)
    assert answer["usage"]["prompt_tokens"] == converse["usage"]["inputTokens"]


def test_the_last_chunk_alone_has_the_metrics(runtime):
    stream = chunks(runtime, JAMBA, ask("Hi"))
    having = ["amazon-bedrock-invocationMetrics" in chunk for chunk in stream]
    assert having[-1] and not any(having[:-1])
    metrics = stream[-1]["amazon-bedrock-invocationMetrics"]
    assert metrics["inputTokenCount"] > 0 and metrics["outputTokenCount"] > 0
    assert metrics["invocationLatency"] >= metrics["firstByteLatency"] > 0


def test_a_model_without_a_body_of_its_own_is_refused(runtime):
    assert "doesn't support the model" in refused(runtime, "deepseek.v3-v1:0", ask("Hi"))
    assert "identifier is invalid" in refused(runtime, "ai21.nothing-v1:0", ask("Hi"))


def test_what_isnt_json_is_malformed(runtime):
    with pytest.raises(ClientError, match="Malformed input request"):
        runtime.invoke_model(modelId=JAMBA, body=b"hello")


def test_too_long_a_body_is_refused(runtime):
    with pytest.raises(ClientError) as error:
        invoke(runtime, JAMBA, ask("x" * 25_000_001))
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_markers_work(runtime):
    answer, _ = invoke(runtime, JAMBA, ask("[[sim:text Exactly this.]]"))
    assert answer["choices"][0]["message"]["content"] == "Exactly this."
    message = refused(runtime, JAMBA, ask("[[sim:error ThrottlingException message=Slow down.]]"), "ThrottlingException")
    assert message == "Slow down."
    body = ask("[[sim:refuse-field top_p]]", top_p=0.5)
    assert refused(runtime, JAMBA, body) == "top_p: Extra inputs are not permitted"


@pytest.mark.parametrize("name", ["modelTimeoutException", "modelStreamErrorException", "throttlingException"])
def test_exceptions_come_in_mid_stream(runtime, name):
    with pytest.raises(EventStreamError, match=name):
        chunks(runtime, JAMBA, ask(f"[[sim:stream-error {name} after=3]]"))


def test_a_truncated_stream_lacks_its_end(runtime):
    stream = chunks(runtime, JAMBA, ask("[[sim:truncate after=100000]]"))
    assert said(stream)
    assert not any(choice["finish_reason"] for chunk in stream for choice in chunk["choices"])
    assert "amazon-bedrock-invocationMetrics" not in stream[-1]


@pytest.mark.parametrize("fault", ["cut", "corrupt"])
def test_streams_break_on_demand(runtime, fault):
    with pytest.raises((ChecksumMismatch, ProtocolError)):
        chunks(runtime, JAMBA, ask(f"[[sim:{fault} after=3]]"))


def test_a_guardrail_blocks_what_goes_in(runtime):
    body = ask("This is a BLOCKED-INPUT.")
    answer, headers = invoke(runtime, JAMBA, body, trace="ENABLED", **GUARDRAIL)
    assert answer["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert "inputAssessment" in answer["amazon-bedrock-trace"]["guardrail"]
    assert answer["choices"][0]["message"]["content"] == "Sorry, the model cannot answer this question."
    assert headers["x-amzn-bedrock-output-token-count"] == "0"
    stream = chunks(runtime, JAMBA, body, **GUARDRAIL)
    assert said(stream) == "Sorry, the model cannot answer this question."
    assert stream[-1]["amazon-bedrock-guardrailAction"] == "INTERVENED"


def test_a_guardrail_lets_the_rest_pass(runtime):
    answer, _ = invoke(runtime, JAMBA, ask("Hi"), **GUARDRAIL)
    assert answer["amazon-bedrock-guardrailAction"] == "NONE"
    assert "amazon-bedrock-trace" not in answer
    answer, _ = invoke(runtime, JAMBA, ask("Hi"))
    assert "amazon-bedrock-guardrailAction" not in answer


def test_an_asynchronous_guardrail_ends_with_the_word(runtime):
    body = ask("[[sim:text This is BLOCKED-OUTPUT, alas.]]")
    config = {"amazon-bedrock-guardrailConfig": {"streamProcessingMode": "ASYNCHRONOUS"}}
    assert said(chunks(runtime, JAMBA, {**body, **config}, **GUARDRAIL)).startswith("This is BLOCKED-OUTPUT")
    assert said(chunks(runtime, JAMBA, body, **GUARDRAIL)).startswith("Sorry")


def test_guardrails_that_dont_exist_or_arent_whole_are_refused(runtime):
    assert "identifier is invalid" in refused(runtime, JAMBA, ask("Hi"), **{**GUARDRAIL, "guardrailIdentifier": "other"})
    alone = {"guardrailIdentifier": "simguardrail1", "contentType": "application/json"}
    assert "version" in refused(runtime, JAMBA, ask("Hi"), **alone)
    body = {**ask("Hi"), "amazon-bedrock-guardrailConfig": {}}
    assert "guardrail identifier" in refused(runtime, JAMBA, body)


def test_settings_come_back_and_are_checked(runtime, unchecked):
    _, headers = invoke(runtime, JAMBA, ask("Hi"), serviceTier="flex", performanceConfigLatency="standard")
    assert headers["x-amzn-bedrock-service-tier"] == "flex"
    assert headers["x-amzn-bedrock-performanceconfig-latency"] == "standard"
    message = refused(runtime, JAMBA, ask("Hi"), performanceConfigLatency="optimized")
    assert "Latency performance configuration is not supported" in message
    for wrong in ({"serviceTier": "fast"}, {"trace": "on"}, {"performanceConfigLatency": "best"}):
        assert "enum value set" in refused(unchecked, JAMBA, ask("Hi"), **wrong)
    assert "metadata" in refused(runtime, JAMBA, ask("Hi"), requestMetadata='{"a": 1}')
    assert "Accept" in refused(runtime, JAMBA, ask("Hi"), accept="text/html")
    assert "Content-Type" in refused(runtime, JAMBA, ask("Hi"), contentType="text/plain")


def test_what_was_sent_is_kept_for_tests(runtime, state):
    body = ask("Something to find again")
    invoke(runtime, JAMBA, body, requestMetadata=json.dumps({"team": "a"}))
    seen = [request for request in state()["requests"] if request["body"] == body][-1]
    assert seen["operation"] == "InvokeModel"
    assert seen["headers"]["x-amzn-bedrock-request-metadata"] == '{"team": "a"}'
