"""pydantic-ai's `OpenAIChatModel`."""

import asyncio

import pytest
from pydantic_ai import Agent, BinaryContent, ImageUrl, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.messages import ThinkingPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider

from support import scenes
from support.scenes import LLAMA, MODELS, NOVA_2, REASONING, SEEING, THINKING, Instrument, Weather

pytestmark = pytest.mark.filterwarnings(*scenes.SILENT)


def chat(gateway, model, **profile):
    """Without a profile it's what pydantic-ai makes of a model that it doesn't know."""
    provider = OpenAIProvider(openai_client=gateway.async_openai())
    return OpenAIChatModel(model, provider=provider, profile=OpenAIModelProfile(**profile) if profile else None)


def agent(gateway, model, *arguments, **options):
    return Agent(chat(gateway, model), *arguments, retries=0, **options)


def parts(result, kind):
    return [part for message in result.new_messages() for part in message.parts if isinstance(part, kind)]


@pytest.mark.parametrize("model", MODELS)
def test_tools_over_two_turns(gateway, model):
    weather = Weather()
    assistant = agent(gateway, model, instructions="Be short.", tools=[weather.get_weather])
    first = assistant.run_sync(f"How is it in Paris? {scenes.call('Paris')}")
    assert Weather.told("Paris") in first.output
    second = assistant.run_sync(f"And in Oslo? {scenes.call('Oslo')}", message_history=first.all_messages())
    assert Weather.told("Oslo") in second.output
    assert weather.asked == ["Paris", "Oslo"]
    [call], [returned] = parts(second, ToolCallPart), parts(second, ToolReturnPart)
    assert call.tool_call_id == returned.tool_call_id
    assert second.usage.requests == 2 and second.usage.input_tokens > 0 and second.usage.output_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_parallel_calls(stack, mark, model):
    weather = Weather()
    assistant = agent(stack.gateway, model, tools=[weather.get_weather])
    result = assistant.run_sync(f"{mark} {scenes.call('Paris')} {scenes.call('Oslo')}")
    assert Weather.told("Oslo") in result.output
    assert sorted(weather.asked) == ["Oslo", "Paris"]
    scenes.check_results(stack.simulator.requests(mark)[-1], ["Paris", "Oslo"])


@pytest.mark.parametrize("model", MODELS)
def test_streamed_tools(gateway, model):
    weather = Weather()

    async def ask():
        assistant = agent(gateway, model, tools=[weather.get_weather])
        async with assistant.run_stream(f"{scenes.call('Paris')} {scenes.call('Oslo')}") as result:
            pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
            return pieces, await result.get_output(), result.usage

    pieces, output, usage = asyncio.run(ask())
    # What can't be streamed comes at once.
    assert len(pieces) > 1 or model == LLAMA
    assert "".join(pieces) == output
    assert Weather.told("Oslo") in output
    assert sorted(weather.asked) == ["Oslo", "Paris"]
    assert usage.requests == 2 and usage.output_tokens > 0


PICTURES = {
    "bytes": BinaryContent(data=scenes.PNG, media_type="image/png"),
    "a data URL": ImageUrl(url=scenes.PNG_URL, media_type="image/png"),
}


@pytest.mark.parametrize("model", SEEING)
@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES.keys())
def test_pictures(stack, mark, model, picture):
    result = agent(stack.gateway, model).run_sync([f"{mark} {scenes.answer('Red.')}", picture])
    assert result.output == "Red."
    scenes.check_picture(stack.simulator.requests(mark)[-1])


@pytest.mark.parametrize("model", MODELS)
def test_cached_tokens_are_counted(gateway, model):
    usage = agent(gateway, model).run_sync(f"[[sim:cache read=100 write=20]] {scenes.answer('Hi.')}").usage
    assert usage.cache_read_tokens == 100
    assert usage.input_tokens > 120


