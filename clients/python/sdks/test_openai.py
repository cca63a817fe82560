"""OpenAI's Python SDK, beyond plain chat: tools, pictures, parsed answers, reasoning."""

import asyncio
import json

import pytest
from pydantic import BaseModel, Field

from support import scenes
from support.scenes import CLAUDE, GPT_OSS, LLAMA, MODELS, NOVA, NOVA_2, REASONING, SEEING, THINKING, Instrument, Weather

pytestmark = pytest.mark.filterwarnings(*scenes.SILENT)
TOOLS = [Weather.FUNCTION]


def user(content):
    return {"role": "user", "content": content}


def run_calls(message, weather):
    """The results of a message's calls, as messages."""
    assert message.tool_calls, message
    results = []
    for call in message.tool_calls:
        assert call.type == "function" and call.function.name == Weather.NAME
        content = weather.get_weather(**json.loads(call.function.arguments))
        results.append({"role": "tool", "tool_call_id": call.id, "content": content})
    assert len({result["tool_call_id"] for result in results}) == len(results)
    return results


def ask(client, model, messages, **more):
    """One completion; its message is added to `messages`."""
    completion = client.chat.completions.create(model=model, messages=messages, **more)
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0
    [choice] = completion.choices
    messages.append(choice.message)
    return choice


@pytest.mark.parametrize("model", MODELS)
def test_tools_over_two_turns(client, model):
    weather, messages = Weather(), [{"role": "system", "content": "Be short."}]
    for city in ["Paris", "Oslo"]:
        messages.append(user(f"How is it in {city}? {scenes.call(city)}"))
        choice = ask(client, model, messages, tools=TOOLS)
        assert choice.finish_reason == "tool_calls"
        messages += run_calls(choice.message, weather)
        choice = ask(client, model, messages, tools=TOOLS)
        assert choice.finish_reason == "stop"
        assert not choice.message.tool_calls
        assert Weather.told(city) in choice.message.content
    assert weather.asked == ["Paris", "Oslo"]


@pytest.mark.parametrize("model", MODELS)
def test_parallel_calls(stack, mark, model):
    client, weather = stack.gateway.openai(), Weather()
    messages = [user(f"{mark} {scenes.call('Paris')} {scenes.call('Oslo')}")]
    choice = ask(client, model, messages, tools=TOOLS)
    assert choice.finish_reason == "tool_calls"
    messages += run_calls(choice.message, weather)
    assert weather.asked == ["Paris", "Oslo"]
    choice = ask(client, model, messages, tools=TOOLS)
    assert Weather.told("Oslo") in choice.message.content
    scenes.check_results(stack.simulator.requests(mark)[-1], ["Paris", "Oslo"])


@pytest.mark.parametrize("model", MODELS)
def test_streamed_parallel_calls(client, model):
    weather, messages = Weather(), [user(f"{scenes.call('Paris')} {scenes.call('Oslo')}")]
    with client.chat.completions.stream(
        model=model, messages=messages, tools=TOOLS, stream_options={"include_usage": True}
    ) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        completion = stream.get_final_completion()
    assert [json.loads(event.arguments) for event in done] == [{"city": "Paris"}, {"city": "Oslo"}]
    assert [event.index for event in done] == [0, 1]
    [choice] = completion.choices
    assert choice.finish_reason == "tool_calls"
    assert completion.usage.total_tokens > 0
    messages += [choice.message, *run_calls(choice.message, weather)]
    with client.chat.completions.stream(model=model, messages=messages, tools=TOOLS) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
        assert text == stream.get_final_completion().choices[0].message.content
    assert Weather.told("Oslo") in text


@pytest.mark.parametrize("model", [CLAUDE, NOVA, GPT_OSS])
@pytest.mark.parametrize("oddity", ["[[sim:interleave]]", "[[sim:block-numbers 3 7]]"])
def test_streamed_calls_are_told_apart_however_bedrock_sends_them(client, model, oddity):
    messages = [user(f"{oddity} {scenes.call('Paris')} {scenes.call('Oslo')}")]
    with client.chat.completions.stream(model=model, messages=messages, tools=TOOLS) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Paris"}, {"city": "Oslo"}]
    assert [call.index for call in calls] == [0, 1]


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_without_arguments(client, model):
    tools = [{"type": "function", "function": {"name": "now"}}]
    request = {"model": model, "messages": [user("[[sim:tool now]]")], "tools": tools}
    [call] = client.chat.completions.create(**request).choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {}
    with client.chat.completions.stream(**request) as stream:
        [call] = stream.get_final_completion().choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": Weather.NAME}}])
def test_a_call_can_be_demanded(client, model, choice):
    if model == LLAMA:
        pytest.skip("this model can't be forced to call a tool")
    messages = [user("Hello!")]
    message = ask(client, model, messages, tools=TOOLS, tool_choice=choice).message
    weather = Weather()
    run_calls(message, weather)
    assert len(weather.asked) == 1


