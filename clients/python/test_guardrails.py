"""Guardrails: where their configuration comes from, and what an intervention looks like."""

import json

import pytest

from support import models, settings, shapes
from support.exchange import ask, blocks, kinds

ID, VERSION, TRACE = "OUTCROP_GUARDRAIL_ID", "OUTCROP_GUARDRAIL_VERSION", "OUTCROP_GUARDRAIL_TRACE"
STREAM_MODE = "OUTCROP_GUARDRAIL_STREAM_MODE"
BODY = {"guardrailIdentifier": "gr0bodybody", "guardrailVersion": "3"}
HEADERS = {"X-Amzn-Bedrock-GuardrailIdentifier": "gr0header", "X-Amzn-Bedrock-GuardrailVersion": "2"}


def configured(asked):
    config = asked.call["guardrailConfig"]
    return config["guardrailIdentifier"], config["guardrailVersion"]


class TestConfiguration:
    def test_none_by_itself(self, stack):
        assert "guardrailConfig" not in ask(stack).call

    @pytest.mark.parametrize("trace", [None, "enabled", "disabled", "enabled_full"])
    def test_in_the_body(self, stack, trace):
        given = BODY | ({"trace": trace} if trace else {})
        asked = ask(stack, guardrailConfig=given)
        assert configured(asked) == ("gr0bodybody", "3")
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
        assert configured(asked) == ("gr0header", "2")
        assert asked.call["guardrailConfig"].get("trace") == (trace.lower() if trace else None)

    def test_a_version_by_default(self, stack):
        asked = ask(stack, headers={"X-Amzn-Bedrock-GuardrailIdentifier": "gr0header"})
        if asked.status == 200:
            assert configured(asked)[0] == "gr0header"
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
        return stacked(env={ID: "gr0default", VERSION: "7", TRACE: "enabled", STREAM_MODE: "async"})

    def test_of_the_gateway(self, guarded):
        asked = ask(guarded)
        assert configured(asked) == ("gr0default", "7")
        assert asked.call["guardrailConfig"]["trace"] == "enabled"
        streamed = ask(guarded, stream=True)
        assert streamed.call["guardrailConfig"]["streamProcessingMode"] == "async"

    def test_a_client_cannot_do_without(self, guarded):
        """A default guards the operator; null is no way around it."""
        for given in (None, {}):
            asked = ask(guarded, guardrailConfig=given)
            assert asked.status == 400 or configured(asked) == ("gr0default", "7")

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


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
class TestIntervention:
    SAID = "[[sim:text Sorry, I can't talk about that.]] [[sim:stop guardrail_intervened]]"

    @pytest.mark.parametrize("model", [models.CLAUDE_4_5, models.NOVA], ids=models.short)
    def test_is_a_content_filter_with_its_text(self, stack, model, stream):
        asked = ask(stack, self.SAID, model=model, guardrailConfig=BODY, stream=stream)
        assert asked.answer.finish == "content_filter"
        assert asked.answer.content == "Sorry, I can't talk about that."

    def test_no_trace_unless_asked(self, stack, stream):
        asked = ask(stack, self.SAID, guardrailConfig=BODY, stream=stream)
        assert "trace" not in asked.answer.document
