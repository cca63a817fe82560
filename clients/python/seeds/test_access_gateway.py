"""The examples of bedrock-access-gateway's usage guide, as they are printed there, but for address and key.

Commands run in a shell, by curl itself. The table of all examples is in `test_table.py`.
"""

import json

import httpx
import openai
import pytest

from support import media, settings, shapes
from support.fetched import Site
from support.seeded import alike

SONNET = "anthropic.claude-3-sonnet-20240229-v1:0"
CLAUDE_3_7 = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
CLAUDE_4 = "us.anthropic.claude-sonnet-4-20250514-v1:0"
COHERE = "cohere.embed-multilingual-v3"

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 1}


def completion(**message):
    """The answer that the guide shows, with this in its message."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant"} | message}
    shown = {"id": "", "created": 1, "model": "", "choices": [choice], "object": "chat.completion", "usage": USAGE}
    # The guide has `system_fingerprint` as well, with nothing in it.
    return shown


def check(seeds, given, **message):
    alike(completion(**message), given)
    shapes.check_usage(given["usage"])
    return given["choices"][0]


@pytest.fixture
def openai_client(seeds, monkeypatch):
    """`OpenAI()` as the guide has it: address and key are in the environment."""
    monkeypatch.setenv("OPENAI_BASE_URL", seeds.gateway.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", seeds.gateway.key)
    return openai.OpenAI


def test_models(seeds):
    data = seeds.json('curl -s $OPENAI_BASE_URL/models -H "Authorization: Bearer $OPENAI_API_KEY"')["data"]
    alike([{"id": "", "created": 1734416893, "object": "model", "owned_by": "bedrock"}], data)
    assert {one["owned_by"] for one in data} == {"bedrock"}
    ids = [one["id"] for one in data]
    assert "anthropic.claude-3-5-sonnet-20240620-v1:0" in ids and "us.anthropic.claude-3-5-sonnet-20240620-v1:0" in ids


def test_embeddings(seeds):
    given = seeds.json("""curl $OPENAI_BASE_URL/embeddings \\
-H "Authorization: Bearer $OPENAI_API_KEY" \\
-H "Content-Type: application/json" \\
-d '{
    "input": "The food was delicious and the waiter...",
    "model": "text-embedding-ada-002",
    "encoding_format": "float"
  }'""")
    shown = {"object": "embedding", "embedding": [-0.02279663], "index": 0}
    alike({"object": "list", "data": [shown], "model": "", "usage": {"prompt_tokens": 0, "total_tokens": 0}}, given)
    assert len(given["data"]) == 1 and len(given["data"][0]["embedding"]) == 1024
    call = seeds.last("InvokeModel")
    assert COHERE in call["path"] and call["body"]["texts"] == ["The food was delicious and the waiter..."]


def test_embeddings_with_openais_sdk(seeds, openai_client):
    client = openai_client()

    def get_embedding(text, model="text-embedding-3-small"):
        text = text.replace("\n", " ")
        return client.embeddings.create(input=[text], model=model).data[0].embedding

    embedding = get_embedding("hello")
    assert len(embedding) == 1024 and all(isinstance(number, float) for number in embedding)


IMAGES = """curl $OPENAI_BASE_URL/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -d '{
    "model": "gpt-3.5-turbo",
    "messages": [
        {
            "role": "user",
            "content": [
                {
                    "type": "text",
                    "text": "please identify and count all the objects in THESE, list all the names"
                },
                {
                    "type": "image_url",
                    "image_url": {
                        "url": "URL"
                    }
                }
            ]
        }
    ]
}'"""


def check_picture(seeds, given, data):
    check(seeds, given, content="")
    call = seeds.last("Converse")
    [picture] = [part["image"] for part in call["body"]["messages"][0]["content"] if "image" in part]
    assert picture["source"]["bytes"] == media.base64_of(data)
    assert SONNET in call["path"].replace("%3A", ":")


