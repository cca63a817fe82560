"""The ways in which OpenAI's Python SDK is used."""

import asyncio

from support import settings

MESSAGES = [{"role": "user", "content": "[[sim:text Hello there.]]"}]
REQUEST = {"model": settings.NOVA, "messages": MESSAGES}


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_stream_as_a_context_manager(client):
    with client.chat.completions.create(**REQUEST, stream=True) as stream:
        assert text_of(stream) == "Hello there."


def test_the_stream_helper_folds_the_chunks_into_a_completion(client):
    with client.chat.completions.stream(**REQUEST, stream_options={"include_usage": True}) as stream:
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == "Hello there."
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens > 0


def test_with_raw_response(client):
    raw = client.chat.completions.with_raw_response.create(**REQUEST)
    assert raw.status_code == 200
    assert raw.headers["x-request-id"] == raw.request_id
    assert raw.parse().choices[0].message.content == "Hello there."


def test_with_raw_response_of_a_stream(client):
    raw = client.chat.completions.with_raw_response.create(**REQUEST, stream=True)
    assert raw.headers["content-type"].startswith("text/event-stream")
    assert text_of(raw.parse()) == "Hello there."


def test_with_streaming_response(client):
    with client.chat.completions.with_streaming_response.create(**REQUEST, stream=True) as response:
        lines = [line for line in response.iter_lines() if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"


def test_async(gateway):
    async def ask():
        async with gateway.async_openai() as client:
            return await client.chat.completions.create(**REQUEST)

    assert asyncio.run(ask()).choices[0].message.content == "Hello there."


def test_async_stream(gateway):
    async def ask():
        async with gateway.async_openai() as client:
            stream = await client.chat.completions.create(**REQUEST, stream=True)
            return [chunk async for chunk in stream]

    assert text_of(asyncio.run(ask())) == "Hello there."


def test_many_at_once_do_not_mix_their_answers(gateway):
    async def ask(client, number):
        stream = await client.chat.completions.create(
            model=settings.NOVA,
            messages=[{"role": "user", "content": f"[[sim:text answer {number} of this very request]]"}],
            stream=True,
        )
        return text_of([chunk async for chunk in stream])

    async def all_of_them():
        async with gateway.async_openai() as client:
            return await asyncio.gather(*(ask(client, number) for number in range(40)))

    assert asyncio.run(all_of_them()) == [f"answer {number} of this very request" for number in range(40)]


def test_the_request_id_is_on_the_parsed_answer(client):
    assert client.chat.completions.create(**REQUEST)._request_id


def test_models(client):
    ids = {model.id for model in client.models.list()}
    assert settings.NOVA in ids and settings.CLAUDE in ids, ids
