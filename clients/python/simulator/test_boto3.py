"""boto3 as the judge: what the simulator answers must be what boto3 expects of Bedrock."""

import base64
import json
import time
import urllib.error
import urllib.request
import uuid

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError, ReadTimeoutError

from known_keys import ACCESS_KEY_ID, API_KEY, SECRET_ACCESS_KEY
from talk import (
    CLAUDE,
    CLAUDE_4_6,
    CLAUDE_5,
    CLAUDE_5_5,
    GPT_OSS,
    LLAMA_3,
    MISTRAL_7B,
    NOVA,
    TOOLS,
    assistant,
    events,
    image,
    png,
    refused,
    text_of,
    user,
)


# Answers


def test_a_whole_answer(runtime):
    reply = runtime.converse(modelId=CLAUDE, messages=[user("Why is the sky blue?")], system=[{"text": "Be brief."}])
    assert "Why is the sky blue?" in text_of(reply)
    assert reply["stopReason"] == "end_turn"
    usage = reply["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert reply["metrics"]["latencyMs"] > 0
    assert len(reply["ResponseMetadata"]["RequestId"]) == 36


def test_a_stream_has_bedrocks_events(runtime):
    seen = list(events(runtime, "Why is the sky blue?"))
    names = [next(iter(event)) for event in seen]
    assert names[0] == "messageStart" and seen[0]["messageStart"] == {"role": "assistant"}
    assert names[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    assert set(names[1:-3]) == {"contentBlockDelta"}, "texts have no contentBlockStart"
    assert len(names) > 8
    assert seen[-2]["messageStop"]["stopReason"] == "end_turn"


def test_a_stream_says_what_a_whole_answer_says(runtime):
    for prompt in ["Tell me more", "Höhe über Meer: 🏔 [[sim:chunk 1]][[sim:pace 0ms]]", "Reason [[sim:reasoning about it]]"]:
        whole = runtime.converse(modelId=CLAUDE, messages=[user(prompt)])
        seen = list(events(runtime, prompt))
        deltas = [event["contentBlockDelta"]["delta"] for event in seen if "contentBlockDelta" in event]
        assert "".join(delta.get("text", "") for delta in deltas) == text_of(whole)
        assert seen[-1]["metadata"]["usage"] == whole["usage"]


def test_answers_are_deterministic(runtime):
    first, second = (text_of(runtime.converse(modelId=CLAUDE, messages=[user("Again?")])) for _ in range(2))
    assert first == second


def test_max_tokens_cut_the_answer(runtime):
    reply = runtime.converse(modelId=CLAUDE, messages=[user("Hello")], inferenceConfig={"maxTokens": 5})
    assert reply["stopReason"] == "max_tokens"
    assert reply["usage"]["outputTokens"] == 5


def test_stop_sequences_end_the_answer(runtime):
    reply = runtime.converse(
        modelId=CLAUDE,
        messages=[user("[[sim:text one two three four]]")],
        inferenceConfig={"stopSequences": ["four", "three"]},
        additionalModelResponseFieldPaths=["/stop_sequence"],
    )
    assert text_of(reply) == "one two "
    assert reply["stopReason"] == "stop_sequence"
    assert reply["additionalModelResponseFields"] == {"stop_sequence": "three"}


def test_tokens_are_counted_as_they_are_used(runtime):
    messages = [user("How many tokens is this?")]
    counted = runtime.count_tokens(modelId=CLAUDE.removeprefix("us."), input={"converse": {"messages": messages}})
    used = runtime.converse(modelId=CLAUDE, messages=messages)["usage"]
    assert counted["inputTokens"] == used["inputTokens"]


def test_settings_come_back(runtime):
    reply = runtime.converse(modelId=NOVA, messages=[user("Hi")], serviceTier={"type": "flex"})
    assert reply["serviceTier"] == {"type": "flex"}


def test_structured_output_fits_its_schema(runtime):
    schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}'
    text_format = {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema}}}
    reply = runtime.converse(modelId=CLAUDE, messages=[user("Hi")], outputConfig={"textFormat": text_format})
    assert text_of(reply) == '{"n":1}'


# Tools


