"""Guardrails: where their configuration comes from, and what an intervention looks like."""

import json

import pytest

from support import models, settings, shapes
from support.exchange import ask, blocks, kinds

ID, VERSION, TRACE = "OUTCROP_GUARDRAIL_ID", "OUTCROP_GUARDRAIL_VERSION", "OUTCROP_GUARDRAIL_TRACE"
STREAM_MODE = "OUTCROP_GUARDRAIL_STREAM_MODE"
# The simulator has one guardrail, by two names and in two versions. It blocks these words.
NAME, ARN = "simguardrail1", "arn:aws:bedrock:us-east-1:123456789012:guardrail/simguardrail1"
BLOCKED_INPUT, BLOCKED_OUTPUT = "BLOCKED-INPUT", "BLOCKED-OUTPUT"
BODY = {"guardrailIdentifier": NAME, "guardrailVersion": "1"}
HEADERS = {"X-Amzn-Bedrock-GuardrailIdentifier": ARN, "X-Amzn-Bedrock-GuardrailVersion": "DRAFT"}


def configured(asked):
    """Which guardrail the call named, whether Bedrock knows it or not."""
    assert asked.calls, asked.reply.text
    config = asked.calls[0]["guardrailConfig"]
    return config["guardrailIdentifier"], config["guardrailVersion"]


class TestConfiguration:
    def test_none_by_itself(self, stack):
        assert "guardrailConfig" not in ask(stack).call

    @pytest.mark.parametrize("trace", [None, "enabled", "disabled", "enabled_full"])
    def test_in_the_body(self, stack, trace):
        given = BODY | ({"trace": trace} if trace else {})
        asked = ask(stack, guardrailConfig=given)
        assert configured(asked) == (NAME, "1")
        assert asked.call["guardrailConfig"].get("trace") == trace
        assert "guardrailConfig" not in asked.extra and "streamProcessingMode" not in asked.call["guardrailConfig"]

    @pytest.mark.parametrize("mode", ["sync", "async"])
    def test_stream_modes(self, stack, mode):
        asked = ask(stack, guardrailConfig=BODY | {"streamProcessingMode": mode}, stream=True)
        assert asked.call["guardrailConfig"]["streamProcessingMode"] == mode

    def test_a_stream_mode_is_nothing_to_whole_answers(self, stack):
        """Converse knows no such member, but a client sends the same for both."""
        asked = ask(stack, guardrailConfig=BODY | {"streamProcessingMode": "sync"})
        assert "streamProcessingMode" not in asked.call["guardrailConfig"]

    @pytest.mark.parametrize("trace", [None, "ENABLED", "ENABLED_FULL", "DISABLED"])
    def test_in_headers(self, stack, trace):
        headers = HEADERS | ({"X-Amzn-Bedrock-Trace": trace} if trace else {})
        asked = ask(stack, headers=headers)
        assert configured(asked) == (ARN, "DRAFT")
        assert asked.call["guardrailConfig"].get("trace") == (trace.lower() if trace else None)

    def test_a_version_by_default(self, stack):
        asked = ask(stack, headers={"X-Amzn-Bedrock-GuardrailIdentifier": ARN})
        if asked.status == 200:
            assert configured(asked)[0] == ARN
        else:
            shapes.check_error(asked.reply, 400)

    @pytest.mark.parametrize(
        "given",
        [{}, {"guardrailIdentifier": 3}, BODY | {"trace": "loud"}, BODY | {"streamProcessingMode": "both"}, []],
        ids=json.dumps,
    )
    def test_bad_ones_are_named(self, stack, given):
        shapes.check_error(ask(stack, guardrailConfig=given, stream=True).reply, 400, param="guardrail")


class TestDefaults:
    @pytest.fixture
    def guarded(self, stacked):
        return stacked(env={ID: ARN, VERSION: "DRAFT", TRACE: "enabled", STREAM_MODE: "async"})

    def test_of_the_gateway(self, guarded):
        asked = ask(guarded)
        assert configured(asked) == (ARN, "DRAFT")
        assert asked.call["guardrailConfig"]["trace"] == "enabled"
        assert "guardrail" in asked.answer.document["trace"]
        streamed = ask(guarded, stream=True)
        assert streamed.call["guardrailConfig"]["streamProcessingMode"] == "async"

    def test_a_request_may_ask_for_another_one_or_is_told_that_it_may_not(self, guarded):
        asked = ask(guarded, guardrailConfig=BODY)
        assert asked.status in (400, 403) or configured(asked) in ((NAME, "1"), (ARN, "DRAFT"))

    def test_a_client_cannot_do_without(self, guarded):
        """A default guards the operator; null is no way around it."""
        for given in (None, {}):
            asked = ask(guarded, guardrailConfig=given)
            assert asked.status == 400 or configured(asked) == (ARN, "DRAFT")

    def test_of_models_and_keys(self, stacked, tmp_path):
        file = tmp_path / "outcrop.toml"
        file.write_text(
            'api_keys = ["sk-plain", "sk-guarded"]\n'
            '[[policies]]\nmodels = ["*nova*"]\nguardrail_id = "gr0nova"\nguardrail_version = "1"\n'
            '[[policies]]\nkeys = ["sk-guarded"]\nguardrail_id = "gr0key"\nguardrail_version = "2"\n'
        )
        stack = stacked("--config", file, key=None)
        assert "guardrailConfig" not in ask(stack, key="sk-plain").call
        assert configured(ask(stack, model=settings.NOVA, key="sk-plain")) == ("gr0nova", "1")
        assert configured(ask(stack, key="sk-guarded")) == ("gr0key", "2")


