"""LangChain's `ChatOpenAI`."""

import asyncio
import json
import warnings

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from support import scenes, settings
from support.scenes import LLAMA, MODELS, REASONING, SEEING, THINKING, Instrument, Weather

pytestmark = pytest.mark.filterwarnings(*scenes.SILENT)


def chat(gateway, model, **options):
    defaults = {"base_url": gateway.base_url, "api_key": settings.KEY, "max_retries": 0, "timeout": 60}
    return ChatOpenAI(model=model, **defaults | options)


@pytest.fixture
def weather():
    return Weather()


@pytest.fixture
def weather_tool(weather):
    return tool(weather.get_weather)


def run_calls(message, weather_tool):
    """The results of a message's calls, as messages."""
    assert message.tool_calls and not message.invalid_tool_calls, message
    results = [weather_tool.invoke(call) for call in message.tool_calls]
    assert [result.tool_call_id for result in results] == [call["id"] for call in message.tool_calls]
    return results


def stream(llm, messages):
    """The chunks of a stream, folded into one message."""
    whole = None
    for chunk in llm.stream(messages):
        whole = chunk if whole is None else whole + chunk
    return whole


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("ask", [lambda llm, messages: llm.invoke(messages), stream], ids=["whole", "streamed"])
def test_tools_over_two_turns(gateway, weather, weather_tool, model, ask):
    llm = chat(gateway, model).bind_tools([weather_tool])
    messages = [SystemMessage("Be short.")]
    for city in ["Paris", "Oslo"]:
        messages.append(HumanMessage(f"How is it in {city}? {scenes.call(city)}"))
        message = ask(llm, messages)
        assert message.response_metadata["finish_reason"] == "tool_calls"
        messages += [message, *run_calls(message, weather_tool)]
        message = ask(llm, messages)
        assert message.response_metadata["finish_reason"] == "stop"
        assert not message.tool_calls
        assert Weather.told(city) in message.content
        messages.append(message)
    assert weather.asked == ["Paris", "Oslo"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("ask", [lambda llm, messages: llm.invoke(messages), stream], ids=["whole", "streamed"])
def test_parallel_calls(stack, mark, weather, weather_tool, model, ask):
    llm = chat(stack.gateway, model).bind_tools([weather_tool])
    messages = [HumanMessage(f"{mark} {scenes.call('Paris')} {scenes.call('Oslo')}")]
    message = ask(llm, messages)
    assert [call["args"] for call in message.tool_calls] == [{"city": "Paris"}, {"city": "Oslo"}]
    messages += [message, *run_calls(message, weather_tool)]
    assert Weather.told("Oslo") in ask(llm, messages).content
    assert weather.asked == ["Paris", "Oslo"]
    scenes.check_results(stack.simulator.requests(mark)[-1], ["Paris", "Oslo"])


@pytest.mark.parametrize("model", MODELS)
def test_a_call_can_be_demanded(gateway, weather, weather_tool, model):
    if model == LLAMA:
        pytest.skip("this model can't be forced to call a tool")
    for choice in ["any", Weather.NAME]:
        message = chat(gateway, model).bind_tools([weather_tool], tool_choice=choice).invoke("Hello!")
        run_calls(message, weather_tool)
    assert len(weather.asked) == 2


PICTURES = {
    "as OpenAI writes it": {"type": "image_url", "image_url": {"url": scenes.PNG_URL}},
    "as LangChain writes it": {"type": "image", "base64": scenes.PNG_BASE64, "mime_type": "image/png"},
}


@pytest.mark.parametrize("model", SEEING)
@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES.keys())
def test_pictures(stack, mark, model, picture):
    text = {"type": "text", "text": f"{mark} {scenes.answer('Red.')}"}
    assert chat(stack.gateway, model).invoke([HumanMessage([text, picture])]).content == "Red."
    scenes.check_picture(stack.simulator.requests(mark)[-1])


@pytest.mark.parametrize("model", MODELS)
def test_streaming(gateway, model):
    chunks = list(chat(gateway, model, stream_usage=True).stream(scenes.answer("One by one, and all of them.")))
    assert len([chunk for chunk in chunks if chunk.content]) > 1
    whole = sum(chunks[1:], start=chunks[0])
    assert whole.content == "One by one, and all of them."
    assert whole.response_metadata["finish_reason"] == "stop"
    usage = whole.usage_metadata
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > usage["output_tokens"] > 0


@pytest.mark.parametrize("model", MODELS)
def test_cached_tokens_are_counted(gateway, model):
    usage = chat(gateway, model).invoke(f"[[sim:cache read=100 write=20]] {scenes.answer('Hi.')}").usage_metadata
    assert usage["input_token_details"]["cache_read"] == 100
    assert usage["input_tokens"] > 120