def test_a_round_with_tools(runtime):
    ask = user('What about Paris? [[sim:tool get_weather {"city": "Paris"}]][[sim:tool get_weather {"city": "Rome"}]]')
    reply = runtime.converse(modelId=CLAUDE, messages=[ask], toolConfig=TOOLS)
    assert reply["stopReason"] == "tool_use"
    calls = [block["toolUse"] for block in reply["output"]["message"]["content"]]
    assert [call["input"]["city"] for call in calls] == ["Paris", "Rome"]
    results = [{"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "21 °C"}]}} for call in calls]
    turns = [ask, reply["output"]["message"], user(*results)]
    answer = runtime.converse(modelId=CLAUDE, messages=turns, toolConfig=TOOLS)
    assert answer["stopReason"] == "end_turn" and "21 °C" in text_of(answer)


def test_streamed_arguments_come_in_fragments(runtime):
    seen = list(events(runtime, '[[sim:tool get_weather {"city": "Paris, France"}]]', toolConfig=TOOLS))
    start = next(event["contentBlockStart"] for event in seen if "contentBlockStart" in event)
    assert start["start"]["toolUse"]["name"] == "get_weather"
    fragments = [
        event["contentBlockDelta"]["delta"]["toolUse"]["input"] for event in seen if "contentBlockDelta" in event
    ]
    assert len(fragments) > 1 and "".join(fragments) == '{"city":"Paris, France"}'


def test_a_call_without_arguments_streams_none(runtime):
    seen = list(events(runtime, "[[sim:tool now]]", toolConfig=TOOLS))
    assert [next(iter(event)) for event in seen[1:3]] == ["contentBlockStart", "contentBlockStop"]


def test_a_forced_tool_is_called(runtime):
    config = {**TOOLS, "toolChoice": {"tool": {"name": "get_weather"}}}
    reply = runtime.converse(modelId=CLAUDE, messages=[user("Hi")], toolConfig=config)
    assert reply["output"]["message"]["content"][0]["toolUse"]["input"] == {"city": "example"}
    assert reply["stopReason"] == "tool_use"


def test_reasoning_is_signed(runtime):
    reply = runtime.converse(modelId=CLAUDE, messages=[user("[[sim:reasoning hm]][[sim:text Yes.]]")])
    reasoning, text = reply["output"]["message"]["content"]
    assert reasoning["reasoningContent"]["reasoningText"]["text"] == "hm"
    assert reasoning["reasoningContent"]["reasoningText"]["signature"]
    assert text == {"text": "Yes."}
    deltas = [
        event["contentBlockDelta"]
        for event in events(runtime, "[[sim:reasoning hm]][[sim:text Yes.]]")
        if "contentBlockDelta" in event
    ]
    assert [delta["contentBlockIndex"] for delta in deltas] == [0, 0, 1]
    assert "signature" in deltas[1]["delta"]["reasoningContent"]


def test_reasoning_goes_round_as_it_was(runtime):
    reply = runtime.converse(modelId=CLAUDE, messages=[user("[[sim:reasoning hm]]")])
    turn = reply["output"]["message"]
    assert runtime.converse(modelId=CLAUDE, messages=[user("a"), turn, user("b")])
    turn["content"][0]["reasoningContent"]["reasoningText"]["text"] += "?"
    message = refused(lambda: runtime.converse(modelId=CLAUDE, messages=[user("a"), turn, user("b")]))
    assert "Invalid `signature` in `thinking` block" in message


def test_a_cache_can_be_pretended(runtime):
    usage = list(events(runtime, "[[sim:cache read=1000 write=20]]"))[-1]["metadata"]["usage"]
    assert (usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]) == (1000, 20)
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] + 1020


# Models and profiles


@pytest.mark.parametrize(
    "model",
    [
        NOVA,
        CLAUDE,
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{CLAUDE}",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/simulator001",
    ],
)
def test_ids_and_arns_are_found(runtime, model):
    assert runtime.converse(modelId=model, messages=[user("Hi")])["stopReason"] == "end_turn"
    assert list(events(runtime, "Hi", model=model))