class TestGuardedInput:
    def test_only_what_is_marked(self, stack):
        """LiteLLM's form of it."""
        content = [{"type": "text", "text": "[[sim:text ok]]"}, {"type": "guarded_text", "text": "Guard this."}]
        asked = ask(stack, content, guardrailConfig=BODY)
        assert blocks(asked.call, "guardContent") == [{"text": {"text": "Guard this."}}]
        assert kinds(asked.call["messages"][0]["content"]) == ["text", "guardContent"]

    def test_the_markers_meaning_goes_with_the_guardrail(self, stack):
        """Without one it is text."""
        content = [{"type": "text", "text": "[[sim:text ok]]"}, {"type": "guarded_text", "text": "Guard this."}]
        asked = ask(stack, content)
        assert asked.status == 200, asked.reply.text
        assert "Guard this." in json.dumps(asked.call["messages"])

    @pytest.mark.parametrize("marked, blocked", [(True, True), (False, False)], ids=["marked", "beside it"])
    def test_and_nothing_else_is_judged(self, stack, marked, blocked):
        content = [
            {"type": "text", "text": f"{'' if marked else BLOCKED_INPUT} [[sim:text ok]]"},
            {"type": "guarded_text", "text": BLOCKED_INPUT if marked else "Harmless."},
        ]
        asked = ask(stack, content, guardrailConfig=BODY)
        assert asked.answer.finish == ("content_filter" if blocked else "stop")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA, models.LLAMA_3_3], ids=models.short)
@pytest.mark.parametrize(
    "said", [f"{BLOCKED_INPUT} [[sim:text ok]]", f"[[sim:text It is {BLOCKED_OUTPUT}.]]"], ids=["input", "output"]
)
class TestIntervention:
    def test_is_a_content_filter_with_the_guardrails_text(self, stack, said, model, stream):
        asked = ask(stack, said, model=model, guardrailConfig=BODY, stream=stream)
        assert asked.answer.finish == "content_filter"
        assert asked.answer.content == "Sorry, the model cannot answer this question."
        assert "trace" not in asked.answer.document, "nobody asked for it"
        if stream:
            shapes.check_stream(asked.events.chunks)

    @pytest.mark.parametrize("how", ["body", "header"])
    def test_with_its_trace_when_asked(self, stack, said, model, stream, how):
        fields = {"guardrailConfig": BODY | {"trace": "enabled"}}
        if how == "header":
            fields = {"headers": HEADERS | {"X-Amzn-Bedrock-Trace": "ENABLED"}}
        asked = ask(stack, said, model=model, stream=stream, **fields)
        assert asked.answer.document["trace"]["guardrail"], asked.answer.document
        if stream:
            told = ["trace" in chunk for chunk in asked.events.chunks]
            assert told.count(True) == 1, "once, near the end"
            usage = ask(stack, said, model=model, stream=True, stream_options={"include_usage": True}, **fields)
            assert usage.answer.document["trace"]["guardrail"] and usage.answer.usage


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_streams_in_both_modes(stack, mode):
    config = BODY | {"streamProcessingMode": mode}
    said = f"[[sim:text All of this is fine but {BLOCKED_OUTPUT} isn't and this neither.]]"
    asked = ask(stack, said, guardrailConfig=config, stream=True)
    assert asked.answer.finish == "content_filter"
    assert "Sorry, the model cannot answer this question." in asked.answer.content
    assert "this neither" not in asked.answer.content


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_harmless_answer_has_a_trace_too(stack, stream):
    asked = ask(stack, guardrailConfig=BODY | {"trace": "enabled_full"}, stream=stream)
    assert asked.answer.content == "ok" and asked.answer.finish == "stop"
    assert "guardrail" in asked.answer.document["trace"]


def test_a_guardrail_that_nobody_has(stack):
    asked = ask(stack, guardrailConfig=BODY | {"guardrailIdentifier": "nobodys00"})
    error = shapes.check_error(asked.reply, range(400, 500))
    assert "uardrail" in error["message"], error
    assert error["code"] != "model_not_found", "it isn't the model that is missing"
