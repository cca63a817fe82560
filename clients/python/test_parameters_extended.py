"""Parameters that models can't all take, those that are not OpenAI's, and what a client is told about them."""

import json

import pytest

from support import models, settings, shapes
from support.exchange import ask

ON_UNSUPPORTED = "OUTCROP_ON_UNSUPPORTED"

# What no model on Bedrock can do, but an answer without it is still an answer.
DROPPED = {
    "seed": 7,
    "frequency_penalty": 0.5,
    "presence_penalty": -0.5,
    "logit_bias": {"50256": -100},
    "prediction": {"type": "content", "content": "ok"},
    "verbosity": "low",
}
# What says nothing.
NEUTRAL = {
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {},
    "logprobs": False,
    "n": 1,
    "store": False,
    "parallel_tool_calls": True,
    "service_tier": "auto",
    "modalities": ["text"],
    "safety_identifier": "someone",
    "prompt_cache_key": "a-key",
}
REFUSED = {
    "logprobs": True,
    "top_logprobs": 3,
    "audio": {"voice": "alloy", "format": "mp3"},
    "modalities": ["text", "audio"],
    "web_search_options": {},
}


def name(value):
    return value if isinstance(value, str) else ""


class TestOpenais:
    @pytest.mark.parametrize("parameter", DROPPED)
    def test_dropped_visibly(self, stack, parameter):
        asked = ask(stack, **{parameter: DROPPED[parameter]})
        assert parameter not in json.dumps(asked.call)
        assert asked.notes[parameter], asked.notes

    @pytest.mark.parametrize("parameter", DROPPED)
    def test_refused_where_adapting_is_not_wanted(self, stack, parameter):
        asked = ask(stack, on_unsupported="reject", **{parameter: DROPPED[parameter]})
        shapes.check_error(asked.reply, 400, code="unsupported_parameter", param=parameter)
        assert not asked.calls

    @pytest.mark.parametrize("mode", ["adapt", "reject"])
    @pytest.mark.parametrize("parameter", NEUTRAL)
    def test_what_says_nothing_is_nothing(self, stack, parameter, mode):
        asked = ask(stack, on_unsupported=mode, **{parameter: NEUTRAL[parameter]})
        assert asked.status == 200, asked.reply.text
        assert not asked.notes and parameter not in asked.extra

    @pytest.mark.parametrize("mode", ["adapt", "reject"])
    @pytest.mark.parametrize("parameter", REFUSED)
    def test_what_would_be_missed_is_refused_always(self, stack, parameter, mode):
        asked = ask(stack, on_unsupported=mode, **{parameter: REFUSED[parameter]})
        shapes.check_error(asked.reply, 400, param=parameter)
        assert not asked.calls