@pytest.mark.parametrize("model", ["gpt-4", "eu.amazon.nova-lite-v1:0", "anthropic.claude-99"])
def test_unknown_models_are_invalid(runtime, model):
    message = refused(lambda: runtime.converse(modelId=model, messages=[user("Hi")]))
    assert message == "The provided model identifier is invalid."


def test_a_bare_id_may_need_a_profile(runtime):
    message = refused(lambda: runtime.converse(modelId=CLAUDE.removeprefix("us."), messages=[user("Hi")]))
    assert "with on-demand throughput isn’t supported" in message


def test_models_are_listed_and_filtered(connect):
    bedrock = connect("bedrock")
    models = bedrock.list_foundation_models()["modelSummaries"]
    by_id = {model["modelId"]: model for model in models}
    assert len(models) >= 60
    assert by_id[NOVA]["inputModalities"] == ["TEXT", "IMAGE"]
    assert by_id[NOVA]["modelLifecycle"]["startOfLifeTime"].year == 2024
    anthropic = bedrock.list_foundation_models(byProvider="Anthropic")["modelSummaries"]
    assert {model["providerName"] for model in anthropic} == {"Anthropic"}
    embedding = bedrock.list_foundation_models(byOutputModality="EMBEDDING")["modelSummaries"]
    assert all(model["outputModalities"] == ["EMBEDDING"] for model in embedding)
    details = bedrock.get_foundation_model(modelIdentifier=NOVA)["modelDetails"]
    assert details["modelArn"].endswith(f"foundation-model/{NOVA}")
    refused(lambda: bedrock.get_foundation_model(modelIdentifier="a.b-v1:0"), "ResourceNotFoundException")


def test_profiles_are_listed_page_by_page(connect):
    bedrock = connect("bedrock")
    pages = list(bedrock.get_paginator("list_inference_profiles").paginate(PaginationConfig={"PageSize": 10}))
    profiles = [profile for page in pages for profile in page["inferenceProfileSummaries"]]
    ids = [profile["inferenceProfileId"] for profile in profiles]
    assert len(pages) > 3 and len(set(ids)) == len(ids) and CLAUDE in ids
    assert all(profile["status"] == "ACTIVE" for profile in profiles)
    application = bedrock.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"]
    assert [profile["type"] for profile in application] == ["APPLICATION"]
    arn = application[0]["inferenceProfileArn"]
    assert bedrock.get_inference_profile(inferenceProfileIdentifier=arn)["models"]


def test_the_models_of_profiles_are_listed(connect):
    bedrock = connect("bedrock")
    models = {model["modelId"] for model in bedrock.list_foundation_models()["modelSummaries"]}
    for profile in bedrock.list_inference_profiles()["inferenceProfileSummaries"]:
        assert {model["modelArn"].rsplit("/", 1)[1] for model in profile["models"]} <= models


# Access


def test_a_wrong_secret_is_refused(connect):
    client = connect(aws_secret_access_key="wrong")
    refused(lambda: client.converse(modelId=NOVA, messages=[user("Hi")]), "InvalidSignatureException")
    refused(lambda: client.converse_stream(modelId=NOVA, messages=[user("Hi")]), "InvalidSignatureException")
    bedrock = connect("bedrock", aws_secret_access_key="wrong")
    refused(bedrock.list_foundation_models, "InvalidSignatureException")


def test_an_unknown_key_is_refused(connect):
    client = connect(aws_access_key_id="AKIDUNKNOWN")
    with pytest.raises(ClientError) as raised:
        client.converse(modelId=NOVA, messages=[user("Hi")])
    assert raised.value.response["Error"]["Code"] == "UnrecognizedClientException"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_another_region_is_refused(connect):
    client = connect(region_name="eu-west-1")
    message = refused(lambda: client.converse(modelId=NOVA, messages=[user("Hi")]), "InvalidSignatureException")
    assert "scoped to a valid region" in message


def test_session_tokens(connect):
    keys = {"aws_access_key_id": "ASIASIMULATORSESSION", "aws_secret_access_key": SECRET_ACCESS_KEY}
    right = connect(**keys, aws_session_token="simulator-session-token")
    assert right.converse(modelId=NOVA, messages=[user("Hi")])
    for token in [None, "other"]:
        wrong = connect(**keys, aws_session_token=token)
        refused(lambda: wrong.converse(modelId=NOVA, messages=[user("Hi")]), "UnrecognizedClientException")


