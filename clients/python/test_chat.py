"""Chat completions in one piece."""

import pytest

from support import settings, shapes

HELLO = [{"role": "user", "content": "Say hello. [[sim:text Hello there.]]"}]


def test_a_completion_is_openais_to_the_letter(gateway):
    reply = gateway.chat("Say hello. [[sim:text Hello there.]]")
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("application/json")
    body = reply.json()
    shapes.check_completion(body)
    assert body["model"] == settings.NOVA
    assert body["choices"][0]["message"]["content"] == "Hello there."
    assert body["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("model", [settings.CLAUDE, settings.NOVA])
def test_the_sdk_reads_it(client, model):
    completion = client.chat.completions.create(model=model, messages=HELLO)
    assert completion.choices[0].message.content == "Hello there."
    assert completion.choices[0].message.role == "assistant"
    assert completion.model == model


def test_every_completion_has_an_id_of_its_own(client):
    ids = {client.chat.completions.create(model=settings.NOVA, messages=HELLO).id for _ in range(3)}
    assert len(ids) == 3


def test_without_a_script_the_simulator_answers_within_max_tokens(client):
    completion = client.chat.completions.create(
        model=settings.NOVA, max_tokens=16, messages=[{"role": "user", "content": "Tell me about granite."}]
    )
    assert completion.choices[0].message.content.strip()
    assert completion.usage.completion_tokens <= 16


@pytest.mark.parametrize(
    "stop_reason, finish_reason",
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("content_filtered", "content_filter"),
        ("guardrail_intervened", "content_filter"),
        ("model_context_window_exceeded", "length"),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_stop_reasons_become_finish_reasons(client, stop_reason, finish_reason, stream):
    messages = [{"role": "user", "content": f"[[sim:stop {stop_reason}]]"}]
    answer = client.chat.completions.create(model=settings.NOVA, messages=messages, stream=stream)
    choices = [choice for chunk in answer for choice in chunk.choices] if stream else answer.choices
    reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
    assert reasons == [finish_reason]


def test_text_comes_through_unharmed(client):
    text = 'Grüße, 世界! 👩‍👩‍👧 \u202eabc\u202c \\n "quoted" </script> a\tb'
    messages = [{"role": "user", "content": f"[[sim:text {text}]]"}]
    whole = client.chat.completions.create(model=settings.NOVA, messages=messages)
    assert whole.choices[0].message.content == text
    stream = client.chat.completions.create(model=settings.NOVA, messages=messages, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == text


def test_content_may_be_a_list_of_text_parts(gateway):
    parts = [{"type": "text", "text": "First part."}, {"type": "text", "text": "[[sim:text Second.]]"}]
    reply = gateway.chat(parts)
    assert reply.status_code == 200, reply.text
    assert reply.json()["choices"][0]["message"]["content"] == "Second."


def test_fields_that_openai_adds_later_do_no_harm(gateway):
    reply = gateway.chat("[[sim:text ok]]", body={"field_from_the_future": {"a": [1]}})
    assert reply.status_code == 200, reply.text
