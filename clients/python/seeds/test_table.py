"""Every example of the four documents, and the test that runs it.

A row is a block of code, or a table whose rows are calls. `line` is the block's first one in the document as it was
when this was written. Tests are named by file and function, below `clients/`.
"""

import pathlib
import re

import pytest

CLIENTS = pathlib.Path(__file__).parents[2]

ACCESS_GATEWAY = "bedrock-access-gateway-usage.md"
SPECIFICATION = "bedrock-proxy-api-specification.md"
WRAPPER = "bedrock-wrapper.md"
LITELLM = "litellm-bedrock.md"

BAG = "python/seeds/test_access_gateway.py::"
SPEC = "python/seeds/test_proxy_specification.py::"
PROXY = "python/seeds/test_litellm_proxy.py::"
SDK = "python/openai2/test_seeds.py::"
NODE = "node/seeds.test.js::"
NAMES = "python/test_names.py::"

# document, line, heading, what it is, tests
EXAMPLES = [
    (ACCESS_GATEWAY, 7, "Usage Guide", "address and key, in the environment of all that follow", BAG + "openai_client"),
    (ACCESS_GATEWAY, 29, "Models API", "curl", BAG + "test_models"),
    (ACCESS_GATEWAY, 35, "Models API", "its answer", BAG + "test_models"),
    (ACCESS_GATEWAY, 65, "Embedding API", "curl", BAG + "test_embeddings"),
    (ACCESS_GATEWAY, 78, "Embedding API", "its answer", BAG + "test_embeddings"),
    (ACCESS_GATEWAY, 105, "Embedding API", "Python, openai", BAG + "test_embeddings_with_openais_sdk"),
    (ACCESS_GATEWAY, 121, "Embedding API", "Python, langchain_openai", SDK + "test_langchains_embeddings"),
    (ACCESS_GATEWAY, 138, "Multimodal API", "curl, an image by URL", BAG + "test_an_image_by_url"),
    (ACCESS_GATEWAY, 168, "Multimodal API", "curl, an image as base64", BAG + "test_an_image_in_the_request"),
    (ACCESS_GATEWAY, 196, "Multimodal API", "their answer", BAG + "check_picture"),
    (ACCESS_GATEWAY, 230, "Tool Call", "curl", BAG + "test_a_tool_call"),
    (ACCESS_GATEWAY, 287, "Tool Call", "its answer", BAG + "test_a_tool_call"),
    (ACCESS_GATEWAY, 338, "Reasoning", "curl, Claude 3.7", BAG + "test_claudes_reasoning"),
    (ACCESS_GATEWAY, 357, "Reasoning", "curl, DeepSeek R1", BAG + "test_deepseeks_reasoning"),
    (ACCESS_GATEWAY, 375, "Reasoning", "their answer", BAG + "test_claudes_reasoning"),
    (ACCESS_GATEWAY, 406, "Reasoning", "Python, openai", BAG + "test_reasoning_with_openais_sdk"),
    (ACCESS_GATEWAY, 424, "Reasoning", "Python, openai, streamed", BAG + "test_reasoning_with_openais_sdk_streamed"),
    (ACCESS_GATEWAY, 459, "Interleaved thinking", "curl", BAG + "test_interleaved_thinking"),
    (ACCESS_GATEWAY, 479, "Interleaved thinking", "curl, streamed", BAG + "test_interleaved_thinking_streamed"),
    # No blocks of code here: what it says of each endpoint.
    (SPECIFICATION, 15, "Chat Completions Endpoint", "its two parameters", SPEC + "TestParameters"),
    (SPECIFICATION, 32, "Completions Endpoint", "chat models answer", SPEC + "TestCompletions"),
    (SPECIFICATION, 44, "Models Endpoint", "`provider`, and more", SPEC + "TestModels"),
    (SPECIFICATION, 54, "Error Handling Differences", "more fields, errors in streams", SPEC + "TestErrors"),
    (SPECIFICATION, 60, "Rate Limiting", "AWS's", SPEC + "TestErrors"),
    (SPECIFICATION, 65, "Authentication Differences", "keys", SPEC + "TestKeys"),
    (SPECIFICATION, 70, "Streaming Implementation", "OpenAI's format", "python/test_chat_stream.py::"),
    (SPECIFICATION, 78, "Additional Headers", "all four", SPEC + "TestHeaders"),
    (SPECIFICATION, 84, "Metadata Endpoints", "`/v1/providers`", SPEC + "test_providers"),
    (SPECIFICATION, 85, "Metadata Endpoints", "`/v1/mappings`", SPEC + "test_mappings"),
    (SPECIFICATION, 86, "Metadata Endpoints", "`/v1/usage`", SPEC + "test_usage"),
    (WRAPPER, 25, "Usage, 1", "the library's import: OpenAI's SDK here", NODE + "bedrock-wrapper's page"),
    (WRAPPER, 30, "Usage, 2", "AWS's keys: the gateway's here", NODE + "bedrock-wrapper's page"),
    (WRAPPER, 39, "Usage, 3", "JavaScript, the request", NODE + "streams (usage, 3 and 4)"),
    (WRAPPER, 51, "Usage, 3", "JavaScript, its messages", NODE + "streams (usage, 3 and 4)"),
    (WRAPPER, 71, "Usage, 4", "JavaScript, streamed", NODE + "streams (usage, 3 and 4)"),
    (WRAPPER, 86, "Usage, 4", "JavaScript, whole", NODE + "answers whole (usage, 4)"),
    (WRAPPER, 103, "Usage, 5", "JavaScript, `useConverseAPI`", NODE + "takes useConverseAPI (usage, 5)"),
    (WRAPPER, 126, "Supported Models", "table of 57 names", NAMES + "TestEveryNameOfTheDocuments"),
    (WRAPPER, 186, "Supported Models", "JavaScript, the list of names", NODE + "lists the names (supported models)"),
    (WRAPPER, 205, "Thinking Models", "JavaScript", NODE + "shows what the model thinks (thinking models)"),
    (WRAPPER, 234, "Image Support", "JavaScript, base64", NODE + "takes pictures (image support)"),
    (WRAPPER, 257, "Image Support", "JavaScript, URL", NODE + "takes pictures by URL (image support)"),
    (WRAPPER, 282, "Stop Sequences", "JavaScript", NODE + "takes stop sequences (stop sequences)"),
    (WRAPPER, 311, "Stop Sequences", "JavaScript, counting", NODE + "before it says 7 (stop sequences)"),
    (WRAPPER, 325, "Parameter Restrictions", "`temperature` and `top_p`", NODE + "leaves top_p out"),
    (
        LITELLM,
        13,
        "Required Environment Variables",
        "AWS's keys: LiteLLM is told of a gateway instead",
        SDK + "litellm",
    ),
    (LITELLM, 25, "Usage", "Python", SDK + "test_usage"),
    (LITELLM, 45, "OpenAI Proxy Usage, 1", "YAML: an alias of ours", "python/support/names.py::SETTINGS"),
    (LITELLM, 57, "OpenAI Proxy Usage, 1", "AWS's keys", SDK + "TestKeys"),
    (LITELLM, 79, "OpenAI Proxy Usage, 3", "curl", PROXY + "test_curl"),
    (LITELLM, 96, "OpenAI Proxy Usage, 3", "Python, openai", PROXY + "test_openais_sdk"),
    (LITELLM, 117, "OpenAI Proxy Usage, 3", "Python, langchain", SDK + "test_langchain"),
    (LITELLM, 152, "Set temperature, top p, etc.", "Python", SDK + "test_sampling"),
    (LITELLM, 183, "Set temperature, top p, etc.", "Python, openai", PROXY + "test_sampling"),
    (LITELLM, 216, "Pass provider-specific params", "Python", SDK + "test_a_parameter_of_the_providers"),
    (LITELLM, 245, "Pass provider-specific params", "Python, openai", PROXY + "test_a_parameter_of_the_providers"),
    (LITELLM, 277, "Usage - Function Calling", "Python", SDK + "test_function_calling"),
    (LITELLM, 324, "Usage - Vision", "Python", SDK + "test_vision"),
    (LITELLM, 370, 'Usage - "Assistant Pre-fill"', "Python", SDK + "test_prefill"),
    (LITELLM, 387, 'Usage - "Assistant Pre-fill"', "the prompt", "python/test_invoke_families.py::"),
    (LITELLM, 399, 'Usage - "System" messages', "Python", SDK + "test_system_messages"),
    (LITELLM, 416, 'Usage - "System" messages', "the prompt", "python/test_invoke_families.py::"),
    (LITELLM, 427, "Usage - Streaming", "Python", SDK + "test_streaming"),
    (LITELLM, 445, "Usage - Streaming", "a chunk", PROXY + "test_what_a_chunk_looks_like"),
    (LITELLM, 470, "Passing credentials as parameters", "Python", SDK + "TestKeys"),
    (LITELLM, 486, "SSO Login", "Python", SDK + "TestKeys"),
    (LITELLM, 498, "SSO Login", "Python, `aws_profile_name`", SDK + "TestKeys"),
    (LITELLM, 514, "STS based Auth", "Python", SDK + "TestKeys"),
    (LITELLM, 529, "STS based Auth", "Python, with keys", SDK + "TestKeys"),
    (LITELLM, 561, "Passing an external client", "Python", SDK + "test_a_client_of_boto3"),
    (LITELLM, 581, "Passing an external client", "Python, a profile", SDK + "test_a_client_of_boto3_by_a_profile"),
    (LITELLM, 605, "Provisioned throughput models", "Python, chat", SDK + "test_completion"),
    (LITELLM, 615, "Provisioned throughput models", "Python, embedding", SDK + "test_embedding"),
    (LITELLM, 628, "Supported AWS Bedrock Models", "table of 19 calls", SDK + "test_each_model_of_the_table"),
    (LITELLM, 654, "API keys", "AWS's", SDK + "litellm"),
    (LITELLM, 662, "Bedrock Embedding", "Python", SDK + "TestEmbedding"),
    (LITELLM, 673, "Supported AWS Bedrock Embedding Models", "table of 4 calls", SDK + "TestEmbedding"),
    (LITELLM, 685, "Image Generation", "Python", SDK + "TestImages"),
    (LITELLM, 701, "Image Generation", "Python, size and seed", SDK + "test_optional_parameters"),
    (
        LITELLM,
        722,
        "Supported AWS Bedrock Image Generation Models",
        "table of 2 calls",
        SDK + "test_the_other_model_of_the_table",
    ),
]

# What is no request: how to install and start the replaced systems, their own tests, and settings of LiteLLM's that
# repeat the request beside them (`temperature`, `top_p`, `top_k` for all requests).
NOT_REQUESTS = {
    ACCESS_GATEWAY: [],
    SPECIFICATION: [],
    WRAPPER: [345],
    LITELLM: [8, 70, 172, 235],
}
DOCUMENTS = list(NOT_REQUESTS)


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: f"{row[0]}:{row[1]}")
def test_what_is_named_is_there(row):
    file, _, name = row[4].partition("::")
    text = (CLIENTS / file).read_text(encoding="utf-8")
    assert name in text, f"{file} has no {name}"
    if file.endswith(".py") and name and name.lower().startswith("test"):
        assert re.search(rf"^ *(def|class) {name}\b", text, re.MULTILINE), f"{file} has no test {name}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_rows_are_in_order(document):
    lines = [row[1] for row in EXAMPLES if row[0] == document]
    assert lines == sorted(set(lines)) and lines