def test_async_streams(gateway):
    # In one loop: it keeps its connections for the whole process.
    async def ask(model):
        return "".join([chunk.content async for chunk in chat(gateway, model).astream(scenes.answer(f"I am {model}."))])

    async def ask_all():
        return await asyncio.gather(*map(ask, MODELS))

    assert asyncio.run(ask_all()) == [f"I am {model}." for model in MODELS]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("options", [{}, {"method": "json_schema", "strict": True}], ids=["default", "strict"])
def test_structured_output(gateway, model, options):
    llm = chat(gateway, model).with_structured_output(Instrument, include_raw=True, **options)
    found = llm.invoke(scenes.instrument(model))
    assert found["parsing_error"] is None
    scenes.check(found["parsed"])
    assert found["raw"].usage_metadata["total_tokens"] > 0


@pytest.mark.parametrize("model", MODELS)
def test_structured_output_by_a_dictionary(gateway, model):
    llm = chat(gateway, model).with_structured_output(Instrument.model_json_schema(), method="json_schema")
    scenes.check(Instrument.model_validate(llm.invoke(scenes.instrument(model))))


@pytest.mark.parametrize("model", MODELS)
def test_structured_output_by_a_call(gateway, model):
    llm = chat(gateway, model).with_structured_output(Instrument, method="function_calling")
    ask = f"Name an instrument. [[sim:tool Instrument {scenes.VIOLIN}]]"
    assert scenes.check(llm.invoke(ask)) == Instrument.model_validate_json(scenes.VIOLIN)


@pytest.mark.parametrize("model", MODELS)
def test_structured_output_by_json_mode(gateway, model):
    llm = chat(gateway, model).with_structured_output(Instrument, method="json_mode")
    found = llm.invoke(f"Name an instrument, in JSON. {scenes.answer(scenes.VIOLIN)}")
    assert found == Instrument.model_validate_json(scenes.VIOLIN)


@pytest.mark.parametrize("model", MODELS)
def test_structured_output_of_a_stream(gateway, model):
    llm = chat(gateway, model).with_structured_output(Instrument)
    with warnings.catch_warnings():
        # LangChain puts the parsed object where OpenAI's SDK has no type for it, whoever the server is.
        warnings.filterwarnings("ignore", "Pydantic serializer warnings")
        found = list(llm.stream(scenes.instrument(model)))
    scenes.check(found[-1])


@pytest.mark.parametrize("model", THINKING)
def test_structured_output_with_reasoning(gateway, model):
    llm = chat(gateway, model, reasoning_effort="low").with_structured_output(Instrument)
    scenes.check(llm.invoke(scenes.instrument(model)))


@pytest.mark.parametrize("model", REASONING)
@pytest.mark.parametrize("ask", [lambda llm, messages: llm.invoke(messages), stream], ids=["whole", "streamed"])
def test_reasoning_with_tools(gateway, weather, weather_tool, model, ask):
    # It knows nothing of `reasoning_content`, so that none of it comes back.
    llm = chat(gateway, model, reasoning_effort="medium", max_tokens=8000).bind_tools([weather_tool])
    messages = []
    for city in ["Paris", "Oslo"]:
        messages.append(HumanMessage(scenes.thinking(scenes.call(city))))
        message = ask(llm, messages)
        messages += [message, *run_calls(message, weather_tool)]
        message = ask(llm, messages)
        assert Weather.told(city) in message.content
        messages.append(message)
    assert weather.asked == ["Paris", "Oslo"]


@pytest.mark.parametrize("model", MODELS)
def test_a_batch(gateway, model):
    answers = chat(gateway, model).batch([scenes.answer("one"), scenes.answer("two")])
    assert [answer.content for answer in answers] == ["one", "two"]
    assert all(isinstance(answer, AIMessage) and answer.usage_metadata["total_tokens"] > 0 for answer in answers)


def test_a_conversation_survives_being_stored(gateway, weather_tool):
    """As an agent's memory stores it: messages to JSON and back."""
    from langchain_core.messages import messages_from_dict, messages_to_dict

    llm = chat(gateway, settings.CLAUDE).bind_tools([weather_tool])
    messages = [HumanMessage(scenes.call("Paris"))]
    message = llm.invoke(messages)
    messages += [message, *run_calls(message, weather_tool)]
    messages = messages_from_dict(json.loads(json.dumps(messages_to_dict(messages))))
    assert Weather.told("Paris") in llm.invoke(messages).content
