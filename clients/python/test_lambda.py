"""As a function in Lambda: OpenAI's client through a function URL of cargo-lambda's emulator."""

import pytest
from pydantic import BaseModel
import openai

from support import images, lambda_emulator, scenes, settings, shapes, stepped
from support.faulty import Relay
from support.process import Simulator, poll

EMBEDDER, PAINTER = "amazon.titan-embed-text-v2:0", "amazon.nova-canvas-v1:0"
ENDLESS = "[[sim:tokens 100000]] [[sim:pace 20ms]]"


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as running:
        yield running


@pytest.fixture(scope="module")
def emulator():
    with lambda_emulator.Emulator() as running:
        yield running


@pytest.fixture(scope="module")
def function(emulator, simulator):
    """One for all tests: whatever they ask, it goes on."""
    with lambda_emulator.Function(emulator, simulator) as running:
        yield running


@pytest.fixture
def client(function):
    with function.openai() as client:
        yield client


def said(text):
    return {"model": settings.NOVA, "messages": [{"role": "user", "content": text}]}


def test_a_whole_answer(client):
    answer = client.chat.completions.create(**said("[[sim:text Hello, world]]"))
    assert answer.choices[0].message.content == "Hello, world"
    assert answer.usage.completion_tokens > 0


def test_a_streamed_answer(client):
    with client.chat.completions.create(
        **said("[[sim:text Hello, world]]"), stream=True, stream_options={"include_usage": True}
    ) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        chunks = [chunk.model_dump(exclude_unset=True) for chunk in stream]
    assert shapes.check_stream(chunks, include_usage=True) == ["Hello, world"]


def test_each_chunk_is_there_before_bedrock_sends_the_next(emulator, simulator):
    text = "one two three four five six seven eight nine ten"
    seen = []
    with Relay(simulator.url) as relay:
        steps = stepped.Steps(relay)
        env = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": relay.url}
        with lambda_emulator.Function(emulator, simulator, name="another", env=env) as function:
            # The answer begins once Bedrock's has: its first frame has no text.
            steps.step()
            prompt = said(f"[[sim:chunk 5]] [[sim:text {text}]]")
            with function.openai() as client, client.chat.completions.create(**prompt, stream=True) as stream:
                chunks = iter(stream)
                for part in steps.texts():
                    while not (content := next(chunks).choices[0].delta.content):
                        pass
                    assert content == part
                    seen.append(content)
                assert not any(chunk.choices[0].delta.content for chunk in chunks)
    assert "".join(seen) == text and len(seen) > 5


def test_a_tool_and_its_result(client):
    weather = scenes.Weather()
    messages = [{"role": "user", "content": scenes.call("Paris")}]
    options = {"model": settings.NOVA, "tools": [weather.FUNCTION]}
    answer = client.chat.completions.create(messages=messages, **options).choices[0]
    assert answer.finish_reason == "tool_calls"
    [call] = answer.message.tool_calls
    assert (call.function.name, call.function.arguments.replace(" ", "")) == ("get_weather", '{"city":"Paris"}')
    told = {"role": "tool", "tool_call_id": call.id, "content": weather.told("Paris")}
    answer = client.chat.completions.create(messages=[*messages, answer.message, told], **options)
    assert weather.told("Paris") in answer.choices[0].message.content


def test_a_schema(client):
    class Town(BaseModel):
        name: str
        people: int

    answer = client.chat.completions.parse(
        model=settings.CLAUDE, messages=[{"role": "user", "content": "A town."}], response_format=Town
    )
    assert isinstance(answer.choices[0].message.parsed, Town)


def test_embeddings(client):
    answer = client.embeddings.create(model=EMBEDDER, input=["one", "two"])
    assert len(answer.data) == 2 and len(answer.data[0].embedding) == 1024


def test_a_picture_is_shown(client, simulator, mark):
    content = [
        {"type": "text", "text": f"{mark} What is it?"},
        {"type": "image_url", "image_url": {"url": scenes.PNG_URL}},
    ]
    client.chat.completions.create(model=settings.NOVA, messages=[{"role": "user", "content": content}])
    [request] = simulator.requests(mark)
    scenes.check_picture(request)


def test_a_picture_is_edited(client):
    picture = scenes.png(side=512)
    answer = client.images.edit(model=PAINTER, prompt="a hat", image=("a.png", picture, "image/png"))
    assert images.size(images.decoded(answer.data[0]))[0] >= 512


def test_the_models(client):
    listed = {model.id for model in client.models.list()}
    assert {settings.NOVA, settings.CLAUDE} <= listed
    assert client.models.retrieve(settings.NOVA).id == settings.NOVA


def test_errors_are_openais(client):
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="nobody.knows-v1:0", messages=[{"role": "user", "content": "hi"}])
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=settings.NOVA, messages=[])
    shapes.check_error(refused.value.response, 400, param="messages")
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(**said("[[sim:error ThrottlingException]]"), timeout=60)
    shapes.check_error(refused.value.response, 429)


def test_an_error_in_mid_stream(client):
    with pytest.raises(openai.APIError) as broken:
        prompt = "[[sim:tokens 200]] [[sim:stream-error modelStreamErrorException after=3]]"
        for _ in client.chat.completions.create(**said(prompt), stream=True):
            pass
    assert broken.value.message


@pytest.mark.parametrize("key", ["sk-wrong", ""])
def test_keys_are_asked_for(function, key):
    headers = {"authorization": f"Bearer {key}" if key else None}
    shapes.check_error(function.get("/v1/models", headers=headers), 401, code="invalid_api_key" if key else None)


def test_what_isnt_there(function):
    shapes.check_error(function.get("/v1/nothing"), 404)
    shapes.check_error(function.request("PUT", "/v1/chat/completions"), 405)


def test_health(function):
    assert function.get("/healthz", headers={"authorization": None}).status_code == 200


def test_a_client_that_leaves_takes_its_call_along(client, simulator):
    with client.chat.completions.create(**said(ENDLESS), stream=True) as stream:
        next(iter(stream))
        poll(lambda: simulator.active() == 1, "the call is under way")
        stream.close()
    poll(lambda: simulator.active() == 0, "the call has ended")
    assert client.chat.completions.create(**said("[[sim:text still here]]")).choices[0].message.content == "still here"


def test_cold_and_warm(emulator, simulator, mark):
    """What the process has learned stays with it, and a new one begins anew."""
    env = {"OUTCROP_RESPONSE_CACHE": "memory"}
    for cold in (1, 2):
        with lambda_emulator.Function(emulator, simulator, name="another", env=env) as started:
            for _ in range(3):
                assert started.chat(f"{mark} hi", body={"temperature": 0}).status_code == 200
        assert len(simulator.requests(mark)) == cold