def test_an_expired_token_is_refused(connect):
    client = connect(aws_access_key_id="ASIASIMULATOREXPIRED", aws_session_token="simulator-expired-token")
    refused(lambda: client.converse(modelId=NOVA, messages=[user("Hi")]), "ExpiredTokenException")


def test_bedrock_api_keys(connect, endpoint, monkeypatch, state):
    def with_key(service, key):
        # boto3 sends API keys over TLS only; the last step before the wire leads it to our plain socket.
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", key)
        secure = endpoint.replace("http://", "https://")
        client = connect(service, endpoint_url=secure, aws_access_key_id=None, aws_secret_access_key=None)
        client.meta.events.register("before-send", lambda request, **_: plain(request))
        return client

    def plain(request):
        request.url = request.url.replace("https://", "http://")

    marker = uuid.uuid4().hex
    assert with_key("bedrock-runtime", API_KEY).converse(modelId=NOVA, messages=[user(marker)])
    sent = next(request for request in state()["requests"] if marker in str(request["body"]))
    assert sent["headers"]["authorization"] == "Bearer [redacted]"
    assert with_key("bedrock", API_KEY).list_foundation_models()
    client = with_key("bedrock-runtime", "wrong")
    refused(lambda: client.converse(modelId=NOVA, messages=[user("Hi")]), "AccessDeniedException")


def test_no_credentials_at_all(endpoint):
    request = urllib.request.Request(f"{endpoint}/foundation-models")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    assert raised.value.code == 403
    assert raised.value.headers["x-amzn-errortype"].startswith("MissingAuthenticationTokenException")


# Refusals of shapes


def body(**more):
    return {"modelId": CLAUDE, "messages": [user("Hi")], **more}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (body(inferenceConfig={"temperature": 1.5}), "Member must have value less than or equal to 1"),
        (body(inferenceConfig={"maxTokens": 0}), "Value '0' at 'inferenceConfig.maxTokens' failed to satisfy"),
        (body(messages=[{"role": "tool", "content": [{"text": "Hi"}]}]), "Member must satisfy enum value set"),
        (body(messages=[{"role": "user"}]), "Value null at 'messages.1.member.content' failed to satisfy"),
        (body(messages=[user({"text": "a", "cachePoint": {"type": "default"}})]), "must set only one of the following"),
        (body(toolConfig={"tools": []}), "Member must have length greater than or equal to 1"),
        (body(toolConfig={"tools": [{"toolSpec": {"name": "a b", "inputSchema": {"json": {}}}}]}), "[a-zA-Z0-9_-]+"),
        (body(requestMetadata={"a": "ö"}), "regular expression pattern"),
        (body(requestMetadata={str(n): "x" for n in range(17)}), "length less than or equal to 16"),
        (body(messages=[user({"image": {"format": "bmp", "source": {"bytes": png()}}})]), "[png, jpeg, gif, webp]"),
    ],
)
def test_limits_of_the_service_model(unchecked, request_, expected):
    message = refused(lambda: unchecked.converse(**request_))
    assert "validation error" in message or "must set" in message
    assert expected in message
    assert refused(lambda: unchecked.converse_stream(**request_)) == message


# Refusals of conversations


def use(id_="call_1", name="get_weather", **input_):
    return {"toolUse": {"toolUseId": id_, "name": name, "input": input_}}


