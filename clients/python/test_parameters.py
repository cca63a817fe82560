"""What reaches Bedrock of a request. `[[sim:echo]]` answers with the body as the simulator got it."""

import json

import pytest

from support import settings, shapes


def echoed(gateway, messages=None, model=settings.NOVA, **fields):
    """The Converse body that a request becomes."""
    messages = messages or [{"role": "user", "content": "[[sim:echo]]"}]
    reply = gateway.request("POST", "/v1/chat/completions", json={"model": model, "messages": messages} | fields)
    assert reply.status_code == 200, reply.text
    return json.loads(reply.json()["choices"][0]["message"]["content"])


def texts(blocks):
    return [block["text"] for block in blocks if "text" in block]


def turns(body):
    return [(message["role"], "\n".join(texts(message["content"]))) for message in body["messages"]]


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"temperature": 0.25}, {"temperature": 0.25}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"temperature": 1}, {"temperature": 1}),
        ({"top_p": 0.5}, {"topP": 0.5}),
        ({"max_tokens": 77}, {"maxTokens": 77}),
        ({"max_completion_tokens": 78}, {"maxTokens": 78}),
        ({"stop": "END"}, {"stopSequences": ["END"]}),
        ({"stop": ["END", "STOP"]}, {"stopSequences": ["END", "STOP"]}),
        ({"stop_sequences": ["FIN"]}, {"stopSequences": ["FIN"]}),
    ],
    ids=str,
)
def test_inference_parameters(gateway, given, expected):
    config = echoed(gateway, **given).get("inferenceConfig", {})
    for name, value in expected.items():
        assert config.get(name) == value, config


def test_what_is_not_asked_for_is_not_sent(gateway):
    config = echoed(gateway).get("inferenceConfig", {})
    for name in ("temperature", "topP", "stopSequences"):
        assert name not in config, config


def test_null_is_as_good_as_absent(gateway):
    config = echoed(gateway, temperature=None, top_p=None, max_tokens=None, stop=None).get("inferenceConfig", {})
    for name in ("temperature", "topP", "stopSequences"):
        assert name not in config, config


def test_a_temperature_above_converses_range_is_no_fault_of_the_servers(gateway):
    reply = gateway.chat("[[sim:text ok]]", body={"temperature": 1.7})
    if reply.status_code != 200:
        shapes.check_error(reply, 400, param="temperature")


@pytest.mark.parametrize("role", ["system", "developer"])
def test_system_and_developer_messages_become_the_system_prompt(gateway, role):
    body = echoed(gateway, [{"role": role, "content": "Be brief."}, {"role": "user", "content": "[[sim:echo]]"}])
    assert texts(body["system"]) == ["Be brief."]
    assert [role for role, _ in turns(body)] == ["user"]


def test_system_and_developer_messages_may_stand_anywhere(gateway):
    body = echoed(
        gateway,
        [
            {"role": "user", "content": "First question."},
            {"role": "system", "content": "Rule one."},
            {"role": "assistant", "content": "First answer."},
            {"role": "developer", "content": [{"type": "text", "text": "Rule two."}]},
            {"role": "user", "content": "[[sim:echo]]"},
            {"role": "system", "content": "Rule three."},
        ],
    )
    everything = json.dumps(body)
    for text in ("First question.", "Rule one.", "First answer.", "Rule two.", "Rule three."):
        assert text in everything, body
    rules = "\n".join(texts(body.get("system", [])))
    order = [rules.find(rule) for rule in ("Rule one.", "Rule two.", "Rule three.")]
    assert -1 not in order and order == sorted(order), body
    assert [role for role, _ in turns(body)] == ["user", "assistant", "user"]


