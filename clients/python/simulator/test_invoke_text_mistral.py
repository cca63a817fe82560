"""Mistral's first models and DeepSeek R1 by InvokeModel."""

import pytest
from invoking import chunks, invoke, refused
from talk import user

MISTRALS = [
    "mistral.mistral-7b-instruct-v0:2",
    "mistral.mixtral-8x7b-instruct-v0:1",
    "mistral.mistral-large-2402-v1:0",
    "mistral.mistral-small-2402-v1:0",
]
R1 = "us.deepseek.r1-v1:0"


def inst(text):
    return f"<s>[INST] {text} [/INST]"


def think(text, before=""):
    return f"<｜begin▁of▁sentence｜>{before}<｜User｜>{text}<｜Assistant｜><think>\n"


@pytest.mark.parametrize("model", MISTRALS)
def test_mistrals_answer_is_converses(runtime, model):
    converse = runtime.converse(modelId=model, messages=[user("Why is the sky blue?")])
    body = {"prompt": inst("Why is the sky blue?"), "max_tokens": 500, "top_k": 50}
    [output] = invoke(runtime, model, body)[0]["outputs"]
    assert output["text"] == " " + converse["output"]["message"]["content"][0]["text"]
    assert output["stop_reason"] == "stop"
    stream = chunks(runtime, model, body)
    assert "".join(chunk["outputs"][0]["text"] for chunk in stream) == output["text"]
    assert [chunk["outputs"][0]["stop_reason"] for chunk in stream][-2:] == [None, "stop"]


def test_mistral_stops(runtime):
    prompt = inst("[[sim:text one two three]]")
    stopped = invoke(runtime, MISTRALS[0], {"prompt": prompt, "stop": ["three"]})[0]["outputs"][0]
    assert stopped == {"text": " one two ", "stop_reason": "stop"}
    cut = invoke(runtime, MISTRALS[0], {"prompt": prompt, "max_tokens": 1})[0]["outputs"][0]
    assert cut["stop_reason"] == "length"
    assert "#/stop" in refused(runtime, MISTRALS[0], {"prompt": prompt, "stop": ["x"] * 11})


def test_mistrals_turns_count(runtime):
    prompt = "<s>[INST] [[sim:turns first | second]] [/INST] first</s>[INST] More [/INST]"
    assert invoke(runtime, MISTRALS[1], {"prompt": prompt})[0]["outputs"][0]["text"] == " second"


@pytest.mark.parametrize(
    "prompt, complaint",
    [
        ("Hi", "must start with <s>"),
        ("<s>[INST]Hi[/INST]", 'must begin with "[INST] "'),
        ("<s>[INST] Hi [/INST] ", "and nothing else"),
        ("<s>[INST] a [/INST] b</s><s>[INST] c [/INST]", "at the start only"),
        ("<s>[INST] <<SYS>>\nBrief\n<</SYS>>\n\nHi [/INST]", "<<SYS>> is Llama 2's"),
    ],
)
def test_wrong_prompts_for_mistral_are_refused(runtime, prompt, complaint):
    assert complaint in refused(runtime, MISTRALS[0], {"prompt": prompt})


def test_r1_closes_its_thoughts(runtime):
    body = {"prompt": think("Why is the sky blue?", "Be brief."), "max_tokens": 2000}
    [choice] = invoke(runtime, R1, body)[0]["choices"]
    thoughts, answer = choice["text"].split("\n</think>\n\n")
    assert thoughts and "<think>" not in thoughts
    assert "Why is the sky blue?" in answer and choice["stop_reason"] == "stop"
    stream = chunks(runtime, R1, body)
    assert "".join(chunk["choices"][0]["text"] for chunk in stream) == choice["text"]
    assert stream[-1]["choices"][0]["stop_reason"] == "stop"
    converse = runtime.converse(
        modelId=R1, messages=[user("Why is the sky blue?")], system=[{"text": "Be brief."}]
    )
    blocks = converse["output"]["message"]["content"]
    assert blocks[0]["reasoningContent"]["reasoningText"] == {"text": thoughts}
    assert blocks[1]["text"] == answer


def test_r1_may_not_get_beyond_its_thoughts(runtime):
    prompt = think("[[sim:reasoning a long thought about it]][[sim:text done]]")
    [choice] = invoke(runtime, R1, {"prompt": prompt, "max_tokens": 3})[0]["choices"]
    assert "</think>" not in choice["text"] and choice["stop_reason"] == "length"


def test_r1s_turns_count(runtime):
    before = "<｜User｜>[[sim:turns first | second]]<｜Assistant｜>first<｜end▁of▁sentence｜>"
    text = invoke(runtime, R1, {"prompt": think("More", before)})[0]["choices"][0]["text"]
    assert text.endswith("second")


@pytest.mark.parametrize(
    "prompt, complaint",
    [
        ("Hi", "must start with <｜begin▁of▁sentence｜>"),
        (think("Hi").removesuffix("<think>\n"), "<think>"),
        (think("Hi").rstrip("\n"), "<think>"),
        (think("b", "<｜User｜>a<｜Assistant｜>c"), "between two user turns"),
        (think("b", "<｜User｜>a<｜Assistant｜>x</think>c<｜end▁of▁sentence｜>"), "must not hold its thoughts"),
    ],
)
def test_wrong_prompts_for_r1_are_refused(runtime, prompt, complaint):
    assert complaint in refused(runtime, R1, {"prompt": prompt})


def test_the_body_is_checked(runtime):
    said = refused(runtime, MISTRALS[0], {"prompt": inst("Hi"), "max_gen_len": 1})
    assert "extraneous key [max_gen_len]" in said
    said = refused(runtime, R1, {"prompt": think("Hi"), "reasoning_effort": "low"})
    assert "extraneous key [reasoning_effort]" in said
    assert "#/stop" in refused(runtime, R1, {"prompt": think("Hi"), "stop": ["x"] * 11})