def result(id_="call_1"):
    return {"toolResult": {"toolUseId": id_, "content": [{"text": "21 °C"}]}}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], "A conversation must start with a user message."),
        ([assistant("Hi")], "A conversation must start with a user message."),
        ([user("a"), user("b")], "A conversation must alternate between user and assistant roles."),
        ([user("  ")], "The text field in the ContentBlock object at messages.0.content.0 is blank."),
        ([user("a", "")], "The text field in the ContentBlock object at messages.0.content.1 is blank."),
        ([{"role": "user", "content": []}], "The content field in the Message object at messages.0 is empty."),
        ([user("a"), assistant(use()), user("b")], "Expected toolResult blocks at messages.2.content for the following Ids: call_1"),
        ([user("a"), assistant(use()), user(result(), result("call_2"))], "exceeds the number of toolUse blocks of previous turn"),
        ([user("a"), assistant(use()), user(result("call_2"))], "Expected toolResult blocks at messages.2.content"),
        ([user(result())], "The number of toolResult blocks at messages.0.content exceeds"),
        ([user("a"), assistant(use(), use()), user(result())], "contain duplicate Ids"),
        ([user("a"), assistant({"toolUse": {"toolUseId": "x", "name": "f", "input": "{}"}})], "Provide a json object"),
        ([user("a"), assistant(image())], "only allowed in user messages"),
    ],
)
def test_conversations_must_be_right(unchecked, messages, expected):
    call = {"modelId": CLAUDE, "messages": messages, "toolConfig": TOOLS}
    assert expected in refused(lambda: unchecked.converse(**call))
    assert expected in refused(lambda: unchecked.converse_stream(**call))


def test_tool_blocks_need_a_tool_config(runtime):
    messages = [user("a"), assistant(use()), user(result())]
    message = refused(lambda: runtime.converse(modelId=CLAUDE, messages=messages))
    assert message == "The toolConfig field must be defined when using toolUse and toolResult content blocks."


def test_schemas_of_tools_are_objects(runtime):
    tools = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "string"}}}}]}
    message = refused(lambda: runtime.converse(modelId=CLAUDE, messages=[user("a")], toolConfig=tools))
    assert "toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object" in message


# Refusals of media


def test_images_are_read(runtime):
    assert runtime.converse(modelId=CLAUDE, messages=[user("What is this?", image())])["stopReason"] == "end_turn"
    assert runtime.converse(modelId=NOVA, messages=[user("What is this?", image())])["stopReason"] == "end_turn"


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([image(form="jpeg")], "specified using the image/jpeg media type, but the image appears to be a image/png"),
        ([image(b"not an image")], "Could not process image"),
        ([image()] * 21, "The number of images exceeds the limit of 20."),
        ([image(png() + bytes(3_932_160))], "image exceeds 5 MB maximum: "),
        ([{"document": {"format": "txt", "name": "a", "source": {"bytes": b"x"}}}], "holds a document without text"),
        (["a"] + [{"document": {"format": "txt", "name": "a", "source": {"bytes": b"x"}}}] * 6, "limit of 5"),
        (["a", {"document": {"format": "txt", "name": "a_b", "source": {"bytes": b"x"}}}], "can only contain"),
    ],
)
def test_media_must_be_right(runtime, blocks, expected):
    assert expected in refused(lambda: runtime.converse(modelId=CLAUDE, messages=[user(*blocks)]))


def test_bodies_have_a_limit(runtime):
    document = {"document": {"format": "txt", "name": "a", "source": {"bytes": bytes(20_000_000)}}}
    call = {"modelId": CLAUDE, "messages": [user("a", document)]}
    refused(lambda: runtime.converse(**call), "RequestEntityTooLargeException")


# Refusals of models