def test_turns_keep_their_order(gateway):
    body = echoed(
        gateway,
        [
            {"role": "user", "content": "One."},
            {"role": "assistant", "content": "Two."},
            {"role": "user", "content": "Three."},
            {"role": "assistant", "content": "Four."},
            {"role": "user", "content": "[[sim:echo]]"},
        ],
    )
    assert turns(body) == [
        ("user", "One."),
        ("assistant", "Two."),
        ("user", "Three."),
        ("assistant", "Four."),
        ("user", "[[sim:echo]]"),
    ]


def test_turns_of_one_role_in_a_row_are_put_together(gateway):
    """Converse wants the roles to alternate, OpenAI doesn't."""
    body = echoed(
        gateway,
        [
            {"role": "user", "content": "One."},
            {"role": "user", "content": "Two."},
            {"role": "assistant", "content": "Three."},
            {"role": "assistant", "content": "Four."},
            {"role": "user", "content": "Five. [[sim:echo]]"},
        ],
    )
    assert [role for role, _ in turns(body)] == ["user", "assistant", "user"]
    said = [text for message in body["messages"] for text in texts(message["content"])]
    assert "".join(said).replace("\n", "") == "One.Two.Three.Four.Five. [[sim:echo]]"


def test_a_conversation_that_begins_with_the_assistant_is_no_fault_of_the_servers(gateway):
    messages = [{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "[[sim:text ok]]"}]
    reply = gateway.request("POST", "/v1/chat/completions", json={"model": settings.NOVA, "messages": messages})
    if reply.status_code != 200:
        shapes.check_error(reply, 400, param="messages")


def test_user_and_metadata_become_request_metadata(gateway):
    body = echoed(gateway, user="user-42", metadata={"team": "quarry", "ticket": "R-7"})
    metadata = body["requestMetadata"]
    assert metadata.get("team") == "quarry" and metadata.get("ticket") == "R-7", metadata
    assert "user-42" in metadata.values(), metadata


def test_metadata_that_bedrock_would_refuse_is_no_fault_of_the_servers(gateway):
    reply = gateway.chat("[[sim:text ok]]", body={"metadata": {"mood": "😀" * 300}, "user": "übermut"})
    if reply.status_code != 200:
        shapes.check_error(reply, 400)


def test_no_field_of_openais_reaches_bedrock_by_its_own_name(gateway):
    body = echoed(gateway, temperature=0.5, max_tokens=100, stop="X", n=1, stream=False, user="u")
    assert set(body) <= {"messages", "inferenceConfig", "requestMetadata", "system", "additionalModelRequestFields"}, (
        body
    )


def test_the_model_is_in_the_path_and_its_colon_survives_signing(stack, mark):
    reply = stack.gateway.chat(f"{mark} [[sim:text ok]]", model=settings.CLAUDE)
    assert reply.status_code == 200, reply.text
    (request,) = stack.simulator.requests(mark)
    path = request.get("path") or request.get("uri") or request.get("url")
    assert path.replace("%3A", ":").endswith(f"/model/{settings.CLAUDE}/converse"), request


@pytest.mark.parametrize(
    "model",
    [
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl",
        f"arn:aws:bedrock:us-east-1::foundation-model/{settings.NOVA}",
    ],
)
def test_the_slash_of_an_arn_survives_signing(stack, model):
    reply = stack.gateway.chat("[[sim:text ok]]", model=model)
    if reply.status_code != 200:
        error = shapes.check_error(reply, (400, 403, 404))
        assert "signature" not in error["message"].lower(), error


def test_a_model_that_wants_its_inference_profile(gateway):
    reply = gateway.chat("[[sim:text ok]]", model=settings.CLAUDE_WITHOUT_PROFILE)
    if reply.status_code != 200:
        error = shapes.check_error(reply, 404, code="model_not_found")
        assert settings.CLAUDE in error["message"], f"the profile that works should be named: {error}"


def test_a_model_that_does_not_exist(gateway):
    error = shapes.check_error(gateway.chat("hi", model="nobody.nothing-v1:0"), 404, code="model_not_found")
    assert "nobody.nothing-v1:0" in error["message"], error
