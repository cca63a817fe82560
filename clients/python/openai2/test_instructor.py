"""instructor, in each of its modes for OpenAI's SDK."""

import asyncio
import json
from collections.abc import Iterable
from typing import Literal

import instructor
import pytest
from instructor import Mode
from openai import OpenAI
from pydantic import BaseModel

from support import scenes
from support.scenes import LLAMA, MODELS, NOVA_2, REASONING, SEEING, THINKING, VIOLIN, Instrument, Weather

pytestmark = pytest.mark.filterwarnings(*scenes.SILENT)
BY_PROMPT = [Mode.JSON, Mode.MD_JSON]


def patched(gateway, mode=Mode.TOOLS):
    return instructor.from_openai(gateway.openai(), mode=mode)


def user(content):
    return [{"role": "user", "content": content}]


def prompt(mode, model):
    """What makes the simulator fill the type, in the way of each mode."""
    if mode in BY_PROMPT:
        text = VIOLIN if mode == Mode.JSON else f"```json\n{VIOLIN}\n```"
        return f"Name an instrument. {scenes.answer(text)}"
    if mode == Mode.JSON_SCHEMA:
        return scenes.instrument(model)
    return f"Name an instrument. [[sim:tool Instrument {VIOLIN}]]" if model == LLAMA else "Name an instrument."


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("mode", [Mode.TOOLS, Mode.TOOLS_STRICT, Mode.JSON_SCHEMA, Mode.JSON, Mode.MD_JSON])
def test_each_mode(gateway, model, mode):
    found, completion = patched(gateway, mode).chat.completions.create_with_completion(
        model=model, messages=user(prompt(mode, model)), response_model=Instrument, max_retries=0
    )
    scenes.check(found)
    assert completion.usage.total_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_wrong_answer_is_asked_for_again(stack, mark, model):
    wrong, right = '{"name": "drum", "family": "percussion"}', VIOLIN
    ask = f"{mark} [[sim:turns tool Instrument {wrong} | tool Instrument {right}]]"
    found = patched(stack.gateway).chat.completions.create(
        model=model, messages=user(ask), response_model=Instrument, max_retries=1
    )
    assert found.model_dump() == json.loads(right)
    calls = stack.simulator.requests(mark)
    assert len(calls) == 2 and "percussion" in json.dumps(calls[1])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("mode", [Mode.TOOLS, Mode.JSON_SCHEMA])
def test_partial(gateway, model, mode):
    seen = list(
        patched(gateway, mode).chat.completions.create_partial(
            model=model, messages=user(prompt(mode, model)), response_model=Instrument
        )
    )
    # What has to be checked before it's shown comes at once.
    assert len(seen) > 1 or model == LLAMA
    scenes.check(Instrument.model_validate(seen[-1].model_dump()))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_several_objects(gateway, model, streamed):
    tasks = json.dumps({"tasks": [json.loads(VIOLIN)] * 2})
    ask = f"Name instruments. [[sim:tool IterableInstrument {tasks}]]"
    found = patched(gateway).chat.completions.create_iterable(
        model=model, messages=user(ask), response_model=Instrument, stream=streamed
    )
    assert [one.model_dump() for one in found] == [json.loads(VIOLIN)] * 2


class GetWeather(BaseModel):
    """The weather in a city."""

    city: str


class GetTime(BaseModel):
    """The time in a city."""

    city: str
    clock: Literal["12", "24"]


@pytest.mark.parametrize("model", MODELS)
def test_parallel_tools(gateway, model):
    ask = '[[sim:tool GetWeather {"city": "Paris"}]] [[sim:tool GetTime {"city": "Oslo", "clock": "24"}]]'
    found = patched(gateway, Mode.PARALLEL_TOOLS).chat.completions.create(
        model=model, messages=user(ask), response_model=Iterable[GetWeather | GetTime], tool_choice="auto"
    )
    assert list(found) == [GetWeather(city="Paris"), GetTime(city="Oslo", clock="24")]


@pytest.mark.parametrize("model", SEEING)
def test_pictures(stack, mark, model):
    content = [f"{mark} Which instrument is this?", instructor.Image.from_base64(scenes.PNG_URL)]
    scenes.check(
        patched(stack.gateway).chat.completions.create(
            model=model, messages=user(content), response_model=Instrument, max_retries=0
        )
    )
    scenes.check_picture(stack.simulator.requests(mark)[-1])


@pytest.mark.parametrize("model", THINKING)
@pytest.mark.parametrize("mode", [Mode.TOOLS, Mode.JSON_SCHEMA])
def test_reasoning(gateway, model, mode):
    # A call can't be demanded of a model that thinks; the prompt stands for the model that makes it all the same.
    ask = prompt(mode, model) if mode == Mode.JSON_SCHEMA else scenes.thinking(f"[[sim:tool Instrument {VIOLIN}]]")
    found, completion = patched(gateway, mode).chat.completions.create_with_completion(
        model=model, messages=user(ask), response_model=Instrument, reasoning_effort="low", max_retries=0
    )
    scenes.check(found)
    assert completion.choices[0].message.reasoning_content


@pytest.mark.parametrize("model", REASONING)
def test_an_object_at_the_end_of_a_conversation_with_tools(gateway, model):
    client: OpenAI = gateway.openai()
    messages = user(scenes.thinking(scenes.call("Paris")))
    message = client.chat.completions.create(
        model=model, messages=messages, tools=[Weather.FUNCTION], reasoning_effort="medium"
    ).choices[0].message
    if model != NOVA_2:
        assert message.reasoning_content == scenes.THOUGHT
    [call] = message.tool_calls
    messages += [message.to_dict()]
    messages += [{"role": "tool", "tool_call_id": call.id, "content": Weather.told("Paris")}]
    messages += user(f"Which instrument suits that? [[sim:tool Instrument {VIOLIN}]]")
    found = patched(gateway).chat.completions.create(
        model=model, messages=messages, response_model=Instrument, reasoning_effort="medium", max_retries=0
    )
    assert found.model_dump() == json.loads(VIOLIN)


@pytest.mark.parametrize("model", MODELS)
def test_async(gateway, model):
    async def ask():
        async with gateway.async_openai() as client:
            return await instructor.from_openai(client, mode=Mode.TOOLS).chat.completions.create(
                model=model, messages=user(prompt(Mode.TOOLS, model)), response_model=Instrument, max_retries=0
            )

    scenes.check(asyncio.run(ask()))
