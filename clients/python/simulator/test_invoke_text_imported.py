"""Imported models by InvokeModel: each in its own template, and in three bodies."""

import pytest
from invoking import chunks, invoke, refused
from talk import text_of, user

PREFIX = "arn:aws:bedrock:us-east-1:123456789012:imported-model/"
LLAMA, R1, QWEN, GPT_OSS, MISTRAL = (
    PREFIX + name for name in ["simllama0001", "simr1distill", "simqwen25001", "simgptoss001", "simmistral01"]
)
PROMPTS = {
    LLAMA: "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    R1: "<｜begin▁of▁sentence｜><｜User｜>{}<｜Assistant｜><think>\n",
    QWEN: "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n",
    MISTRAL: "<s>[INST] {} [/INST]",
}


@pytest.mark.parametrize("model", PROMPTS)
def test_llamas_body(runtime, model):
    body = {"prompt": PROMPTS[model].format("Why is the sky blue?"), "max_gen_len": 2000}
    answer, _ = invoke(runtime, model, body)
    assert "Why is the sky blue?" in answer["generation"] and answer["stop_reason"] == "stop"
    assert ("\n</think>\n\n" in answer["generation"]) == (model == R1)
    stream = chunks(runtime, model, body)
    assert "".join(chunk["generation"] for chunk in stream) == answer["generation"]
    assert stream[0]["prompt_token_count"] == answer["prompt_token_count"]
    assert stream[-1]["generation_token_count"] == answer["generation_token_count"]


@pytest.mark.parametrize("model", PROMPTS)
def test_openais_completions(runtime, model):
    body = {"prompt": PROMPTS[model].format("Why is the sky blue?"), "max_tokens": 2000}
    answer, headers = invoke(runtime, model, body)
    assert answer["object"] == "text_completion"
    [choice] = answer["choices"]
    assert "Why is the sky blue?" in choice["text"] and choice["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] == int(headers["x-amzn-bedrock-output-token-count"])
    stream = chunks(runtime, model, body | {"stream": True})
    assert "".join(chunk["choices"][0]["text"] for chunk in stream) == choice["text"]
    assert stream[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("model", [LLAMA, QWEN, GPT_OSS, MISTRAL])
def test_openais_chat(runtime, model):
    body = {"messages": [{"role": "user", "content": "Why is the sky blue?"}], "max_tokens": 2000}
    answer, _ = invoke(runtime, model, body)
    content = answer["choices"][0]["message"]["content"]
    assert answer["object"] == "chat.completion" and "Why is the sky blue?" in content
    stream = chunks(runtime, model, body)
    deltas = [choice["delta"] for chunk in stream for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == content


def test_the_text_is_converses(runtime):
    converse = text_of(runtime.converse(modelId=LLAMA, messages=[user("Why is rain wet?")]))
    assert invoke(runtime, LLAMA, {"prompt": PROMPTS[LLAMA].format("Why is rain wet?")})[0]["generation"] == converse


def test_stop_sequences(runtime):
    prompt = PROMPTS[QWEN].format("[[sim:text one two three]]")
    for stop in ["three", ["three"]]:
        answer, _ = invoke(runtime, QWEN, {"prompt": prompt, "stop": stop})
        assert answer["generation"] == "one two "


def test_gpt_oss_takes_messages_only(runtime):
    assert "required key [messages]" in refused(runtime, GPT_OSS, {"prompt": "Hi"})


def test_another_models_template_is_refused(runtime):
    for model in PROMPTS:
        for other in PROMPTS:
            if other != model:
                assert "not in the template of" in refused(runtime, model, {"prompt": PROMPTS[other].format("Hi")})


def test_the_bodies_dont_mix(runtime):
    prompt = PROMPTS[LLAMA].format("Hi")
    assert "extraneous key [max_gen_len]" in refused(
        runtime, LLAMA, {"prompt": prompt, "max_tokens": 1, "max_gen_len": 1}
    )
    messages = [{"role": "user", "content": "Hi"}]
    assert "extraneous key [prompt]" in refused(runtime, LLAMA, {"prompt": prompt, "messages": messages})