def test_an_image_by_url(seeds):
    """The first line, which stands there twice, stands here once."""
    with Site() as site:
        # The address is ours, and the rest of the URL the guide's.
        path = "/image/aws-samples/bedrock-access-gateway/blob/main/assets/obj-detect.png?raw=true"
        script = IMAGES.replace("THESE", "these images").replace('URL"', f'{site.url(path)}"')
        check_picture(seeds, seeds.json(script), media.IMAGES["png"])


def test_an_image_in_the_request(seeds):
    url = media.data_url(media.JPEG, "image/jpeg")
    script = IMAGES.replace("THESE", "this images").replace('"URL"', f'"{url}"')
    check_picture(seeds, seeds.json(script), media.JPEG)


TOOLS = """curl $OPENAI_BASE_URL/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -d '{
    "model": "gpt-3.5-turbo",
    "messages": [
        {
            "role": "user",
            "content": "What is the weather like in Shanghai today?"
        }
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_current_weather",
                "description": "Get the current weather in a given location",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "location": {
                            "type": "string",
                            "description": "The city or state which is required."
                        },
                        "unit": {
                            "type": "string",
                            "enum": [
                                "celsius",
                                "fahrenheit"
                            ]
                        }
                    },
                    "required": [
                        "location"
                    ]
                }
            }
        },
        {
            "type": "function",
            "function": {
                "name": "get_current_location",
                "description": "Use this tool to get the current location if user does not provide a location",
                "parameters": {
                    "type": "object",
                    "properties": {}
                }
            }
        }
    ],
    "tool_choice": "auto"
}'"""


def test_a_tool_call(seeds):
    given = seeds.json(TOOLS)
    call = {"id": "0", "type": "function", "function": {"name": "get_current_weather", "arguments": ""}}
    choice = check(seeds, given, tool_calls=[call])
    [called] = choice["message"]["tool_calls"]
    assert called["function"]["name"] == "get_current_weather"
    assert json.loads(called["function"]["arguments"]) == {"location": "Shanghai", "unit": "celsius"}
    # The guide says "stop"; OpenAI says that a call is to be made, and clients look for that.
    assert choice["finish_reason"] == "tool_calls"


CLAUDE = """curl $OPENAI_BASE_URL/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -d '{
    "model": "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    "messages": [
        {
            "role": "user",
            "content": "which one is bigger, 3.9 or 3.11?"
        }
    ],
    "max_completion_tokens": 4096,
    "reasoning_effort": "low",
    "stream": false
}'"""