@pytest.mark.parametrize("model", MODELS)
def test_tools_can_be_forbidden(client, model):
    weather, messages = Weather(), [user(scenes.call("Paris"))]
    messages += run_calls(ask(client, model, messages, tools=TOOLS).message, weather)
    choice = ask(client, model, messages, tools=TOOLS, tool_choice="none")
    assert choice.finish_reason == "stop"
    assert not choice.message.tool_calls
    assert Weather.told("Paris") in choice.message.content


@pytest.mark.parametrize("model", MODELS)
def test_the_history_of_tools_is_enough_without_tools(client, model):
    weather, messages = Weather(), [user(scenes.call("Paris"))]
    messages += run_calls(ask(client, model, messages, tools=TOOLS).message, weather)
    assert Weather.told("Paris") in ask(client, model, messages).message.content


@pytest.mark.parametrize("model", SEEING)
def test_pictures(stack, mark, model):
    content = [
        {"type": "text", "text": f"{mark} {scenes.answer('Red.')}"},
        {"type": "image_url", "image_url": {"url": scenes.PNG_URL, "detail": "high"}},
    ]
    choice = ask(stack.gateway.openai(), model, [user(content)])
    assert choice.message.content == "Red."
    scenes.check_picture(stack.simulator.requests(mark)[-1])


def test_a_pictures_label_is_not_believed(stack, mark):
    url = scenes.PNG_URL.replace("image/png", "image/jpeg")
    content = [{"type": "text", "text": f"{mark}"}, {"type": "image_url", "image_url": {"url": url}}]
    ask(stack.gateway.openai(), CLAUDE, [user(content)])
    scenes.check_picture(stack.simulator.requests(mark)[-1])


@pytest.mark.parametrize("model", MODELS)
def test_parse(client, model):
    completion = client.chat.completions.parse(
        model=model, messages=[user(scenes.instrument(model))], response_format=Instrument
    )
    [choice] = completion.choices
    assert choice.finish_reason == "stop"
    assert not choice.message.tool_calls
    scenes.check(choice.message.parsed)
    assert completion.usage.completion_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_parse_of_a_stream(client, model):
    with client.chat.completions.stream(
        model=model, messages=[user(scenes.instrument(model))], response_format=Instrument
    ) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
        [choice] = stream.get_final_completion().choices
    assert choice.finish_reason == "stop"
    assert scenes.check(choice.message.parsed) == Instrument.model_validate_json(text)


@pytest.mark.parametrize("model", MODELS)
def test_parse_beside_tools(client, model):
    tools = [{"type": "function", "function": Weather.FUNCTION["function"] | {"strict": True}}]
    weather, messages = Weather(), [user(scenes.instrument_after_call(model, "Paris"))]
    request = {"model": model, "tools": tools, "response_format": Instrument}
    [choice] = client.chat.completions.parse(**request, messages=messages).choices
    assert choice.finish_reason == "tool_calls"
    assert [call.function.parsed_arguments for call in choice.message.tool_calls] == [{"city": "Paris"}]
    messages += [choice.message.model_dump(exclude_none=True), *run_calls(choice.message, weather)]
    [choice] = client.chat.completions.parse(**request, messages=messages).choices
    assert choice.finish_reason == "stop"
    scenes.check(choice.message.parsed)


@pytest.mark.parametrize("model", THINKING)
def test_parse_with_reasoning(client, model):
    completion = client.chat.completions.parse(
        model=model, messages=[user(scenes.instrument(model))], response_format=Instrument, reasoning_effort="low"
    )
    [choice] = completion.choices
    scenes.check(choice.message.parsed)
    assert choice.message.reasoning_content


class Luthier(BaseModel):
    """Has limits that Claude's structured output doesn't know."""

    since: int = Field(ge=1500, le=1600)
    name: str = Field(min_length=3)


AMATI = '{"since": 1538, "name": "Andrea Amati"}'


@pytest.mark.parametrize("model", THINKING)
@pytest.mark.parametrize("effort", ["none", "low"])
def test_parse_of_a_type_with_limits(client, model, effort):
    completion = client.chat.completions.parse(
        model=model, messages=[user(f"Name a luthier. {scenes.answer(AMATI)}")], response_format=Luthier, reasoning_effort=effort
    )
    assert 1500 <= completion.choices[0].message.parsed.since <= 1600


@pytest.mark.parametrize("model", THINKING)
def test_a_type_with_limits_does_not_spoil_the_model_for_others(stacked, model):
    client = stacked().gateway.openai()
    client.chat.completions.parse(model=model, messages=[user(f"Name a luthier. {scenes.answer(AMATI)}")], response_format=Luthier)
    completion = client.chat.completions.parse(
        model=model, messages=[user("Name an instrument.")], response_format=Instrument, reasoning_effort="low"
    )
    scenes.check(completion.choices[0].message.parsed)


