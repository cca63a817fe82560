"""Llama 2, 3 and 4 by InvokeModel."""

import pytest
from invoking import chunks, invoke, refused
from talk import user

LLAMA_2 = "meta.llama2-70b-chat-v1"
LLAMA_3 = "meta.llama3-8b-instruct-v1:0"
LLAMA_3_3 = "us.meta.llama3-3-70b-instruct-v1:0"
LLAMA_4 = "us.meta.llama4-scout-17b-instruct-v1:0"
OPEN = "<|start_header_id|>assistant<|end_header_id|>\n\n"


def two(text, system="<<SYS>>\nBe brief.\n<</SYS>>\n\n"):
    return f"<s>[INST] {system}{text} [/INST]"


def three(*turns):
    heads = [f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}<|eot_id|>" for role, text in turns]
    return "<|begin_of_text|>" + "".join(heads) + OPEN


def four(*turns):
    return (
        three(*turns)
        .replace("start_header_id", "header_start")
        .replace("end_header_id", "header_end")
        .replace("eot_id", "eot")
    )


def one(template):
    return lambda text: template(("system", "Be brief."), ("user", text))


@pytest.mark.parametrize(
    "model, prompt", [(LLAMA_2, two), (LLAMA_3, one(three)), (LLAMA_3_3, one(three)), (LLAMA_4, one(four))]
)
def test_the_answer_is_converses(runtime, model, prompt):
    converse = runtime.converse(
        modelId=model, messages=[user("Why is the sky blue?")], system=[{"text": "Be brief."}]
    )
    answer, headers = invoke(runtime, model, {"prompt": prompt("Why is the sky blue?")})
    assert answer["generation"].lstrip(" ") == converse["output"]["message"]["content"][0]["text"]
    assert answer["prompt_token_count"] == converse["usage"]["inputTokens"]
    assert answer["generation_token_count"] == int(headers["x-amzn-bedrock-output-token-count"])
    assert answer["stop_reason"] == "stop"


@pytest.mark.parametrize("model, prompt", [(LLAMA_2, two), (LLAMA_3, one(three)), (LLAMA_4, one(four))])
def test_a_stream_counts_as_it_goes(runtime, model, prompt):
    body = {"prompt": prompt("Why is the sky blue?"), "max_gen_len": 30}
    whole, _ = invoke(runtime, model, body)
    stream = chunks(runtime, model, body)
    assert "".join(chunk["generation"] for chunk in stream) == whole["generation"]
    assert stream[0]["prompt_token_count"] == whole["prompt_token_count"]
    assert {chunk["prompt_token_count"] for chunk in stream[1:]} == {None}
    counts = [chunk["generation_token_count"] for chunk in stream]
    assert counts == sorted(counts) and counts[-1] == whole["generation_token_count"] == 30
    assert [chunk["stop_reason"] for chunk in stream] == [None] * (len(stream) - 1) + ["length"]


def test_turns_count(runtime):
    first = "[[sim:turns first | second]]"
    for model, prompt in [
        (LLAMA_2, f"<s>[INST] {first} [/INST] first </s><s>[INST] More [/INST]"),
        (LLAMA_3, three(("user", first), ("assistant", "first"), ("user", "More"))),
        (LLAMA_4, four(("user", first), ("assistant", "first"), ("user", "More"))),
    ]:
        assert invoke(runtime, model, {"prompt": prompt})[0]["generation"].strip() == "second"


def test_the_body_is_checked(runtime):
    prompt = three(("user", "Hi"))
    assert "extraneous key [stop]" in refused(runtime, LLAMA_3, {"prompt": prompt, "stop": ["x"]})
    assert "extraneous key [max_tokens]" in refused(runtime, LLAMA_3, {"prompt": prompt, "max_tokens": 1})
    message = refused(runtime, LLAMA_3, {"prompt": prompt, "max_gen_len": 2049})
    assert "#/max_gen_len: 2049 is not less or equal to 2048" in message
    assert invoke(runtime, LLAMA_3_3, {"prompt": prompt, "max_gen_len": 4096})[0]["generation"]


@pytest.mark.parametrize(
    "prompt, complaint",
    [
        ("Hi", "each pair of turns must begin with <s>"),
        ("<s>[INST] <<SYS>>\nBrief\n<</SYS>> [/INST] </s><s>[INST] Hi [/INST]", "the system prompt must end with"),
        ("<s>[INST] a [/INST] b </s><s>[INST] <<SYS>>\nc\n<</SYS>>\n\nd [/INST]", "beginning of the first user turn"),
        ("<s>[INST] Hi [/INST] ", "and nothing else"),
        ("<s>[INST] a [/INST] b</s><s>[INST] c [/INST]", "and nothing else"),
    ],
)
def test_wrong_prompts_for_llama_2_are_refused(runtime, prompt, complaint):
    message = refused(runtime, LLAMA_2, {"prompt": prompt})
    assert "not in the template of Llama 2" in message and complaint in message


@pytest.mark.parametrize(
    "prompt, complaint",
    [
        ("Hi", "must start with <|begin_of_text|>"),
        (three(("user", "Hi")).removesuffix(OPEN), "must end with an open assistant header"),
        (three(("user", "Hi")).rstrip("\n"), "a header must end with"),
        (three(("user", "Hi")) + "Sure", "nothing may follow"),
        (three(("user", "Hi"), ("system", "Brief")), "only the first turn may be the system's"),
        (three(("human", "Hi")), "there is no role human"),
        (four(("user", "Hi")), "a turn must begin with <|start_header_id|>"),
        (three(("user", "a"), ("user", "b")), "alternate"),
    ],
)
def test_wrong_prompts_for_llama_3_are_refused(runtime, prompt, complaint):
    assert complaint in refused(runtime, LLAMA_3, {"prompt": prompt})