def test_claudes_reasoning(seeds):
    """With the brace before `"role"` that the guide forgot."""
    choice = check(seeds, seeds.json(CLAUDE), content="", reasoning_content="")
    assert choice["message"]["content"] and choice["message"]["reasoning_content"]
    call = seeds.last("Converse")
    assert CLAUDE_3_7 in call["path"].replace("%3A", ":")
    # 30 % of what it may say.
    assert call["body"]["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 1228


def test_without_the_brace_the_error_says_where_it_is_missing(seeds):
    script = CLAUDE.replace("        {\n", "    ", 1)
    assert script != CLAUDE
    shapes.check_error_body(seeds.json(script), kind="invalid_request_error", param="messages[0]")


def test_deepseeks_reasoning(seeds):
    given = seeds.json("""curl $OPENAI_BASE_URL/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -d '{
    "model": "us.deepseek.r1-v1:0",
    "messages": [
        {
            "role": "user",
            "content": "which one is bigger, 3.9 or 3.11?"
        }
    ],
    "stream": false
}'""")
    choice = check(seeds, given, content="", reasoning_content="")
    assert choice["message"]["content"] and choice["message"]["reasoning_content"]


def test_reasoning_with_openais_sdk(openai_client):
    client = openai_client()
    messages = [{"role": "user", "content": "which one is bigger, 3.9 or 3.11?"}]
    response = client.chat.completions.create(
        model="us.anthropic.claude-3-7-sonnet-20250219-v1:0",
        messages=messages,
        reasoning_effort="low",
        max_completion_tokens=4096,
    )
    assert response.choices[0].message.reasoning_content
    assert response.choices[0].message.content


def test_reasoning_with_openais_sdk_streamed(openai_client):
    client = openai_client()
    messages = [{"role": "user", "content": "9.11 and 9.8, which is greater?"}]
    response = client.chat.completions.create(
        model="us.anthropic.claude-3-7-sonnet-20250219-v1:0",
        messages=messages,
        reasoning_effort="low",
        max_completion_tokens=4096,
        stream=True,
    )
    reasoning_content = ""
    content = ""
    # Each chunk has a choice to look into.
    for chunk in response:
        if hasattr(chunk.choices[0].delta, "reasoning_content") and chunk.choices[0].delta.reasoning_content:
            reasoning_content += chunk.choices[0].delta.reasoning_content
        elif chunk.choices[0].delta.content:
            content += chunk.choices[0].delta.content
    assert reasoning_content and content


INTERLEAVED = """curl $ROOT/api/v1/chat/completions \\
-H "Content-Type: application/json" \\
-H "Authorization: Bearer $OPENAI_API_KEY" \\
-d '{
"model": "us.anthropic.claude-sonnet-4-20250514-v1:0",
"max_tokens": 2048,
"messages": [{
"role": "user",
"content": "QUESTION"
}],
"extra_body": {
"anthropic_beta": ["interleaved-thinking-2025-05-14"],
"thinking": {"type": "enabled", "budget_tokens": 4096}
}
}'"""
# The guide's is a riddle of ten lines, in Chinese and with such quotation marks as well.
QUESTION = "请问这位父亲为什么过一会崩溃了？“你这 8 怎么一半是绿的一半是红的？”"


def check_interleaved(seeds, operation):
    call = seeds.last(operation)
    assert CLAUDE_4 in call["path"].replace("%3A", ":")
    assert call["body"]["messages"] == [{"role": "user", "content": [{"text": QUESTION}]}]
    assert call["body"]["inferenceConfig"]["maxTokens"] == 2048
    extra = call["body"]["additionalModelRequestFields"]
    assert extra["anthropic_beta"] == ["interleaved-thinking-2025-05-14"]
    assert extra["thinking"] == {"type": "enabled", "budget_tokens": 4096}


def test_interleaved_thinking(seeds):
    given = seeds.json(INTERLEAVED.replace("QUESTION", QUESTION), ROOT=seeds.gateway.root)
    choice = check(seeds, given, content="", reasoning_content="")
    assert QUESTION in choice["message"]["content"]
    check_interleaved(seeds, "Converse")


def test_interleaved_thinking_streamed(seeds):
    script = INTERLEAVED.replace("QUESTION", QUESTION).replace('"extra_body"', '"stream": true,\n"extra_body"')
    chunks = seeds.events(script, ROOT=seeds.gateway.root)
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas)
    assert QUESTION in "".join(delta.get("content") or "" for delta in deltas)
    check_interleaved(seeds, "ConverseStream")


def test_refreshing_the_list(seeds):
    """As the guide says of its first example, it also finds models that are new; by us at once, if that is asked."""
    reply = seeds.gateway.get("/v1/models?refresh=true")
    assert reply.status_code == 200
    operations = [one["operation"] for one in seeds.simulator.state()["requests"]]
    assert "ListFoundationModels" in operations


def test_the_key_of_the_guide_is_not_needed_by_name(seeds):
    """`Authorization: Bearer bedrock` is the key of somebody else's gateway, and ours says so."""
    reply = httpx.post(
        f"{seeds.gateway.root}/api/v1/chat/completions",
        headers={"authorization": "Bearer bedrock"},
        json={"model": settings.NOVA, "messages": [{"role": "user", "content": "Hi"}]},
        trust_env=False,
        timeout=30,
    )
    shapes.check_error(reply, 401, code="invalid_api_key")