@pytest.mark.parametrize("model", MODELS)
def test_json_mode(client, model):
    messages = [user(f"Answer in JSON. {scenes.answer(scenes.VIOLIN)}")]
    choice = ask(client, model, messages, response_format={"type": "json_object"})
    assert choice.finish_reason == "stop"
    assert json.loads(choice.message.content) == json.loads(scenes.VIOLIN)


@pytest.mark.parametrize("model", THINKING)
def test_reasoning_is_asked_for_by_effort(client, model):
    for effort in ["low", "medium", "high"]:
        message = ask(client, model, [user("Why?")], reasoning_effort=effort).message
        assert message.reasoning_content
        assert message.content and message.reasoning_content not in message.content
    message = ask(client, model, [user("Why?")], reasoning_effort="none").message
    assert message.content and not getattr(message, "reasoning_content", None)


@pytest.mark.parametrize("model", REASONING)
@pytest.mark.parametrize("kept", ["all", "reasoning_content", "nothing"])
@pytest.mark.parametrize("streamed", [False, True])
def test_reasoning_with_tools(client, model, kept, streamed):
    more = {"model": model, "tools": TOOLS, "reasoning_effort": "medium", "max_completion_tokens": 8000}
    weather, messages = Weather(), []
    for city in ["Paris", "Oslo"]:
        messages.append(user(scenes.thinking(scenes.call(city))))
        message = complete(client, streamed, messages=messages, **more)
        if model != NOVA_2:
            assert message["reasoning_content"] == scenes.THOUGHT
        assert not message.get("content")
        calls = message["tool_calls"]
        assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"city": city}]
        messages.append({name: value for name, value in message.items() if is_kept(name, kept)})
        for call in calls:
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": weather.get_weather(city)})
        message = complete(client, streamed, messages=messages, **more)
        assert Weather.told(city) in message["content"]
        messages.append({name: value for name, value in message.items() if is_kept(name, kept)})


@pytest.mark.parametrize("model", THINKING)
@pytest.mark.parametrize("kept", ["all", "reasoning_content", "nothing"])
@pytest.mark.parametrize("streamed", [False, True])
def test_redacted_reasoning_with_tools(client, model, kept, streamed):
    more = {"model": model, "tools": TOOLS, "reasoning_effort": "medium", "max_completion_tokens": 8000}
    messages = [user(f"[[sim:redacted-reasoning]] {scenes.call('Paris')}")]
    message = complete(client, streamed, messages=messages, **more)
    messages.append({name: value for name, value in message.items() if is_kept(name, kept)})
    [call] = message["tool_calls"]
    messages.append({"role": "tool", "tool_call_id": call["id"], "content": Weather.told("Paris")})
    assert Weather.told("Paris") in complete(client, streamed, messages=messages, **more)["content"]


def is_kept(name, kept):
    return {
        "all": True,
        "reasoning_content": name != "thinking_blocks",
        "nothing": name not in ("reasoning_content", "thinking_blocks"),
    }[kept]


def complete(client, streamed, **request):
    """The answer's message, as the dictionary that a client would send back."""
    if not streamed:
        completion = client.chat.completions.create(**request)
        message = completion.choices[0].message.model_dump(exclude_none=True)
    else:
        # The SDK folds what it doesn't know, too, and leaves its `index` in.
        with client.chat.completions.stream(**request) as stream:
            message = stream.get_final_completion().choices[0].message.model_dump(exclude_none=True)
        for call in message.get("tool_calls", ()):
            call.pop("index", None)
            call["function"].pop("parsed_arguments", None)
        message.pop("parsed", None)
    return message


@pytest.mark.parametrize("model", MODELS)
def test_async_tools(gateway, model):
    weather = Weather()

    async def converse():
        async with gateway.async_openai() as client:
            messages = [user(scenes.call("Paris"))]
            completion = await client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
            message = completion.choices[0].message
            messages += [message, *run_calls(message, weather)]
            stream = await client.chat.completions.create(model=model, messages=messages, tools=TOOLS, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    assert Weather.told("Paris") in asyncio.run(converse())


def test_names_that_bedrock_refuses(client):
    name = "weather.of/a city, with a name that is longer than the sixty-four characters of Bedrock"
    tools = [{"type": "function", "function": {"name": name, "parameters": Weather.SCHEMA}}]
    choice = {"type": "function", "function": {"name": name}}
    messages = [user("Hello!")]
    [call] = ask(client, NOVA, messages, tools=tools, tool_choice=choice).message.tool_calls
    assert call.function.name == name
    messages.append({"role": "tool", "tool_call_id": call.id, "content": Weather.told("Paris")})
    assert Weather.told("Paris") in ask(client, NOVA, messages, tools=tools).message.content
