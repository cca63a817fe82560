"""Images, made by OpenAI's own client: sizes, several at once, URLs, what models refuse."""

import json

import httpx
import openai
import pytest

from support import settings
from support.exchange import simulator_url
from support.images import decoded, size

CANVAS, TITAN = "amazon.nova-canvas-v1:0", "amazon.titan-image-generator-v2:0"
SDXL, SDXL_0 = "stability.stable-diffusion-xl-v1", "stability.stable-diffusion-xl-v0"
SD35, CORE, ULTRA = (
    "stability.sd3-5-large-v1:0",
    "stability.stable-image-core-v1:1",
    "stability.stable-image-ultra-v1:1",
)
ALL = [CANVAS, TITAN, "amazon.titan-image-generator-v1", SDXL, SDXL_0, SD35, CORE, ULTRA]


@pytest.fixture
def asked(stack):
    """What the simulator was asked for by a call: the bodies."""
    httpx.delete(simulator_url(stack), trust_env=False, timeout=10).raise_for_status()

    def bodies():
        state = httpx.get(simulator_url(stack), trust_env=False, timeout=10).json()
        return [request["body"] for request in state["requests"] if request["path"].endswith("/invoke")]

    return bodies


def adapted(raw):
    return raw.headers.get("x-outcrop-adapted", "")


@pytest.mark.parametrize("model", ALL)
def test_each_model_makes_an_image(client, model):
    answer = client.images.generate(model=model, prompt="a red fox")
    [image] = answer.data
    expected = (512, 512) if model == SDXL_0 else (1024, 1024)
    assert size(decoded(image)) == expected and image.url is None and image.revised_prompt is None
    assert answer.output_format == "png" and answer.created > 1_700_000_000
    # Bedrock tells no tokens of images, so none are made up.
    assert answer.usage is None


@pytest.mark.parametrize(
    "model, wanted, made",
    [
        (CANVAS, "1792x1024", (1792, 1024)),
        (CANVAS, "1536x1024", (1536, 1024)),
        (TITAN, "1173x640", (1173, 640)),
        (SDXL, "1344x768", (1344, 768)),
        (SDXL_0, "128x512", (128, 512)),
        (CORE, "1344x768", (1344, 768)),
        (CORE, "16:9", (1344, 768)),
        (ULTRA, "1792x1024", (1344, 768)),
        (SD35, "1024x1536", (832, 1216)),
        (SD35, "auto", (1024, 1024)),
    ],
)
def test_sizes(client, model, wanted, made):
    raw = client.images.with_raw_response.generate(model=model, prompt="a red fox", size=wanted)
    assert size(decoded(raw.parse().data[0])) == made
    exact = "x" not in wanted or wanted == f"{made[0]}x{made[1]}"
    assert ("size=" in adapted(raw)) == (not exact)


@pytest.mark.parametrize(
    "model, wanted, possible",
    [
        (CANVAS, "1000x1000", "steps of 16"),
        (CANVAS, "320x2048", "4:1"),
        (TITAN, "1792x1024", "'1408x768'"),
        (SDXL, "128x512", "'1536x640'"),
        (CORE, "1024x128", "'1536x640' (21:9)"),
        (CORE, "large", "'1024x1024' (1:1)"),
    ],
)
def test_an_impossible_size_is_refused_with_the_possible_ones(client, model, wanted, possible):
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(model=model, prompt="a red fox", size=wanted)
    assert refused.value.param == "size" and possible in refused.value.message


@pytest.mark.parametrize("model, calls", [(CANVAS, 2), (TITAN, 2), (SD35, 7), (SDXL, 7)])
def test_several_images_differ(stack, asked, model, calls):
    answer = stack.gateway.openai().images.generate(model=model, prompt="a red fox", n=7)
    assert len({image.b64_json for image in answer.data}) == 7
    assert len(asked()) == calls


def test_a_seed_gives_the_same_images_again(client):
    def make(seed, n=3):
        answer = client.images.generate(model=CORE, prompt="a red fox", n=n, extra_body={"seed": seed})
        return [image.b64_json for image in answer.data]

    assert make(5) == make(5)
    assert make(6, 2) == make(5)[1:]


def test_n_has_its_limits(client):
    for n in (0, 11):
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.generate(model=CORE, prompt="a red fox", n=n)
        assert refused.value.param == "n"


