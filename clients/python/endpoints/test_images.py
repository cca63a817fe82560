"""`POST /v1/images/generations`, `/edits` and `/variations`, by HTTP and by OpenAI's SDK."""

import asyncio
import base64

import openai
import pytest

from support import media, settings, shapes
from support.endpoints import (
    CORE,
    NOVA_CANVAS,
    PICTURE,
    PIXELS,
    RATIOS,
    SDXL_1,
    TITAN_PICTURE,
    calls,
    good,
    mask,
    png_size,
    post,
)

PATH = "/v1/images/generations"
PROMPT = "A cute baby sea otter"
EDITING = [NOVA_CANVAS, TITAN_PICTURE]
# What OpenAI's description says of sizes and qualities is of its own models.
OURS = ("size", "quality", "background", "output_format")


def generate(gateway, model=NOVA_CANVAS, prompt=PROMPT, **more):
    """The pictures, as bytes, after checking what is around them."""
    body = good(post(gateway, PATH, model=model, prompt=prompt, **{"response_format": "b64_json"} | more))
    shapes.check({name: value for name, value in body.items() if name not in OURS}, "ImagesResponse")
    return [base64.b64decode(one["b64_json"], validate=True) for one in body["data"]]


def refuse(gateway, param, model=NOVA_CANVAS, **more):
    return shapes.check_error(post(gateway, PATH, model=model, **{"prompt": PROMPT} | more), 400, param=param)


def pixels(size):
    return tuple(int(side) for side in size.split("x"))


class TestGenerating:
    @pytest.mark.parametrize("model", PICTURE)
    def test_a_picture(self, gateway, model):
        [picture] = generate(gateway, model)
        width, height = png_size(picture)
        assert width > 0 and height > 0

    @pytest.mark.parametrize("model, size", [(model, size) for model, sizes in PIXELS.items() for size in sizes])
    def test_of_the_size_that_was_asked_for(self, gateway, model, size):
        [picture] = generate(gateway, model, size=size)
        assert png_size(picture) == pixels(size)

    @pytest.mark.parametrize("model, size", [(model, size) for model, sizes in RATIOS.items() for size in sizes])
    def test_of_the_ratio_that_was_asked_for(self, gateway, model, size):
        [picture] = generate(gateway, model, size=size)
        width, height = png_size(picture)
        wanted = pixels(size)
        assert width / height == pytest.approx(wanted[0] / wanted[1], rel=0.03)

    @pytest.mark.parametrize("model", PICTURE)
    def test_size_auto_is_the_models_own(self, gateway, model):
        assert len(generate(gateway, model, size="auto")) == 1

    @pytest.mark.parametrize("model, size", [(SDXL_1, "128x512"), (NOVA_CANVAS, "10x10"), (CORE, "1024x100")])
    def test_an_impossible_size_lists_the_possible_ones(self, gateway, model, size):
        error = refuse(gateway, "size", model, size=size)
        possible = {SDXL_1: "1152x896", NOVA_CANVAS: "320", CORE: "16:9"}[model]
        assert possible in error["message"] or "1024x1024" in error["message"], error

    @pytest.mark.parametrize(
        "size", ["large", "", "1024", "1024x", "x1024", "-1x5", "1e3x1024", "1024x1024x3", 1024, "0x0"]
    )
    @pytest.mark.parametrize("model", [NOVA_CANVAS, SDXL_1, CORE])
    def test_what_is_no_size(self, gateway, model, size):
        refuse(gateway, "size", model, size=size)

    @pytest.mark.parametrize("model", PICTURE)
    @pytest.mark.parametrize("n", [1, 3])
    def test_as_many_as_were_asked_for(self, gateway, model, n):
        assert len(generate(gateway, model, n=n)) == n

    @pytest.mark.parametrize("model", [NOVA_CANVAS, CORE, SDXL_1])
    @pytest.mark.parametrize("n", [0, -1, 1.5, "2", 1000])
    def test_what_is_no_number_of_pictures(self, gateway, model, n):
        refuse(gateway, "n", model, n=n)

    @pytest.mark.parametrize("prompt", ["", "  ", None, 5, ["a"]])
    def test_what_is_no_prompt(self, gateway, prompt):
        refuse(gateway, "prompt", prompt=prompt)

    def test_no_prompt(self, gateway):
        reply = post(gateway, PATH, model=NOVA_CANVAS)
        shapes.check_error(reply, 400, code="missing_required_parameter", param="prompt")

    def test_the_same_again_for_the_same_seed(self, gateway):
        assert generate(gateway, seed=30) == generate(gateway, seed=30)

    @pytest.mark.parametrize("wrong", ["png", "", 5])
    def test_what_is_no_form_of_an_answer(self, gateway, wrong):
        refuse(gateway, "response_format", response_format=wrong)