@pytest.mark.parametrize("model", MODELS)
def test_output_by_a_tool(gateway, model):
    """The default way: a tool whose call is the answer."""
    ask = f"Name an instrument. [[sim:tool final_result {scenes.VIOLIN}]]"
    result = agent(gateway, model, output_type=Instrument).run_sync(ask)
    assert result.output == Instrument.model_validate_json(scenes.VIOLIN)


@pytest.mark.parametrize("model", MODELS)
def test_output_by_a_tool_is_demanded(gateway, model):
    if model == LLAMA:
        pytest.skip("this model can't be forced to call a tool")
    output = ToolOutput(Instrument, name="instrument", strict=True)
    scenes.check(agent(gateway, model, output_type=output).run_sync(scenes.instrument(model)).output)


@pytest.mark.parametrize("model", MODELS)
def test_native_output(gateway, model):
    assistant = Agent(
        chat(gateway, model, supports_json_schema_output=True), output_type=NativeOutput(Instrument), retries=0
    )
    scenes.check(assistant.run_sync(scenes.instrument(model)).output)


@pytest.mark.parametrize("model", MODELS)
def test_native_output_after_tools(gateway, model):
    weather = Weather()
    assistant = Agent(
        chat(gateway, model, supports_json_schema_output=True),
        output_type=NativeOutput(Instrument),
        tools=[weather.get_weather],
        retries=0,
    )
    scenes.check(assistant.run_sync(scenes.instrument_after_call(model, "Paris")).output)
    assert weather.asked == ["Paris"]


@pytest.mark.parametrize("model", MODELS)
def test_native_output_streamed(gateway, model):
    async def ask():
        assistant = Agent(
            chat(gateway, model, supports_json_schema_output=True), output_type=NativeOutput(Instrument), retries=0
        )
        async with assistant.run_stream(scenes.instrument(model)) as result:
            return await result.get_output()

    scenes.check(asyncio.run(ask()))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("json_mode", [False, True])
def test_prompted_output(gateway, model, json_mode):
    assistant = Agent(
        chat(gateway, model, supports_json_object_output=json_mode), output_type=PromptedOutput(Instrument), retries=0
    )
    result = assistant.run_sync(f"Name an instrument. {scenes.answer(scenes.VIOLIN)}")
    assert result.output == Instrument.model_validate_json(scenes.VIOLIN)


@pytest.mark.parametrize("model", REASONING)
@pytest.mark.parametrize("sent_back", ["auto", "field", "tags", False])
def test_reasoning_with_tools(gateway, model, sent_back):
    weather = Weather()
    profile = {"supports_thinking": True, "openai_chat_thinking_field": "reasoning_content"}
    assistant = Agent(
        chat(gateway, model, openai_chat_send_back_thinking_parts=sent_back, **profile),
        tools=[weather.get_weather],
        model_settings=OpenAIChatModelSettings(openai_reasoning_effort="medium", max_tokens=8000),
        retries=0,
    )
    history = []
    for city in ["Paris", "Oslo"]:
        result = assistant.run_sync(scenes.thinking(scenes.call(city)), message_history=history)
        if model != NOVA_2:
            assert scenes.THOUGHT in [part.content for part in parts(result, ThinkingPart)]
        assert Weather.told(city) in result.output
        history = result.all_messages()
    assert weather.asked == ["Paris", "Oslo"]


@pytest.mark.parametrize("model", THINKING)
def test_streamed_reasoning_with_tools(gateway, model):
    weather = Weather()

    async def ask():
        assistant = agent(
            gateway,
            model,
            tools=[weather.get_weather],
            model_settings=OpenAIChatModelSettings(openai_reasoning_effort="low", max_tokens=8000),
        )
        async with assistant.run_stream(scenes.thinking(scenes.call("Paris"))) as result:
            return await result.get_output(), result

    output, result = asyncio.run(ask())
    assert Weather.told("Paris") in output
    assert scenes.THOUGHT in [part.content for part in parts(result, ThinkingPart)]
    assert weather.asked == ["Paris"]