SAMPLING = [
    (models.CLAUDE_4_5, {"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2}, {"top_p"}),
    (models.HAIKU_4_5, {"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2}, {"top_p"}),
    (models.CLAUDE_4_6, {"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2}, {"top_p"}),
    (models.CLAUDE_4_5, {"top_p": 0.5}, {"topP": 0.5}, set()),
    (models.CLAUDE_4, {"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2, "topP": 0.5}, set()),
    (models.OPUS_4_7, {"temperature": 1, "top_p": 1}, {}, {"temperature", "top_p"}),
    (models.CLAUDE_5, {"temperature": 0.2}, {}, {"temperature"}),
    (models.OPUS_5_5, {"top_p": 0.5}, {}, {"top_p"}),
    (models.NOVA, {"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2, "topP": 0.5}, set()),
    (models.NOVA, {"temperature": 1.5}, {"temperature": 1}, {"temperature"}),
]


class TestSampling:
    @pytest.mark.parametrize(
        "model, given, sent, noted", SAMPLING, ids=lambda v: models.short(v) if isinstance(v, str) else ""
    )
    def test_each_family(self, stack, model, given, sent, noted):
        asked = ask(stack, model=model, **given)
        assert asked.inference == sent
        assert set(asked.notes) == noted

    @pytest.mark.parametrize(
        "model, given, sent, noted", SAMPLING, ids=lambda v: models.short(v) if isinstance(v, str) else ""
    )
    def test_each_family_without_adapting(self, stack, model, given, sent, noted):
        asked = ask(stack, model=model, on_unsupported="reject", **given)
        if noted:
            error = shapes.check_error(asked.reply, 400, code="unsupported_parameter")
            assert error["param"] in noted and not asked.calls
        else:
            assert asked.inference == sent

    def test_the_reason_is_told(self, stack):
        asked = ask(stack, temperature=0.2, top_p=0.5)
        assert asked.notes == {"top_p": ["dropped(temperature-set)"]}

    @pytest.mark.parametrize(
        "model, place",
        [
            (models.CLAUDE_4, ["top_k"]),
            (models.CLAUDE_3, ["top_k"]),
            (models.NOVA, ["inferenceConfig", "topK"]),
            (models.MISTRAL_7B, ["top_k"]),
            (models.COMMAND_R, ["k"]),
            (models.QWEN, ["top_k"]),
        ],
        ids=name,
    )
    def test_top_k_where_the_family_wants_it(self, stack, model, place):
        fields = ask(stack, model=model, top_k=40).extra
        for step in place:
            fields = fields[step]
        assert fields == 40

    @pytest.mark.parametrize("model", [models.OPUS_4_7, models.DEEPSEEK_R1], ids=models.short)
    def test_top_k_where_it_is_refused(self, stack, model):
        asked = ask(stack, model=model, top_k=40)
        assert "top_k" not in asked.extra and asked.noted("top_k")


class TestBedrocksOwn:
    @pytest.mark.parametrize(
        "given",
        [
            {"performanceConfig": {"latency": "optimized"}},
            {"serviceTier": {"type": "flex"}},
            {"requestMetadata": {"team": "quarry"}},
            {"additionalModelResponseFieldPaths": ["/stop_sequence"]},
            {"promptVariables": {"who": {"text": "you"}}},
            {"guardrailConfig": {"guardrailIdentifier": "abcdefgh", "guardrailVersion": "1"}},
        ],
        ids=lambda given: next(iter(given)),
    )
    def test_by_name(self, stack, given):
        (member,) = given
        asked = ask(stack, model=models.NOVA, **given)
        sent = asked.calls[0] if asked.calls else asked.call
        got = sent[member]
        assert got == given[member] or (member == "guardrailConfig" and given[member].items() <= got.items())
        assert member not in (sent.get("additionalModelRequestFields") or {})

    def test_additional_fields_by_name(self, stack):
        asked = ask(stack, model=models.CLAUDE_4, additionalModelRequestFields={"top_k": 3})
        assert asked.extra == {"top_k": 3}

    def test_metadata_of_both_kinds(self, stack):
        asked = ask(stack, metadata={"a": "1"}, requestMetadata={"b": "2"}, user="me")
        assert asked.call["requestMetadata"] == {"a": "1", "b": "2", "user": "me"}

    @pytest.mark.parametrize("tier", ["flex", "priority", "default"])
    def test_openais_service_tier(self, stack, tier):
        asked = ask(stack, model=models.NOVA, service_tier=tier)
        assert asked.call["serviceTier"] == {"type": tier}
        assert asked.answer.document["service_tier"] == tier

    def test_its_answer_is_streamed_too(self, stack):
        asked = ask(stack, model=models.NOVA, service_tier="flex", stream=True)
        assert asked.answer.document["service_tier"] == "flex"

    @pytest.mark.parametrize("tier", ["scale", "fast"])
    def test_tiers_that_bedrock_does_not_have(self, stack, tier):
        asked = ask(stack, model=models.NOVA, service_tier=tier)
        assert asked.noted("service_tier") and asked.status == 200

    def test_a_tier_that_nobody_has(self, stack):
        shapes.check_error(ask(stack, service_tier="imperial").reply, 400, param="service_tier")

    def test_anything_else_goes_to_the_model(self, stack):
        asked = ask(stack, model=models.QWEN, quarry={"deep": [1, 2.5, None, "x"]}, enable_thinking=False)
        assert asked.extra == {"quarry": {"deep": [1, 2.5, None, "x"]}, "enable_thinking": False}

    def test_extra_body_written_by_hand(self, stack):
        asked = ask(stack, model=models.CLAUDE_4, extra_body={"top_k": 9, "temperature": 0.25})
        assert asked.extra == {"top_k": 9} and asked.inference == {"temperature": 0.25}

    @pytest.mark.parametrize(
        "given",
        [
            {"serviceTier": "flex"},
            {"performanceConfig": {"latency": "warp"}},
            {"requestMetadata": [1]},
            {"guardrailConfig": 1},
        ],
        ids=lambda given: next(iter(given)),
    )
    def test_bad_ones_are_named(self, stack, given):
        shapes.check_error(ask(stack, model=models.NOVA, **given).reply, 400, param=next(iter(given)))


OURS = {
    "aws_access_key_id": "AKIDSOMEONEELSES0000",
    "aws_secret_access_key": "not-ours",
    "aws_session_token": "not-ours",
    "aws_region_name": "eu-west-9",
    "aws_role_name": "arn:aws:iam::123456789012:role/other",
    "aws_session_name": "other",
    "aws_profile_name": "other",
    "aws_web_identity_token": "other",
    "aws_bedrock_runtime_endpoint": "http://127.0.0.1:9/",
    "aws_bedrock_client": "other",
    "api_key": "sk-other",
    "api_base": "http://127.0.0.1:9/",
    "base_url": "http://127.0.0.1:9/",
    "modelId": "amazon.nova-pro-v1:0",
    "on_unsupported": "adapt",
    "prompt_caching": "off",
}


@pytest.mark.parametrize("member", OURS)
def test_routing_credentials_and_identity_never_pass(stack, member):
    """Whether it is ignored, noted or refused: it reaches neither the model nor the way to it."""
    asked = ask(stack, model=models.NOVA, **{member: OURS[member]})
    assert asked.status in (200, 400), asked.reply.text
    for request in asked.requests:
        sent = json.dumps(request)
        assert member not in sent and (len(OURS[member]) < 8 or OURS[member] not in sent), request


def test_nor_inside_extra_body(stack):
    asked = ask(stack, model=models.NOVA, extra_body={"aws_secret_access_key": "not-ours", "api_base": "http://x/"})
    assert "not-ours" not in json.dumps(asked.requests) and "http://x/" not in json.dumps(asked.requests)


def test_bedrock_model_chooses_the_model(stack):
    """Of the API that this one takes the place of."""
    asked = ask(stack, model="gpt-4o", bedrock_model=models.NOVA)
    assert asked.status == 200, asked.reply.text
    assert asked.reply.headers["x-bedrock-model"] == models.NOVA
    assert "bedrock_model" not in json.dumps(asked.call)


def test_model_provider_changes_nothing(stack):
    asked = ask(stack, model=models.NOVA, model_provider="amazon")
    assert "model_provider" not in json.dumps(asked.call) and not asked.notes


class TestPolicies:
    FIELDS = {"seed": 7}

    def rejected(self, asked):
        shapes.check_error(asked.reply, 400, code="unsupported_parameter", param="seed")

    @pytest.mark.parametrize("value", ["sometimes", 1, [], {}], ids=repr)
    def test_only_two_words(self, stack, value):
        shapes.check_error(ask(stack, on_unsupported=value).reply, 400, param="on_unsupported")

    def test_of_the_gateway(self, stacked):
        stack = stacked(env={ON_UNSUPPORTED: "reject"})
        self.rejected(ask(stack, **self.FIELDS))
        assert ask(stack).status == 200
        assert ask(stack, on_unsupported="adapt", **self.FIELDS).noted("seed"), "a request's own word counts more"

    def test_of_models_and_keys(self, stacked, tmp_path):
        file = tmp_path / "outcrop.toml"
        file.write_text(
            'api_keys = ["sk-lenient", "sk-strict-1"]\n'
            '[[policies]]\nmodels = ["*nova*"]\non_unsupported = "reject"\n'
            '[[policies]]\nkeys = ["sk-strict-1"]\non_unsupported = "reject"\n'
        )
        stack = stacked("--config", file, key=None)
        cases = [
            ("sk-lenient", settings.CLAUDE, 200),
            ("sk-lenient", settings.NOVA, 400),
            ("sk-strict-1", settings.CLAUDE, 400),
        ]
        for key, model, status in cases:
            asked = ask(stack, model=model, key=key, **self.FIELDS)
            assert asked.status == status, (key, model, asked.reply.text)
        asked = ask(stack, model=settings.NOVA, key="sk-lenient", on_unsupported="adapt", **self.FIELDS)
        assert asked.noted("seed")

    def test_a_bad_word_in_the_settings(self):
        from support.process import run

        ended = run("serve", "--simulate", env={ON_UNSUPPORTED: "sometimes"}, timeout=20)
        assert ended.returncode != 0 and "on_unsupported" in ended.stderr.lower().replace("-", "_"), ended.stderr


class TestToldTo:
    def test_streams(self, stack):
        asked = ask(stack, temperature=0.2, top_p=0.5, stream=True)
        assert asked.notes == {"top_p": ["dropped(temperature-set)"]}

    def test_several_at_once(self, stack):
        asked = ask(stack, temperature=0.2, top_p=0.5, seed=1, logit_bias={"1": 1})
        assert set(asked.notes) == {"top_p", "seed", "logit_bias"}
        assert asked.reply.headers["x-outcrop-adapted"].count(", ") == 2

    def test_nobody_where_there_is_nothing_to_tell(self, stack):
        assert "x-outcrop-adapted" not in ask(stack, temperature=0.2).reply.headers

    def test_the_log(self, stacked):
        stack = stacked()
        ask(stack, seed=1, headers={"x-request-id": "told-in-the-log"})
        from support.process import poll

        def line():
            lines = stack.gateway.stdout + stack.gateway.stderr
            return next((said for said in lines if "told-in-the-log" in said and "seed" in said), None)

        assert "dropped" in poll(line, "a line in the log that names the adaptation")


# Of the messages: what is mended, and whether that is told.
MENDED = {
    "system in the middle": [
        {"role": "user", "content": "One."},
        {"role": "system", "content": "Rule."},
        {"role": "user", "content": "Two."},
    ],
    "assistant first": [{"role": "assistant", "content": "Hi!"}, {"role": "user", "content": "One."}],
    "blank user": [{"role": "user", "content": "  "}],
    "empty assistant": [
        {"role": "user", "content": "One."},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "Two."},
    ],
    "null assistant": [
        {"role": "user", "content": "One."},
        {"role": "assistant", "content": None},
        {"role": "user", "content": "Two."},
    ],
    "only system": [{"role": "system", "content": "Rule."}],
    "names": [{"role": "user", "name": "ann", "content": "One."}],
}


@pytest.mark.parametrize("messages", MENDED.values(), ids=MENDED.keys())
@pytest.mark.parametrize(
    "model", [models.CLAUDE_4_5, models.NOVA, models.LLAMA_3_1, models.MISTRAL_LARGE], ids=models.short
)
def test_conversations_are_mended_visibly(stack, model, messages):
    asked = ask(stack, model=model, messages=messages)
    said = json.dumps(asked.call)
    for message in messages:
        if (message["content"] or "").strip():
            assert message["content"] in said, "what was said is lost"
    assert asked.noted("messages"), asked.notes


@pytest.mark.parametrize("model", [models.MISTRAL_7B], ids=models.short)
def test_system_prompts_on_models_without(stack, model):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi."}]
    asked = ask(stack, model=model, messages=messages)
    assert "system" not in asked.call and "Be brief." in json.dumps(asked.call["messages"])
    assert asked.noted("system"), asked.notes