class TestParameters:
    def sent(self, stack, mark, model, **more):
        generate(stack.gateway, model, prompt=f"{mark} otter", **more)
        [call] = stack.simulator.requests(mark)
        return call["body"]

    @pytest.mark.parametrize("quality, sent", [("hd", "premium"), ("high", "premium"), ("standard", "standard")])
    def test_quality(self, stack, mark, quality, sent):
        assert self.sent(stack, mark, NOVA_CANVAS, quality=quality)["imageGenerationConfig"]["quality"] == sent

    def test_n_in_one_call_where_the_model_can(self, stack, mark):
        assert self.sent(stack, mark, NOVA_CANVAS, n=3)["imageGenerationConfig"]["numberOfImages"] == 3

    def test_size_as_a_ratio(self, stack, mark):
        body = self.sent(stack, mark, CORE, size="1536x1024")
        assert body["aspect_ratio"] == "3:2" and "width" not in body

    def test_the_providers_own(self, stack, mark):
        body = self.sent(stack, mark, SDXL_1, cfg_scale=10, steps=30, seed=7, style_preset="anime")
        assert {name: body[name] for name in ("cfg_scale", "steps", "seed", "style_preset")} == {
            "cfg_scale": 10,
            "steps": 30,
            "seed": 7,
            "style_preset": "anime",
        }

    def test_seed_and_scale_in_novas_words(self, stack, mark):
        config = self.sent(stack, mark, NOVA_CANVAS, seed=7, cfg_scale=5)["imageGenerationConfig"]
        assert config["seed"] == 7 and config["cfgScale"] == 5

    def test_what_not_to_draw(self, stack, mark):
        assert self.sent(stack, mark, CORE, negative_prompt="clouds")["negative_prompt"] == "clouds"

    def test_user_is_no_parameter_of_the_models(self, stack, mark):
        assert "user" not in self.sent(stack, mark, NOVA_CANVAS, user="somebody")

    def test_style_is_not_lost_in_silence(self, gateway):
        reply = post(gateway, PATH, model=NOVA_CANVAS, prompt=PROMPT, style="vivid")
        assert reply.status_code == 400 or "style" in reply.headers.get("x-outcrop-adapted", "") or good(reply)


class TestUrls:
    def url(self, gateway):
        body = good(post(gateway, PATH, model=NOVA_CANVAS, prompt=PROMPT, response_format="url", n=2, size="512x512"))
        assert not any("b64_json" in one for one in body["data"])
        urls = [one["url"] for one in body["data"]]
        assert len(set(urls)) == 2
        return urls[0]

    def test_they_lead_to_the_picture(self, gateway):
        url = self.url(gateway)
        assert url.startswith(gateway.root + "/"), "the address at which the gateway was asked"
        # As a browser's `<img>` asks, without a key.
        reply = gateway.get(url.removeprefix(gateway.root), headers={"authorization": None})
        assert reply.status_code == 200 and reply.headers["content-type"] == "image/png"
        assert png_size(reply.content) == (512, 512)
        assert reply.headers.get("x-content-type-options") == "nosniff"

    def test_a_wrong_one_leads_nowhere(self, gateway):
        path = self.url(gateway).removeprefix(gateway.root)
        head, _, name = path.rpartition("/")
        for wrong in (f"{head}/{name[::-1]}", f"{head}/nothing.png", f"{head}/..%2f..%2fetc%2fpasswd"):
            shapes.check_error(gateway.get(wrong), 404)


class TestFiltering:
    """By the provider of the model, which looks at the prompt and at the picture."""

    @pytest.mark.parametrize("model", PICTURE)
    @pytest.mark.parametrize("what", ["content_filtered", "output_filtered"])
    def test_what_is_filtered_is_openais_error(self, gateway, model, what):
        reply = post(gateway, PATH, model=model, prompt=f"an otter [[sim:stop {what}]]")
        shapes.check_error(reply, 400, code="content_policy_violation")