BOTH = {"temperature": 0.5, "topP": 0.5}
THINK = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
CACHE = [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]
SCHEMA = {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type":"object"}'}}}
FORCED = {**TOOLS, "toolChoice": {"any": {}}}


@pytest.mark.parametrize(
    ("model", "more", "expected"),
    [
        (CLAUDE, {"inferenceConfig": BOTH}, "`temperature` and `top_p` cannot both be specified for this model."),
        (CLAUDE_5, {"inferenceConfig": {"temperature": 1}}, "`temperature` is deprecated for this model."),
        (CLAUDE_5, {"additionalModelRequestFields": {"top_k": 5}}, "`top_k` is deprecated for this model."),
        (CLAUDE_5, {"additionalModelRequestFields": THINK}, '"thinking.type.enabled" is not supported'),
        (CLAUDE_5_5, {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}, "not supported"),
        (CLAUDE_5_5, {"toolConfig": FORCED}, 'tool_choice: type "tool" and "any" are not supported'),
        (CLAUDE, {"inferenceConfig": {"maxTokens": 64001}}, "exceeds the model limit of 64000"),
        (CLAUDE, {"inferenceConfig": {"maxTokens": 2048}, "additionalModelRequestFields": THINK}, "must be greater than"),
        (CLAUDE, {"inferenceConfig": {"temperature": 0.5}, "additionalModelRequestFields": THINK}, "only be set to 1"),
        (CLAUDE, {"additionalModelRequestFields": {"nonsense": 1}}, "nonsense: Extra inputs are not permitted"),
        (CLAUDE, {"outputConfig": {"textFormat": SCHEMA}}, "additionalProperties"),
        (LLAMA_3, {"toolConfig": TOOLS}, "This model doesn't support tool use."),
        (LLAMA_3, {"inferenceConfig": {"stopSequences": ["x"]}}, "doesn't support the stopSequences field"),
        (NOVA, {"inferenceConfig": {"stopSequences": list("abcde")}}, "exceeds the model limit of 4"),
        (NOVA, {"outputConfig": {"textFormat": SCHEMA}}, "doesn't support the outputConfig.textFormat field"),
        (MISTRAL_7B, {"system": [{"text": "Be brief."}]}, "This model doesn't support system messages."),
        (LLAMA_3, {"messages": [user("a", image())]}, "doesn't support the image content block"),
        (LLAMA_3, {"messages": [user("a " * 20_000)]}, "Input is too long for requested model."),
        (CLAUDE_4_6, {"messages": [user("a"), assistant("b")]}, "does not support assistant message prefill"),
        (NOVA, {"messages": [user("a"), assistant("b")]}, "A conversation must end with a user message."),
        (CLAUDE, {"messages": [{"role": "system", "content": [{"text": "a"}]}, user("a")]}, "system role"),
        ("amazon.titan-embed-text-v2:0", {}, "Try again with a supported text or chat model."),
    ],
)
def test_models_refuse_what_they_cannot(runtime, model, more, expected):
    assert expected in refused(lambda: runtime.converse(**{"modelId": model, "messages": [user("a")], **more}))


def test_cache_points_need_a_model_that_caches(runtime):
    assert runtime.converse(modelId=CLAUDE, messages=[user("a")], system=CACHE)
    refused(lambda: runtime.converse(modelId=GPT_OSS, messages=[user("a")], system=CACHE), "AccessDeniedException")


def test_older_claudes_continue_what_was_begun(runtime):
    assert runtime.converse(modelId=CLAUDE, messages=[user("a"), assistant("b")])
    message = refused(lambda: runtime.converse(modelId=CLAUDE, messages=[user("a"), assistant("b ")]))
    assert "cannot end with trailing whitespace" in message


def test_not_every_model_counts_tokens(runtime):
    for model in [NOVA, CLAUDE]:
        message = refused(lambda: runtime.count_tokens(modelId=model, input={"converse": {"messages": [user("a")]}}))
        assert message == "The provided model doesn't support counting tokens."


# Scripted errors


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("AccessDeniedException", 403),
        ("InternalServerException", 500),
        ("ModelErrorException", 424),
        ("ModelNotReadyException", 429),
        ("ModelTimeoutException", 408),
        ("ResourceNotFoundException", 404),
        ("ServiceUnavailableException", 503),
        ("ThrottlingException", 429),
        ("ValidationException", 400),
    ],
)
def test_exceptions_have_their_classes(runtime, name, status):
    for call in [runtime.converse, runtime.converse_stream]:
        with pytest.raises(getattr(runtime.exceptions, name)) as raised:
            call(modelId=NOVA, messages=[user(f"[[sim:error {name}]]")])
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_an_error_can_pass_by_itself(connect):
    client = connect(retries=3)
    reply = client.converse(modelId=NOVA, messages=[user(f"{uuid.uuid4()} [[sim:error ThrottlingException times=2]]")])
    assert reply["ResponseMetadata"]["RetryAttempts"] == 2


def test_an_error_can_have_its_own_message(runtime):
    message = refused(
        lambda: runtime.converse(modelId=NOVA, messages=[user("[[sim:error ValidationException message=Not = now]]")])
    )
    assert message == "Not = now"


def test_a_marker_that_isnt_one_is_told(runtime):
    message = refused(lambda: runtime.converse(modelId=NOVA, messages=[user("[[sim:fly]]")]))
    assert message == "the simulator doesn't understand `fly`: there is no such action"


