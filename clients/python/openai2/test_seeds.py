"""The programs of LiteLLM's page on Bedrock, as they are printed there, but for address and key.

Where the page has AWS's keys and regions in the environment, LiteLLM is told to ask a gateway instead; so the programs'
own lines are untouched. What they pass of AWS's credentials, LiteLLM keeps to itself.
"""

import json
import os

import pytest

from support import media
from support.seeded import alike

INSTANT = "anthropic.claude-instant-v1"
SONNET = "anthropic.claude-3-sonnet-20240229-v1:0"
PROVISIONED = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/simulator001"
HELLO = [{"content": "Hello, how are you?", "role": "user"}]


@pytest.fixture
def litellm(seeds, monkeypatch):
    # Otherwise it looks for a newer list of prices on the web.
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    monkeypatch.setenv("USE_LITELLM_PROXY", "True")
    monkeypatch.setenv("LITELLM_PROXY_API_BASE", seeds.gateway.base_url)
    monkeypatch.setenv("LITELLM_PROXY_API_KEY", seeds.gateway.key)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    import litellm

    return litellm


@pytest.fixture
def completion(litellm):
    return litellm.completion


def went(seeds, model, operation="Converse"):
    """The body of the newest call, which was this model's."""
    call = seeds.last(operation)
    assert model in call["path"].replace("%3A", ":").replace("%2F", "/"), call["path"]
    return call["body"]


def check(response):
    assert response.choices[0].finish_reason == "stop"
    assert response.choices[0].message.content
    assert response.usage.total_tokens == response.usage.prompt_tokens + response.usage.completion_tokens > 0