class TestEditing:
    def edit(self, gateway, model, path="edits", files=None, **fields):
        files = {"image": ("otter.png", media.png(512, 512), "image/png")} if files is None else files
        data = {"model": model, "response_format": "b64_json"} | fields
        return gateway.request("POST", f"/v1/images/{path}", data=data, files=files)

    @pytest.mark.parametrize("model", EDITING)
    def test_with_a_mask(self, stack, mark, model):
        hole = ("mask.png", mask(512, 512), "image/png")
        files = {"image": ("otter.png", media.png(512, 512), "image/png"), "mask": hole}
        body = good(self.edit(stack.gateway, model, files=files, prompt=f"{mark} with a hat"))
        png_size(base64.b64decode(body["data"][0]["b64_json"]))
        [call] = stack.simulator.requests(mark)
        assert call["body"]["taskType"] == "INPAINTING"
        assert call["body"]["inPaintingParams"]["image"] == media.base64_of(media.png(512, 512))

    @pytest.mark.parametrize("model", EDITING)
    def test_a_variation(self, stack, model):
        body = good(self.edit(stack.gateway, model, "variations", n="2"))
        assert len(body["data"]) == 2
        assert calls(stack, "InvokeModel")[-1]["body"]["taskType"] == "IMAGE_VARIATION"

    @pytest.mark.parametrize("path", ["edits", "variations"])
    def test_no_image(self, gateway, path):
        reply = self.edit(gateway, NOVA_CANVAS, path, files={"other": ("a.txt", b"x", "text/plain")}, prompt=PROMPT)
        shapes.check_error(reply, 400, param="image")

    def test_a_mask_without_transparency(self, gateway):
        files = {name: (f"{name}.png", media.png(512, 512), "image/png") for name in ("image", "mask")}
        shapes.check_error(self.edit(gateway, NOVA_CANVAS, files=files, prompt=PROMPT), 400, param="mask")

    def test_what_is_no_picture(self, gateway):
        files = {"image": ("otter.png", b"not a picture", "image/png")}
        shapes.check_error(self.edit(gateway, NOVA_CANVAS, files=files, prompt=PROMPT), 400, param="image")

    def test_numbers_in_a_form(self, gateway):
        body = good(self.edit(gateway, NOVA_CANVAS, "variations", n="1"))
        assert len(body["data"]) == 1
        shapes.check_error(self.edit(gateway, NOVA_CANVAS, "variations", n="two"), 400, param="n")

    @pytest.mark.parametrize("path", ["edits", "variations"])
    def test_json_is_no_form(self, gateway, path):
        reply = post(gateway, f"/v1/images/{path}", model=NOVA_CANVAS, prompt=PROMPT)
        shapes.check_error(reply, (400, 415))

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"--x",
            b"--x\r\n\r\n",
            b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc',
            b"--y\r\n\r\n--y--",
        ],
    )
    def test_a_form_that_is_none(self, gateway, body):
        headers = {"content-type": "multipart/form-data; boundary=x"}
        shapes.check_error(gateway.request("POST", "/v1/images/edits", content=body, headers=headers), 400)

    def test_a_form_without_a_boundary(self, gateway):
        headers = {"content-type": "multipart/form-data"}
        reply = gateway.request("POST", "/v1/images/edits", content=b"--x--", headers=headers)
        shapes.check_error(reply, (400, 415))

    def test_a_model_that_edits_nothing_says_so(self, gateway):
        shapes.check_error(self.edit(gateway, CORE, prompt=PROMPT), 400, param="model")

    def test_a_service_that_only_edits(self, gateway):
        model = "us.stability.stable-image-remove-background-v1:0"
        body = good(self.edit(gateway, model, prompt="the background"))
        png_size(base64.b64decode(body["data"][0]["b64_json"]))


class TestNames:
    def test_one_that_nobody_knows(self, gateway):
        reply = post(gateway, PATH, model="dall-e-9", prompt=PROMPT)
        shapes.check_error(reply, 404, code="model_not_found", param="model")

    @pytest.mark.parametrize("model", [settings.NOVA, "amazon.titan-embed-text-v2:0"])
    def test_a_model_that_draws_nothing(self, gateway, model):
        error = shapes.check_error(post(gateway, PATH, model=model, prompt=PROMPT), (400, 404), param="model")
        assert "image" in error["message"], error

    def test_an_alias(self, serve):
        gateway = serve(env={"OUTCROP_ALIASES": f"dall-e-*={NOVA_CANVAS}"})
        reply = post(gateway, PATH, model="dall-e-3", prompt=PROMPT, response_format="b64_json")
        assert len(good(reply)["data"]) == 1 and reply.headers["x-bedrock-model"] == NOVA_CANVAS

    @pytest.mark.parametrize("path", ["/api/v1/images/generations", "/images/generations"])
    def test_other_paths(self, gateway, path):
        assert good(post(gateway, path, model=NOVA_CANVAS, prompt=PROMPT))["data"]


class TestTheSdk:
    @pytest.mark.parametrize("model", [NOVA_CANVAS, CORE, SDXL_1])
    def test_generate(self, client, model):
        answer = client.images.generate(model=model, prompt=PROMPT, n=2, size="1024x1024", response_format="b64_json")
        assert len(answer.data) == 2 and answer.created > 1_700_000_000
        assert png_size(base64.b64decode(answer.data[0].b64_json))[0] > 0

    def test_edit(self, client):
        answer = client.images.edit(
            model=NOVA_CANVAS,
            image=("otter.png", media.png(512, 512), "image/png"),
            mask=("mask.png", mask(512, 512), "image/png"),
            prompt="with a hat",
            response_format="b64_json",
        )
        png_size(base64.b64decode(answer.data[0].b64_json))

    @pytest.mark.filterwarnings("ignore:deprecated")
    def test_variation(self, client):
        answer = client.images.create_variation(
            model=NOVA_CANVAS, image=("otter.png", media.png(512, 512), "image/png"), n=1, response_format="b64_json"
        )
        png_size(base64.b64decode(answer.data[0].b64_json))

    def test_async(self, gateway):
        async def ask():
            async with gateway.async_openai() as client:
                return await client.images.generate(model=CORE, prompt=PROMPT, response_format="b64_json")

        assert asyncio.run(ask()).data[0].b64_json

    def test_errors_have_their_classes(self, client):
        with pytest.raises(openai.BadRequestError) as caught:
            client.images.generate(model=SDXL_1, prompt=PROMPT, size="256x256")
        assert caught.value.param == "size"
