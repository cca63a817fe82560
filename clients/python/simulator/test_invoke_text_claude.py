"""Claude 2 and Claude Instant by InvokeModel."""

import pytest
from invoking import chunks, invoke, refused

V2, V2_1, INSTANT = "anthropic.claude-v2", "anthropic.claude-v2:1", "anthropic.claude-instant-v1"


def ask(prompt, **more):
    return {"prompt": prompt, "max_tokens_to_sample": 300, **more}


@pytest.mark.parametrize("model", [V2, V2_1, INSTANT])
def test_an_answer_begins_with_a_space(runtime, model):
    answer, headers = invoke(runtime, model, ask("\n\nHuman: Why is the sky blue?\n\nAssistant:"))
    assert answer["completion"].startswith(" ") and "Why is the sky blue?" in answer["completion"]
    assert (answer["stop_reason"], answer["stop"]) == ("stop_sequence", "\n\nHuman:")
    assert int(headers["x-amzn-bedrock-input-token-count"]) > 0


def test_a_stream_says_the_same(runtime):
    body = ask("\n\nHuman: Why is the sky blue?\n\nAssistant:", anthropic_version="bedrock-2023-05-31")
    whole, _ = invoke(runtime, V2, body)
    stream = chunks(runtime, V2, body)
    assert "".join(chunk["completion"] for chunk in stream) == whole["completion"]
    assert {chunk["stop_reason"] for chunk in stream[:-1]} == {None}
    assert (stream[-1]["stop_reason"], stream[-1]["stop"]) == ("stop_sequence", "\n\nHuman:")
    assert stream[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] > 0


def test_why_it_ended(runtime):
    prompt = "\n\nHuman: [[sim:text one two three four]]\n\nAssistant:"
    cut, _ = invoke(runtime, V2, ask(prompt) | {"max_tokens_to_sample": 2})
    assert (cut["stop_reason"], cut["stop"]) == ("max_tokens", None)
    stopped, _ = invoke(runtime, V2, ask(prompt, stop_sequences=["three"]))
    assert (stopped["completion"], stopped["stop_reason"], stopped["stop"]) == (" one two ", "stop_sequence", "three")


def test_turns_count(runtime):
    turn = "\n\nHuman: [[sim:turns first | second]]\n\nAssistant:"
    assert invoke(runtime, V2, ask(turn))[0]["completion"] == " first"
    assert invoke(runtime, V2, ask(turn + " first\n\nHuman: More\n\nAssistant:"))[0]["completion"] == " second"


def test_a_prefill_isnt_given_back(runtime):
    answer, _ = invoke(runtime, V2, ask("\n\nHuman: [[sim:text and so on]]\n\nAssistant: It begins"))
    assert answer["completion"] == "and so on"


def test_system_prompts_are_2_1s(runtime):
    prompt = "Be brief.\n\nHuman: Hi\n\nAssistant:"
    assert invoke(runtime, V2_1, ask(prompt))[0]["completion"]
    assert refused(runtime, V2, ask(prompt)) == 'Invalid prompt: prompt must start with "\n\nHuman:" turn'


@pytest.mark.parametrize(
    "prompt, complaint",
    [
        ("Hi", 'must start with "\n\nHuman:" turn, prompt must end with "\n\nAssistant:" turn'),
        ("Human: Hi\n\nAssistant:", "must start with"),
        ("\n\nHuman: Hi", "must end with"),
        ("\n\nHuman: Hi\n\nAssistant: ", "must not end with whitespace"),
        ("\n\nHuman: Hi\n\nAssistant: Sure ", "must not end with whitespace"),
        ("\n\nHuman:Hi\n\nAssistant:", "must be followed by a space"),
        ("\n\nHuman: a\n\nHuman: b\n\nAssistant:", "alternate"),
    ],
)
def test_wrong_prompts_are_refused(runtime, prompt, complaint):
    assert complaint in refused(runtime, V2, ask(prompt))


def test_the_body_is_checked(runtime):
    prompt = "\n\nHuman: Hi\n\nAssistant:"
    assert "required key [max_tokens_to_sample] not found" in refused(runtime, V2, {"prompt": prompt})
    assert "extraneous key [max_tokens]" in refused(runtime, V2, ask(prompt, max_tokens=1))
    assert "extraneous key [messages]" in refused(runtime, V2, ask(prompt, messages=[]))
    assert "#/temperature" in refused(runtime, V2, ask(prompt, temperature=1.5))
