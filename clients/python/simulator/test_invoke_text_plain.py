"""Titan Text, Command and Jurassic-2 by InvokeModel: plain prompts, or labels."""

import pytest
from invoking import chunks, invoke, refused
from talk import refused as refused_once

TITAN, COMMAND, JURASSIC = "amazon.titan-text-express-v1", "cohere.command-text-v14", "ai21.j2-ultra-v1"


def test_titan(runtime):
    body = {"inputText": "User: Why is the sky blue?\nBot:", "textGenerationConfig": {"maxTokenCount": 500}}
    answer, headers = invoke(runtime, TITAN, body)
    [result] = answer["results"]
    assert result["outputText"].startswith("\n") and "Why is the sky blue?" in result["outputText"]
    assert result["completionReason"] == "FINISH"
    assert answer["inputTextTokenCount"] == int(headers["x-amzn-bedrock-input-token-count"])
    stream = chunks(runtime, TITAN, body)
    assert "".join(chunk["outputText"] for chunk in stream) == result["outputText"]
    assert stream[-1]["completionReason"] == "FINISH"
    assert stream[-1]["totalOutputTextTokenCount"] == result["tokenCount"]
    assert {chunk["completionReason"] for chunk in stream[:-1]} == {None}


def test_titan_stops_at_few_things(runtime):
    def ask(**config):
        return {"inputText": "[[sim:text one||two]]", "textGenerationConfig": config}

    stopped = invoke(runtime, TITAN, ask(stopSequences=["||"]))[0]["results"][0]
    assert (stopped["outputText"], stopped["completionReason"]) == ("\none", "STOP_CRITERIA_MET")
    assert invoke(runtime, TITAN, ask(maxTokenCount=1))[0]["results"][0]["completionReason"] == "LENGTH"
    assert "does not match pattern ^(\\|+|User:)$" in refused(runtime, TITAN, ask(stopSequences=["END"]))
    assert "extraneous key [topK]" in refused(runtime, TITAN, ask(topK=1))


def test_command(runtime):
    body = {"prompt": "Why is the sky blue?", "max_tokens": 500, "temperature": 5, "k": 500}
    answer, _ = invoke(runtime, COMMAND, body)
    [generation] = answer["generations"]
    assert "Why is the sky blue?" in generation["text"] and generation["finish_reason"] == "COMPLETE"
    assert answer["prompt"] == body["prompt"]
    stream = chunks(runtime, COMMAND, body | {"stream": True})
    assert "".join(chunk["text"] for chunk in stream[:-1]) == generation["text"]
    assert not any(chunk["is_finished"] for chunk in stream[:-1])
    assert stream[-1]["is_finished"] and stream[-1]["finish_reason"] == "COMPLETE"
    assert invoke(runtime, COMMAND, body | {"max_tokens": 1})[0]["generations"][0]["finish_reason"] == "MAX_TOKENS"


def test_command_generates_several(runtime):
    body = {"prompt": "[[sim:text one two]]", "num_generations": 3}
    generations = invoke(runtime, COMMAND, body)[0]["generations"]
    assert [generation["text"] for generation in generations] == [" one two"] * 3
    assert len({generation["id"] for generation in generations}) == 3
    stream = chunks(runtime, COMMAND, body | {"stream": True})
    for index in range(3):
        assert "".join(chunk.get("text", "") for chunk in stream if chunk["index"] == index) == " one two"
    assert len([chunk for chunk in stream if chunk["is_finished"]]) == 3


def test_commands_body_says_if_it_streams(runtime):
    streamed = lambda: chunks(runtime, COMMAND, {"prompt": "Hi"})
    assert "#/stream: must be true" in refused_once(streamed)
    whole = lambda: invoke(runtime, COMMAND, {"prompt": "Hi", "stream": True})
    assert "#/stream: must be false" in refused_once(whole)


def test_jurassic(runtime):
    answer, _ = invoke(runtime, JURASSIC, {"prompt": "Why is the sky blue?", "maxTokens": 500})
    assert isinstance(answer["id"], int)
    [completion] = answer["completions"]
    assert "Why is the sky blue?" in completion["data"]["text"]
    assert completion["finishReason"] == {"reason": "endoftext"}
    cut = invoke(runtime, JURASSIC, {"prompt": "Hi", "maxTokens": 3})[0]["completions"][0]
    assert cut["finishReason"] == {"reason": "length", "length": 3}
    body = {"prompt": "[[sim:text one two]]", "stopSequences": ["two"], "countPenalty": {"scale": 0}}
    stopped = invoke(runtime, JURASSIC, body)[0]["completions"][0]
    assert (stopped["data"]["text"], stopped["finishReason"]["reason"]) == ("\none ", "stop")


def test_jurassic_doesnt_stream(runtime):
    message = refused_once(lambda: chunks(runtime, JURASSIC, {"prompt": "Hi"}))
    assert "unsupported for streaming" in message


@pytest.mark.parametrize(
    "model, member, bot, text",
    [
        (TITAN, "inputText", "Bot:", lambda answer: answer["results"][0]["outputText"]),
        (COMMAND, "prompt", "Chatbot:", lambda answer: answer["generations"][0]["text"]),
        (JURASSIC, "prompt", "Assistant:", lambda answer: answer["completions"][0]["data"]["text"]),
    ],
)
def test_labels_tell_a_conversation(runtime, model, member, bot, text):
    def ask(prompt):
        return text(invoke(runtime, model, {member: prompt})[0]).strip()

    turn = f"Be brief.\n\nUser: [[sim:turns first | second]]\n{bot}"
    assert ask(turn) == "first"
    assert ask(f"{turn} first\nUser: More\n{bot}") == "second"
    for wrong in ["User: Hi", f"User: Hi\n{bot} ", f"User:Hi\n{bot}"]:
        call = lambda: invoke(runtime, model, {member: wrong})
        assert "Invalid prompt" in refused_once(call)