# Faults in mid-stream


@pytest.mark.parametrize("name", ["modelStreamErrorException", "throttlingException", "internalServerException"])
def test_exceptions_in_mid_stream(runtime, name):
    seen = []
    with pytest.raises(EventStreamError) as raised:
        for event in events(runtime, f"[[sim:stream-error {name} after=3]]"):
            seen.append(event)
    assert len(seen) == 3
    assert raised.value.response["Error"]["Code"] == name
    assert raised.value.response["Error"]["Message"]


def test_a_cut_connection(runtime):
    with pytest.raises(Exception) as raised:
        list(events(runtime, "[[sim:cut after=3]]"))
    assert "Connection" in repr(raised.value) or "Incomplete" in repr(raised.value)


def test_a_truncated_stream_ends_in_order(runtime):
    seen = list(events(runtime, "[[sim:truncate after=3]]"))
    assert len(seen) == 3 and not any("messageStop" in event for event in seen)


def test_a_corrupt_frame_is_noticed(runtime):
    seen = []
    with pytest.raises(Exception, match="[Cc]hecksum"):
        for event in events(runtime, "[[sim:corrupt after=3]]"):
            seen.append(event)
    assert len(seen) == 3


def test_silence(connect):
    client = connect(config=Config(read_timeout=0.3, retries={"total_max_attempts": 1}))
    with pytest.raises(Exception, match="timed out"):
        list(events(client, "[[sim:hang after=3]]"))
    with pytest.raises(ReadTimeoutError):
        client.converse(modelId=NOVA, messages=[user("[[sim:delay 10s]]")])


def test_pages_that_arent_bedrocks(runtime):
    with pytest.raises(ClientError) as raised:
        runtime.converse(modelId=NOVA, messages=[user("[[sim:html status=503]]")])
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    reply = runtime.converse(modelId=NOVA, messages=[user("[[sim:html status=200]]")])
    assert "output" not in reply and reply["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "text/html"


def test_a_cut_whole_answer(runtime):
    with pytest.raises((ConnectionClosedError, Exception)) as raised:
        runtime.converse(modelId=NOVA, messages=[user("[[sim:cut]]")])
    assert not isinstance(raised.value, ClientError)


# What tests may look at


def test_the_request_can_be_echoed(runtime):
    reply = runtime.converse(modelId=NOVA, messages=[user("[[sim:echo]] ö")], inferenceConfig={"maxTokens": 1})
    sent = json.loads(text_of(reply))
    assert sent["messages"] == [{"role": "user", "content": [{"text": "[[sim:echo]] ö"}]}]
    assert sent["inferenceConfig"] == {"maxTokens": 1}


def test_images_arrive_as_they_were_sent(runtime):
    reply = runtime.converse(modelId=NOVA, messages=[user("[[sim:echo]]", image())])
    sent = json.loads(text_of(reply))["messages"][0]["content"][1]
    assert base64.b64decode(sent["image"]["source"]["bytes"]) == png()


def test_requests_are_recorded_without_secrets(runtime, state):
    marker = uuid.uuid4().hex
    runtime.converse(modelId=CLAUDE, messages=[user(marker)])
    sent = state()["requests"][-1]
    assert sent["operation"] == "Converse" and sent["method"] == "POST"
    assert sent["path"] == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    assert sent["body"]["messages"][0]["content"][0]["text"] == marker
    assert f"Credential={ACCESS_KEY_ID}/" in sent["headers"]["authorization"]
    assert sent["headers"]["authorization"].endswith("Signature=[redacted]")


def test_a_client_that_goes_away_is_noticed(runtime, state):
    before = state()["calls"]
    stream = events(runtime, "[[sim:tokens 5000]][[sim:pace 20ms]]")
    next(iter(stream))
    assert state()["calls"]["active"] == before["active"] + 1
    stream.close()
    deadline = time.monotonic() + 10
    while state()["calls"]["active"] > before["active"] and time.monotonic() < deadline:
        time.sleep(0.01)
    after = state()["calls"]
    assert after["active"] == before["active"]
    assert after["aborted"] == before["aborted"] + 1
