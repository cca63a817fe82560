"""LiteLLM's SDK as a client of each endpoint, with `openai/…` and `litellm_proxy/…` before the model's name."""

import asyncio
import base64
import json

import pytest

from support import media, scenes, settings
from support.endpoints import COHERE_3, CORE, EMBEDDING, NOVA_CANVAS, RERANK, SDXL_1, TITAN_2, png_size
from support.endpoints import mask as mask_of
from support.scenes import LLAMA, MODELS, Weather

PREFIXES = ["openai", "litellm_proxy"]
DOCUMENTS = ["how to bake bread", "how to repair a bicycle", "the history of the violin"]


@pytest.fixture
def litellm(monkeypatch):
    # Otherwise it looks for a newer list of prices on the web.
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    monkeypatch.setattr(litellm, "suppress_debug_info", True)
    return litellm


@pytest.fixture(params=PREFIXES)
def call(request, gateway, litellm):
    """Calls one of LiteLLM's functions with the gateway as its address."""

    def made(function, model, **options):
        return getattr(litellm, function)(
            model=f"{request.param}/{model}",
            api_base=gateway.base_url,
            api_key=settings.KEY,
            max_retries=0,
            **options,
        )

    return made


def user(content):
    return [{"role": "user", "content": content}]


class TestChat:
    @pytest.mark.parametrize("model", MODELS)
    def test_whole(self, call, model):
        response = call("completion", model, messages=user(scenes.answer("Hello there.")))
        assert response.choices[0].message.content == "Hello there." and response.usage.total_tokens > 0

    @pytest.mark.parametrize("model", MODELS)
    def test_streamed(self, call, model):
        chunks = list(call("completion", model, messages=user(scenes.answer("One by one.")), stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "One by one."

    @pytest.mark.parametrize("model", MODELS)
    def test_tools_over_two_turns(self, call, model):
        messages = user(scenes.call("Paris"))
        message = call("completion", model, messages=messages, tools=[Weather.FUNCTION]).choices[0].message
        [called] = message.tool_calls
        assert json.loads(called.function.arguments) == {"city": "Paris"}
        messages += [message.model_dump()]
        messages += [{"role": "tool", "tool_call_id": called.id, "content": Weather.told("Paris")}]
        answer = call("completion", model, messages=messages, tools=[Weather.FUNCTION])
        assert Weather.told("Paris") in answer.choices[0].message.content

    @pytest.mark.parametrize("model", [model for model in MODELS if model != LLAMA])
    def test_structured_output(self, call, model):
        response = call("completion", model, messages=user(scenes.instrument(model)), response_format=scenes.Instrument)
        scenes.check(scenes.Instrument.model_validate_json(response.choices[0].message.content))

    def test_async(self, gateway, litellm):
        async def ask():
            return await litellm.acompletion(
                model=f"openai/{settings.NOVA}",
                api_base=gateway.base_url,
                api_key=settings.KEY,
                messages=user(scenes.answer("Yes.")),
            )

        assert asyncio.run(ask()).choices[0].message.content == "Yes."

    def test_errors_have_their_classes(self, call, litellm):
        with pytest.raises(litellm.RateLimitError):
            call("completion", settings.NOVA, messages=user("[[sim:error ThrottlingException]]"))
        with pytest.raises(litellm.NotFoundError):
            call("completion", "no-such-model", messages=user("hello"))


class TestCompletions:
    def test_whole(self, call):
        response = call("text_completion", settings.NOVA, prompt=scenes.answer("Hello there."))
        assert response.choices[0].text == "Hello there."

    def test_streamed(self, call):
        chunks = list(call("text_completion", settings.NOVA, prompt=scenes.answer("Hello there."), stream=True))
        assert "".join(chunk.choices[0].text or "" for chunk in chunks) == "Hello there."

    def test_at_the_endpoint_itself(self, gateway, litellm):
        response = litellm.text_completion(
            model="text-completion-openai/amazon.titan-text-express-v1",
            api_base=gateway.base_url,
            api_key=settings.KEY,
            prompt=[scenes.answer("One."), scenes.answer("Two.")],
        )
        assert [choice.text.strip() for choice in response.choices] == ["One.", "Two."]


class TestEmbeddings:
    @pytest.mark.parametrize("model", EMBEDDING)
    def test_each_model(self, call, model):
        response = call("embedding", model, input=["hello world", "good night"])
        assert [len(one["embedding"]) for one in response.data] == [EMBEDDING[model][0]] * 2
        assert response.usage.total_tokens > 0

    @pytest.mark.parametrize("form", ["float", "base64"])
    def test_encodings(self, call, form):
        response = call("embedding", COHERE_3, input=["hello"], encoding_format=form)
        assert response.data[0]["embedding"]

    def test_dimensions(self, call):
        response = call("embedding", TITAN_2, input=["hello"], dimensions=256, allowed_openai_params=["dimensions"])
        assert len(response.data[0]["embedding"]) == 256

    def test_input_type(self, call):
        assert call("embedding", COHERE_3, input=["hello"], input_type="search_query").data


class TestImages:
    """LiteLLM knows no `response_format` of models that it hasn't heard of, so it goes as an extra."""

    @pytest.mark.parametrize("model", [NOVA_CANVAS, CORE, SDXL_1])
    def test_generation(self, call, model):
        extra = {"response_format": "b64_json"}
        response = call("image_generation", model, prompt="An otter", n=2, size="1024x1024", extra_body=extra)
        assert len(response.data) == 2
        png_size(base64.b64decode(response.data[0].b64_json))

    def test_a_url(self, call, gateway):
        extra = {"response_format": "url"}
        response = call("image_generation", NOVA_CANVAS, prompt="An otter", extra_body=extra)
        assert gateway.get(response.data[0].url.removeprefix(gateway.root)).content.startswith(b"\x89PNG")

    def test_as_it_comes(self, call):
        [picture] = call("image_generation", NOVA_CANVAS, prompt="An otter").data
        assert picture.b64_json or picture.url

    def test_edit(self, call, tmp_path):
        (tmp_path / "image.png").write_bytes(media.png(512, 512))
        (tmp_path / "mask.png").write_bytes(mask_of(512, 512))
        with open(tmp_path / "image.png", "rb") as image, open(tmp_path / "mask.png", "rb") as mask:
            [picture] = call("image_edit", NOVA_CANVAS, image=image, mask=mask, prompt="with a hat").data
        assert picture.b64_json or picture.url


class TestRerank:
    @pytest.mark.parametrize("model", RERANK)
    @pytest.mark.parametrize("provider", ["litellm_proxy", "cohere", "jina_ai", "hosted_vllm"])
    def test_each_of_its_providers_that_speak_coheres(self, gateway, litellm, model, provider):
        response = litellm.rerank(
            model=f"{provider}/{model}",
            query="repair my bicycle",
            documents=DOCUMENTS,
            top_n=2,
            api_base=gateway.root,
            api_key=settings.KEY,
        )
        results = [dict(one) for one in response.results]
        assert len(results) == 2 and results[0]["index"] == 1


class TestModeration:
    def test_it(self, gateway, litellm):
        response = litellm.moderation(
            input="The weather is fine.",
            model="omni-moderation-latest",
            api_base=gateway.base_url,
            api_key=settings.KEY,
        )
        assert response.results[0].flagged is False


class TestModels:
    def test_the_list(self, gateway, litellm):
        models = litellm.get_valid_models(
            check_provider_endpoint=True,
            custom_llm_provider="litellm_proxy",
            api_key=settings.KEY,
            api_base=gateway.root,
        )
        assert f"litellm_proxy/{settings.NOVA}" in models