class TestUrls:
    def test_an_image_is_fetched_by_its_url(self, gateway, client):
        image = client.images.generate(model=CORE, prompt="a red fox", response_format="url").data[0]
        assert image.b64_json is None
        assert image.url.startswith(gateway.root) and image.url.endswith(".png")
        # As with OpenAI's, no key is asked for.
        fetched = httpx.get(image.url, trust_env=False, timeout=10)
        assert fetched.status_code == 200 and fetched.headers["content-type"] == "image/png"
        assert "max-age=" in fetched.headers["cache-control"]
        assert size(fetched.content) == (1024, 1024)
        head = httpx.head(image.url, trust_env=False, timeout=10)
        assert head.status_code == 200 and int(head.headers["content-length"]) == len(fetched.content)

    def test_others_arent_there(self, gateway):
        reply = gateway.get("/v1/images/0123456789abcdef.png")
        assert reply.status_code == 404 and reply.json()["error"]["code"] == "not_found"
        assert gateway.get("/v1/images/generations").status_code == 405

    def test_dall_e_answers_with_urls_unless_told_otherwise(self, client):
        assert client.images.generate(model="dall-e-3", prompt="a red fox", size="1792x1024").data[0].url
        assert client.images.generate(model="dall-e-3", prompt="a fox", response_format="b64_json").data[0].b64_json
        assert client.images.generate(model="gpt-image-1", prompt="a fox", size="1024x1536").data[0].b64_json

    def test_the_public_url_is_told(self, serve):
        running = serve("--public-url", "https://ai.example.com/bedrock/")
        image = running.openai().images.generate(model=CORE, prompt="a fox", response_format="url").data[0]
        assert image.url.startswith("https://ai.example.com/bedrock/v1/images/")

    def test_the_oldest_make_room(self, serve):
        running = serve("--kept-files-limit", "30KB")
        client = running.openai()

        def make(prompt):
            options = {"response_format": "url", "size": "320x320"}
            return client.images.generate(model=CANVAS, prompt=prompt, **options).data[0].url

        first = make("one")
        length = len(httpx.get(first, trust_env=False, timeout=10).content)
        urls = [make(f"fox {number}") for number in range(30_000 // length + 1)]
        assert httpx.get(first, trust_env=False, timeout=10).status_code == 404
        assert httpx.get(urls[-1], trust_env=False, timeout=10).status_code == 200


    def test_an_answer_keeps_all_of_its_own_files(self, serve):
        client = serve("--kept-files-limit", "30000").openai()
        options = {"model": CANVAS, "prompt": "a fox", "response_format": "url", "size": "512x512"}
        length = len(httpx.get(client.images.generate(**options).data[0].url, trust_env=False, timeout=10).content)
        fit = 30_000 // length
        assert 1 <= fit < 10
        answer = client.images.generate(**options, n=fit)
        assert {httpx.get(image.url, trust_env=False, timeout=10).status_code for image in answer.data} == {200}
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.generate(**options, n=fit + 1)
        assert refused.value.code == "no_room_for_file"


class TestFilters:
    @pytest.mark.parametrize("model", [CANVAS, TITAN, SDXL, SD35])
    @pytest.mark.parametrize("what", ["content_filtered", "output_filtered"])
    def test_what_a_filter_stops_is_openais_error(self, client, model, what):
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.generate(model=model, prompt=f"[[sim:stop {what}]] a red fox")
        assert refused.value.code == "content_policy_violation" and refused.value.type == "invalid_request_error"

    def test_the_operators_guardrail_holds_for_images(self, serve):
        running = serve("--guardrail-id", "simguardrail1", "--guardrail-version", "1")
        with pytest.raises(openai.BadRequestError) as refused:
            running.openai().images.generate(model=CORE, prompt="BLOCKED-INPUT")
        assert refused.value.code == "content_policy_violation"
        assert running.openai().images.generate(model=CORE, prompt="a red fox").data

    def test_throttling_is_told_as_everywhere(self, client):
        with pytest.raises(openai.RateLimitError):
            client.with_options(max_retries=0).images.generate(model=CORE, prompt="[[sim:error ThrottlingException]]")


class TestParameters:
    def test_amazons_body(self, stack, asked):
        raw = stack.gateway.openai().images.with_raw_response.generate(
            model=CANVAS,
            prompt="a red fox",
            n=2,
            quality="hd",
            size="512x512",
            style="natural",
            user="me",
            extra_body={"seed": 30, "cfg_scale": 7.5, "negative_prompt": "blurry", "steps": 30},
        )
        assert asked() == [
            {
                "taskType": "TEXT_IMAGE",
                "textToImageParams": {"text": "a red fox", "style": "PHOTOREALISM", "negativeText": "blurry"},
                "imageGenerationConfig": {
                    "width": 512,
                    "height": 512,
                    "quality": "premium",
                    "cfgScale": 7.5,
                    "seed": 30,
                    "numberOfImages": 2,
                },
            }
        ]
        assert adapted(raw) == (
            "style=PHOTOREALISM(nearest-preset), quality=premium(bedrock-calls-it-so), steps=dropped(not-of-model)"
        )

    def test_amazons_own_words_pass(self, stack, asked):
        own = {
            "imageGenerationConfig": {"cfgScale": 6.5, "width": 1280, "height": 720},
            "textToImageParams": {"negativeText": "blurry"},
        }
        client = stack.gateway.openai()
        client.images.generate(model=CANVAS, prompt="a red fox", extra_body=own)
        client.images.generate(model=TITAN, prompt="a fox", extra_body={"colors": ["#ff8800"]})
        first, second = asked()
        assert first["imageGenerationConfig"] == own["imageGenerationConfig"]
        assert first["textToImageParams"] == {"text": "a red fox", "negativeText": "blurry"}
        assert second["taskType"] == "COLOR_GUIDED_GENERATION"
        assert second["colorGuidedGenerationParams"] == {"text": "a fox", "colors": ["#ff8800"]}

    def test_stable_diffusions_body(self, stack, asked):
        raw = stack.gateway.openai().images.with_raw_response.generate(
            model=SDXL,
            prompt="a red fox",
            style="vivid",
            quality="high",
            output_format="jpeg",
            extra_body={"seed": 30, "cfg_scale": 7, "steps": 40, "negative_prompt": "blurry", "sampler": "K_EULER"},
        )
        assert asked() == [
            {
                "text_prompts": [{"text": "a red fox"}, {"text": "blurry", "weight": -1.0}],
                "style_preset": "cinematic",
                "cfg_scale": 7,
                "steps": 40,
                "sampler": "K_EULER",
                "seed": 30,
            }
        ]
        assert adapted(raw) == (
            "style=style_preset(nearest-preset), quality=dropped(one-quality), output_format=png(only-format)"
        )

    def test_stabilitys_body(self, stack, asked):
        raw = stack.gateway.openai().images.with_raw_response.generate(
            model=CORE,
            prompt="a red fox",
            size="1344x768",
            output_format="jpeg",
            extra_body={"seed": 30, "negative_prompt": "blurry", "cfg_scale": 7},
        )
        assert asked() == [
            {
                "prompt": "a red fox",
                "aspect_ratio": "16:9",
                "output_format": "jpeg",
                "negative_prompt": "blurry",
                "seed": 30,
            }
        ]
        assert adapted(raw) == "cfg_scale=dropped(not-of-model)"
        answer = raw.parse()
        assert answer.output_format == "jpeg" and size(decoded(answer.data[0])) == (1344, 768)

    @pytest.mark.parametrize(
        "model, given, param",
        [
            (CORE, {"quality": "best"}, "quality"),
            (CORE, {"response_format": "png"}, "response_format"),
            (CORE, {"background": "transparent"}, "background"),
            (CORE, {"stream": True}, "stream"),
            (CORE, {"n": "2"}, "n"),
            (CORE, {"seed": "x"}, "seed"),
            (CORE, {"aws_region_name": "us-west-2"}, "aws_region_name"),
            (CORE, {"prompt": "x" * 10_001}, "prompt"),
            (TITAN, {"prompt": "x" * 513}, "prompt"),
            (CORE, {"prompt": " "}, "prompt"),
            (CORE, {"unheard_of": 1}, "unheard_of"),
            (SDXL, {"steps": 1000}, "steps"),
            (TITAN, {"taskType": "PAINT"}, "taskType"),
            (settings.NOVA, {}, "model"),
            ("stability.stable-outpaint-v1:0", {}, "model"),
        ],
    )
    def test_a_refusal_names_the_parameter(self, gateway, model, given, param):
        body = {"model": model, "prompt": "a red fox"} | given
        reply = gateway.request("POST", "/v1/images/generations", json=body)
        assert reply.status_code == 400, reply.text
        assert reply.json()["error"]["param"] == param, reply.text

    def test_a_name_that_nobody_knows_isnt_asked_of_a_chat_model(self, serve):
        running = serve("--default-model", settings.NOVA)
        with pytest.raises(openai.NotFoundError):
            running.openai().images.generate(model="midjourney", prompt="a red fox")

    def test_losses_can_be_refused(self, gateway):
        body = {"model": CORE, "prompt": "a fox", "quality": "hd", "on_unsupported": "reject"}
        reply = gateway.request("POST", "/v1/images/generations", json=body)
        assert reply.status_code == 400 and reply.json()["error"]["param"] == "quality"

    def test_bodies_that_arent_requests(self, gateway):
        for content in ("[]", "{", "null"):
            headers = {"content-type": "application/json"}
            reply = gateway.request("POST", "/v1/images/generations", content=content, headers=headers)
            assert reply.status_code == 400, content

    def test_a_dry_run_shows_the_calls(self, gateway):
        reply = gateway.request(
            "POST",
            "/v1/images/generations",
            json={"model": CORE, "prompt": "a fox"},
            headers={"x-outcrop-dry-run": "true"},
        )
        assert reply.status_code == 200 and "a fox" in json.dumps(reply.json())


def test_azures_paths(gateway):
    answer = gateway.azure().images.generate(model=CORE, prompt="a red fox")
    assert size(decoded(answer.data[0])) == (1024, 1024)
    # The name in the path says as much as one in the body.
    assert gateway.azure().images.generate(model="dall-e-3", prompt="a red fox").data[0].url
    assert gateway.azure().images.generate(model="gpt-image-1", prompt="a red fox").data[0].b64_json