class TestCompletion:
    def test_usage(self, seeds, completion):
        check(completion(model="bedrock/anthropic.claude-3-sonnet-20240229-v1:0", messages=HELLO))
        assert went(seeds, SONNET)["messages"] == [{"role": "user", "content": [{"text": "Hello, how are you?"}]}]

    def test_sampling(self, seeds, completion):
        check(completion(model=f"bedrock/{SONNET}", messages=HELLO, temperature=0.7, top_p=1))
        assert went(seeds, SONNET)["inferenceConfig"] == {"temperature": 0.7, "topP": 1}

    def test_a_parameter_of_the_providers(self, seeds, completion):
        check(completion(model=f"bedrock/{SONNET}", messages=HELLO, top_k=1))
        assert went(seeds, SONNET)["additionalModelRequestFields"] == {"top_k": 1}

    def test_function_calling(self, seeds, completion):
        tools = [
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
                                "description": "The city and state, e.g. San Francisco, CA",
                            },
                            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                        },
                        "required": ["location"],
                    },
                },
            }
        ]
        messages = [{"role": "user", "content": "What's the weather like in Boston today?"}]
        response = completion(model=f"bedrock/{SONNET}", messages=messages, tools=tools, tool_choice="auto")
        assert isinstance(response.choices[0].message.tool_calls[0].function.name, str)
        assert isinstance(response.choices[0].message.tool_calls[0].function.arguments, str)
        assert json.loads(response.choices[0].message.tool_calls[0].function.arguments) == {"location": "Boston, MA"}

    def test_vision(self, seeds, litellm, tmp_path):
        def encode_image(image_path):
            import base64

            with open(image_path, "rb") as image_file:
                return base64.b64encode(image_file.read()).decode("utf-8")

        image_path = tmp_path / "cached_logo.jpg"
        image_path.write_bytes(media.JPEG)
        base64_image = encode_image(image_path)
        check(
            litellm.completion(
                model=f"bedrock/{SONNET}",
                messages=[
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "Whats in this image?"},
                            {
                                "type": "image_url",
                                "image_url": {"url": "data:image/jpeg;base64," + base64_image},
                            },
                        ],
                    }
                ],
            )
        )
        content = went(seeds, SONNET)["messages"][0]["content"]
        assert {"format": "jpeg", "source": {"bytes": base64_image}} in [part.get("image") for part in content]

    def test_prefill(self, seeds, completion):
        question = (
            "How do you say 'Hello' in German? Return your answer as a JSON object, like this:\n\n"
            '{ "Hello": "Hallo" }'
        )
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": "{"}]
        check(completion(model="bedrock/anthropic.claude-v2", messages=messages))
        assert went(seeds, "anthropic.claude-v2")["messages"][-1] == {"role": "assistant", "content": [{"text": "{"}]}

    def test_system_messages(self, seeds, completion):
        messages = [
            {"role": "system", "content": "You are a snarky assistant."},
            {"role": "user", "content": "How do I boil water?"},
        ]
        check(completion(model="bedrock/anthropic.claude-v2:1", messages=messages))
        assert went(seeds, "anthropic.claude-v2:1")["system"] == [{"text": "You are a snarky assistant."}]

    def test_streaming(self, seeds, completion):
        response = completion(model="bedrock/anthropic.claude-instant-v1", messages=HELLO, stream=True)
        chunks = [chunk.model_dump() for chunk in response]
        shown = {"finish_reason": None, "index": 0, "delta": {"content": ""}}
        alike({"choices": [shown], "created": 1, "model": ""}, chunks[1])
        assert "Hello, how are you?" in "".join(chunk["choices"][0]["delta"]["content"] or "" for chunk in chunks)
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        went(seeds, INSTANT, "ConverseStream")


class TestKeys:
    """AWS's, in each form of the page: all of them stay where the program runs, and ours are used."""

    @pytest.mark.parametrize(
        "keys",
        [
            {"aws_access_key_id": "", "aws_secret_access_key": "", "aws_region_name": ""},
            {},
            {"aws_profile_name": "dev-profile"},
            {
                "max_tokens": 10,
                "temperature": 0.1,
                "aws_role_name": "arn:aws:iam::123456789012:role/x",
                "aws_session_name": "my-test-session",
            },
            {
                "max_tokens": 10,
                "temperature": 0.1,
                "aws_region_name": "us-east-1",
                "aws_access_key_id": "AKIDANYTHING00000000",
                "aws_secret_access_key": "secret",
                "aws_role_name": "arn:aws:iam::123456789012:role/x",
                "aws_session_name": "my-test-session",
            },
        ],
        ids=["parameters", "profile by environment", "profile by name", "role", "role and keys"],
    )
    def test_in_the_call(self, seeds, completion, keys):
        response = completion(model="bedrock/anthropic.claude-instant-v1", messages=HELLO, **keys)
        assert response.choices[0].message.content
        assert response.choices[0].finish_reason == ("length" if "max_tokens" in keys else "stop")
        body = went(seeds, INSTANT)
        if "max_tokens" in keys:
            assert body["inferenceConfig"] == {"maxTokens": 10, "temperature": 0.1}

    def test_a_client_of_boto3(self, seeds, completion):
        import boto3

        bedrock = boto3.client(
            service_name="bedrock-runtime",
            region_name="us-east-1",
            aws_access_key_id="",
            aws_secret_access_key="",
            aws_session_token="",
        )
        check(completion(model="bedrock/anthropic.claude-instant-v1", messages=HELLO, aws_bedrock_client=bedrock))

    def test_a_client_of_boto3_by_a_profile(self, seeds, completion, monkeypatch, tmp_path):
        import boto3

        config = tmp_path / "config"
        config.write_text("[profile dev-profile]\nregion = us-east-1\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        dev_session = boto3.Session(profile_name="dev-profile")
        bedrock = dev_session.client(service_name="bedrock-runtime", region_name="us-east-1")
        check(completion(model="bedrock/anthropic.claude-instant-v1", messages=HELLO, aws_bedrock_client=bedrock))


class TestProvisionedThroughput:
    """`provisioned-model-arn` is a place for one's own."""

    def test_completion(self, seeds, litellm):
        check(litellm.completion(model="bedrock/anthropic.claude-instant-v1", model_id=PROVISIONED, messages=HELLO))
        went(seeds, PROVISIONED)

    def test_embedding(self, seeds, litellm):
        """The simulator's one is Claude's, which embeds nothing: what is asked for arrives, and the error is ours."""
        with pytest.raises(litellm.BadRequestError) as caught:
            litellm.embedding(model="bedrock/amazon.titan-embed-text-v1", model_id=PROVISIONED, input=["hi"])
        assert "provisioned-model" in str(caught.value) or "embed" in str(caught.value)


CHAT = [
    "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "anthropic.claude-3-sonnet-20240229-v1:0",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-3-opus-20240229-v1:0",
    "anthropic.claude-v2:1",
    "anthropic.claude-v2",
    "anthropic.claude-instant-v1",
    "meta.llama3-70b-instruct-v1:0",
    "meta.llama3-8b-instruct-v1:0",
    "amazon.titan-text-lite-v1",
    "amazon.titan-text-express-v1",
    "cohere.command-text-v14",
    "ai21.j2-mid-v1",
    "ai21.j2-ultra-v1",
    "ai21.jamba-instruct-v1:0",
    "meta.llama2-13b-chat-v1",
    "meta.llama2-70b-chat-v1",
    "mistral.mistral-7b-instruct-v0:2",
    "mistral.mixtral-8x7b-instruct-v0:1",
]


@pytest.mark.parametrize("model", CHAT)
def test_each_model_of_the_table(completion, model):
    response = completion(model=f"bedrock/{model}", messages=HELLO)
    assert "Hello, how are you?" in response.choices[0].message.content


class TestEmbedding:
    def test_usage(self, litellm):
        response = litellm.embedding(model="bedrock/amazon.titan-embed-text-v1", input=["good morning from litellm"])
        assert len(response.data) == 1 and len(response.data[0]["embedding"]) == 1536
        assert response.usage.prompt_tokens == response.usage.total_tokens > 0

    @pytest.mark.parametrize(
        "model, dimensions",
        [
            ("amazon.titan-embed-text-v2:0", 1024),
            ("amazon.titan-embed-text-v1", 1536),
            ("cohere.embed-english-v3", 1024),
            ("cohere.embed-multilingual-v3", 1024),
        ],
    )
    def test_each_model_of_the_table(self, litellm, model, dimensions):
        given = ["good morning from litellm"]
        response = litellm.embedding(model=f"bedrock/{model}", input=given)
        assert [len(one["embedding"]) for one in response.data] == [dimensions]


class TestImages:
    def test_usage(self, seeds, litellm):
        response = litellm.image_generation(
            prompt="A cute baby sea otter",
            model="bedrock/stability.stable-diffusion-xl-v0",
        )
        assert len(response.data) == 1 and (response.data[0].b64_json or response.data[0].url)
        assert went(seeds, "stability.stable-diffusion-xl-v0", "InvokeModel")["text_prompts"][0]["text"] == (
            "A cute baby sea otter"
        )

    def test_optional_parameters(self, seeds, litellm):
        response = litellm.image_generation(
            prompt="A cute baby sea otter",
            model="bedrock/stability.stable-diffusion-xl-v0",
            size="128x512",
            seed=30,
        )
        assert len(response.data) == 1
        body = went(seeds, "stability.stable-diffusion-xl-v0", "InvokeModel")
        assert (body["width"], body["height"], body["seed"]) == (128, 512, 30)

    def test_the_other_model_of_the_table(self, seeds, litellm):
        prompt = "A cute baby sea otter"
        response = litellm.image_generation(model="bedrock/stability.stable-diffusion-xl-v1", prompt=prompt)
        assert len(response.data) == 1


def test_langchain(seeds, monkeypatch, recwarn):
    """All of it is deprecated there by now, which `recwarn` keeps from us."""
    from langchain.chat_models import ChatOpenAI
    from langchain.prompts.chat import (  # noqa: F401
        ChatPromptTemplate,
        HumanMessagePromptTemplate,
        SystemMessagePromptTemplate,
    )
    from langchain.schema import HumanMessage, SystemMessage

    monkeypatch.setenv("OPENAI_API_KEY", seeds.gateway.key)
    chat = ChatOpenAI(openai_api_base=seeds.gateway.root, model="bedrock-claude-v1", temperature=0.1)
    messages = [
        SystemMessage(content="You are a helpful assistant that im using to make a test request to."),
        HumanMessage(content="test from litellm. tell me why it's amazing in 1 sentence"),
    ]
    response = chat(messages)
    assert "tell me why it's amazing" in response.content
    assert went(seeds, INSTANT)["inferenceConfig"] == {"temperature": 0.1}


def test_langchains_embeddings(seeds, monkeypatch):
    """bedrock-access-gateway's program. LangChain sends tokens, not text; LlamaIndex brings its tokenizer's file."""
    import llama_index.core

    tokens = os.path.join(os.path.dirname(llama_index.core.__file__), "_static", "tiktoken_cache")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", tokens)
    monkeypatch.setenv("OPENAI_API_BASE", seeds.gateway.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", seeds.gateway.key)
    from langchain_openai import OpenAIEmbeddings

    embeddings = OpenAIEmbeddings(
        model="text-embedding-3-large",
    )
    text = "This is a test document."
    query_result = embeddings.embed_query(text)
    assert len(query_result[:5]) == 5 and len(query_result) == 1024
    doc_result = embeddings.embed_documents([text])
    assert doc_result[0][:5] == pytest.approx(query_result[:5])
    body = went(seeds, "cohere.embed-multilingual-v3", "InvokeModel")
    assert body["texts"] == [text], "the model gets words, not numbers"
