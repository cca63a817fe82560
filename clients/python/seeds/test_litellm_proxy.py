"""The examples of LiteLLM's page on Bedrock that talk to its proxy, as they are printed, but for address and key.

Its `model_list`, which names Claude Instant `bedrock-claude-v1`, is an alias in our settings. The page's other
programs, which use LiteLLM's own SDK, and the one with LangChain's old imports, are in `openai2/test_seeds.py`.
"""

import openai
import pytest

from support import shapes
from support.seeded import alike

INSTANT = "anthropic.claude-instant-v1"
POEM = "this is a test request, write a short poem"


@pytest.fixture
def client(seeds):
    # Without `/v1`, as there.
    return openai.OpenAI(api_key=seeds.gateway.key, base_url=seeds.gateway.root)


def test_curl(seeds):
    given = seeds.json(
        """curl --location "$ROOT/chat/completions" \\
--header 'Content-Type: application/json' \\
--header "Authorization: Bearer $OPENAI_API_KEY" \\
--data ' {
      "model": "bedrock-claude-v1",
      "messages": [
        {
          "role": "user",
          "content": "what llm are you"
        }
      ]
    }
'""",
        ROOT=seeds.gateway.root,
    )
    shapes.check_completion(given)
    assert given["choices"][0]["message"]["content"]
    assert INSTANT in seeds.last("Converse")["path"]


def test_openais_sdk(seeds, client):
    response = client.chat.completions.create(
        model="bedrock-claude-v1",
        messages=[{"role": "user", "content": POEM}],
    )
    assert POEM in response.choices[0].message.content
    assert INSTANT in seeds.last("Converse")["path"]


def test_sampling(seeds, client):
    response = client.chat.completions.create(
        model="bedrock-claude-v1",
        messages=[{"role": "user", "content": POEM}],
        temperature=0.7,
        top_p=1,
    )
    assert response.choices[0].message.content
    assert seeds.last("Converse")["body"]["inferenceConfig"] == {"temperature": 0.7, "topP": 1}


def test_a_parameter_of_the_providers(seeds, client):
    """With the colon and the quotation marks that the page's `extra_body={top_k=1}` would need to be Python."""
    response = client.chat.completions.create(
        model="bedrock-claude-v1",
        messages=[{"role": "user", "content": POEM}],
        temperature=0.7,
        extra_body={"top_k": 1},
    )
    assert response.choices[0].message.content
    assert seeds.last("Converse")["body"]["additionalModelRequestFields"] == {"top_k": 1}


def test_what_a_chunk_looks_like(seeds):
    """The page shows one; OpenAI's have all that it has, and a `created` that isn't null."""
    chunks = seeds.events(
        """curl -s "$ROOT/chat/completions" -H "Authorization: Bearer $OPENAI_API_KEY" \\
-H 'Content-Type: application/json' --data '{"model": "bedrock-claude-v1", "stream": true,
"messages": [{"content": "Hello, how are you?", "role": "user"}]}'""",
        ROOT=seeds.gateway.root,
    )
    shown = {"choices": [{"finish_reason": None, "index": 0, "delta": {"content": ""}}], "created": 1, "model": ""}
    alike(shown, chunks[1])
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
