"""LlamaIndex's `OpenAILike`."""

import asyncio
import json

import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, MessageRole, TextBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

from support import scenes, settings
from support.scenes import LLAMA, MODELS, REASONING, SEEING, THINKING, VIOLIN, Instrument, Weather

pytestmark = pytest.mark.filterwarnings(*scenes.SILENT)


def chat(gateway, model, **options):
    # Its own default temperature, 0.1, stands.
    return OpenAILike(
        model=model,
        api_base=gateway.base_url,
        api_key=settings.KEY,
        is_chat_model=True,
        is_function_calling_model=True,
        context_window=128_000,
        max_retries=0,
        **options,
    )


def user(content):
    return ChatMessage(role=MessageRole.USER, content=content)


@pytest.fixture
def weather():
    return Weather()


@pytest.fixture
def weather_tool(weather):
    return FunctionTool.from_defaults(weather.get_weather)


def run_calls(llm, response, weather_tool):
    """The results of a message's calls, as messages."""
    results = []
    for call in llm.get_tool_calls_from_response(response):
        assert call.tool_name == Weather.NAME
        content = weather_tool(**call.tool_kwargs).content
        more = {"tool_call_id": call.tool_id}
        results.append(ChatMessage(role=MessageRole.TOOL, content=content, additional_kwargs=more))
    return results


@pytest.mark.parametrize("model", MODELS)
def test_chat(gateway, model):
    response = chat(gateway, model).chat([user(scenes.answer("Hello there."))])
    assert response.message.content == "Hello there."
    assert response.raw.usage.total_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_complete(gateway, model):
    assert chat(gateway, model).complete(scenes.answer("Hello there.")).text == "Hello there."


@pytest.mark.parametrize("model", MODELS)
def test_streaming(gateway, model):
    pieces = list(chat(gateway, model).stream_chat([user(scenes.answer("One by one, and all of them."))]))
    assert len([piece for piece in pieces if piece.delta]) > 1
    assert "".join(piece.delta or "" for piece in pieces) == "One by one, and all of them."
    assert pieces[-1].message.content == "One by one, and all of them."


@pytest.mark.parametrize("model", MODELS)
def test_async_stream(gateway, model):
    async def ask():
        llm = chat(gateway, model, reuse_client=False)
        pieces = await llm.astream_chat([user(scenes.answer("One by one."))])
        return "".join([piece.delta or "" async for piece in pieces])

    assert asyncio.run(ask()) == "One by one."


def whole(llm, tools, messages):
    return llm.chat_with_tools(tools, chat_history=messages, allow_parallel_tool_calls=True)


def streamed(llm, tools, messages):
    return list(llm.stream_chat_with_tools(tools, chat_history=messages, allow_parallel_tool_calls=True))[-1]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("ask", [whole, streamed])
def test_tools_over_two_turns(gateway, weather, weather_tool, model, ask):
    llm = chat(gateway, model)
    messages = [ChatMessage(role=MessageRole.SYSTEM, content="Be short.")]
    for city in ["Paris", "Oslo"]:
        messages.append(user(f"How is it in {city}? {scenes.call(city)}"))
        response = ask(llm, [weather_tool], messages)
        messages += [response.message, *run_calls(llm, response, weather_tool)]
        response = ask(llm, [weather_tool], messages)
        assert Weather.told(city) in response.message.content
        messages.append(response.message)
    assert weather.asked == ["Paris", "Oslo"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("ask", [whole, streamed])
def test_parallel_calls(stack, mark, weather, weather_tool, model, ask):
    llm = chat(stack.gateway, model)
    messages = [user(f"{mark} {scenes.call('Paris')} {scenes.call('Oslo')}")]
    response = ask(llm, [weather_tool], messages)
    messages += [response.message, *run_calls(llm, response, weather_tool)]
    assert weather.asked == ["Paris", "Oslo"]
    assert Weather.told("Oslo") in ask(llm, [weather_tool], messages).message.content
    scenes.check_results(stack.simulator.requests(mark)[-1], ["Paris", "Oslo"])


@pytest.mark.parametrize("model", MODELS)
def test_predict_and_call(gateway, weather, weather_tool, model):
    response = chat(gateway, model).predict_and_call([weather_tool], user_msg=scenes.call("Paris"))
    assert Weather.told("Paris") in str(response)
    assert weather.asked == ["Paris"]


@pytest.mark.parametrize("model", SEEING)
def test_pictures(stack, mark, model):
    text = TextBlock(text=f"{mark} {scenes.answer('Red.')}")
    message = ChatMessage(role=MessageRole.USER, blocks=[text, ImageBlock(image=scenes.PNG)])
    assert chat(stack.gateway, model).chat([message]).message.content == "Red."
    scenes.check_picture(stack.simulator.requests(mark)[-1])


@pytest.mark.parametrize("model", MODELS)
def test_structured_llm_by_response_format(gateway, model):
    llm = chat(gateway, model, should_use_structured_outputs=True).as_structured_llm(Instrument)
    response = llm.chat([user(scenes.instrument(model))])
    scenes.check(response.raw)
    assert json.loads(response.message.content) == response.raw.model_dump()


@pytest.mark.parametrize("model", MODELS)
def test_structured_llm_by_a_call(gateway, model):
    ask = f"Name an instrument. [[sim:tool Instrument {VIOLIN}]]" if model == LLAMA else "Name an instrument."
    scenes.check(chat(gateway, model).as_structured_llm(Instrument).chat([user(ask)]).raw)


@pytest.mark.parametrize("model", MODELS)
def test_structured_llm_streamed(gateway, model):
    llm = chat(gateway, model, should_use_structured_outputs=True).as_structured_llm(Instrument)
    last = list(llm.stream_chat([user(scenes.instrument(model))]))[-1]
    scenes.check(Instrument.model_validate(last.raw.model_dump()))


@pytest.mark.parametrize("model", MODELS)
def test_structured_predict(gateway, model):
    ask = PromptTemplate("Name one of the {family}. {marker}")
    marker = f"[[sim:tool Instrument {VIOLIN}]]" if model == LLAMA else ""
    found = chat(gateway, model).structured_predict(Instrument, ask, family="strings", marker=marker)
    scenes.check(found)


@pytest.mark.parametrize("model", REASONING)
@pytest.mark.parametrize("ask", [whole, streamed])
def test_reasoning_with_tools(gateway, weather, weather_tool, model, ask):
    llm = chat(gateway, model, additional_kwargs={"reasoning_effort": "medium"}, max_tokens=8000)
    messages = []
    for city in ["Paris", "Oslo"]:
        messages.append(user(scenes.thinking(scenes.call(city))))
        response = ask(llm, [weather_tool], messages)
        messages += [response.message, *run_calls(llm, response, weather_tool)]
        response = ask(llm, [weather_tool], messages)
        assert Weather.told(city) in response.message.content
        messages.append(response.message)
    assert weather.asked == ["Paris", "Oslo"]


@pytest.mark.parametrize("model", THINKING)
def test_reasoning_with_structured_output(gateway, model):
    llm = chat(
        gateway, model, should_use_structured_outputs=True, additional_kwargs={"reasoning_effort": "low"}
    ).as_structured_llm(Instrument)
    scenes.check(llm.chat([user(scenes.instrument(model))]).raw)
