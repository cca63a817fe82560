"""Images that are changed, and others like them: forms, masks, what each service needs."""

import asyncio
import base64
import io
import os

import httpx
import openai
import pytest

from support.exchange import simulator_url
from support.images import decoded, grey_rows, mask, size
from support.media import GIF, JPEG, data_url, png

CANVAS, TITAN = "amazon.nova-canvas-v1:0", "amazon.titan-image-generator-v2:0"
SDXL, SD35 = "stability.stable-diffusion-xl-v1", "stability.sd3-5-large-v1:0"
SERVICE = "us.stability.stable-"
IMAGE, SQUARE, SMALL = png(512, 512), png(1024, 1024), png(64, 64)


@pytest.fixture
def asked(stack):
    httpx.delete(simulator_url(stack), trust_env=False, timeout=10).raise_for_status()

    def bodies():
        state = httpx.get(simulator_url(stack), trust_env=False, timeout=10).json()
        return [request["body"] for request in state["requests"] if request["path"].endswith("/invoke")]

    return bodies


def file(data, name="image.png"):
    stream = io.BytesIO(data)
    stream.name = name
    return stream


class TestMasks:
    @pytest.mark.parametrize(
        "model, image, where, edited",
        [
            (CANVAS, IMAGE, ("inPaintingParams", "maskImage"), b"\0"),
            (TITAN, IMAGE, ("inPaintingParams", "maskImage"), b"\0"),
            (SDXL, SQUARE, ("mask_image",), b"\xff"),
            (f"{SERVICE}image-inpaint-v1:0", IMAGE, ("mask",), b"\xff"),
        ],
    )
    def test_transparent_is_what_changes(self, stack, asked, model, image, where, edited):
        side = size(image)[0]
        answer = stack.gateway.openai().images.edit(
            model=model, prompt="a hat", image=file(image), mask=file(mask(side, side), "mask.png")
        )
        assert size(decoded(answer.data[0])) == (side, side)
        [body] = asked()
        converted = body
        for name in where:
            converted = converted[name]
        kept = b"\xff" if edited == b"\0" else b"\0"
        assert grey_rows(base64.b64decode(converted)) == {(edited * (side // 2), kept * (side // 2))}

    def test_outpainting_changes_what_is_white(self, stack, asked):
        stack.gateway.openai().images.edit(
            model=TITAN,
            prompt="a beach",
            image=file(IMAGE),
            mask=file(mask(512, 512)),
            extra_body={"taskType": "OUTPAINTING", "outPaintingMode": "PRECISE"},
        )
        params = asked()[0]["outPaintingParams"]
        assert params["outPaintingMode"] == "PRECISE"
        [(left, right)] = grey_rows(base64.b64decode(params["maskImage"]))
        assert set(left) == {255} and set(right) == {0}

    @pytest.mark.parametrize(
        "given, said",
        [
            (mask(512, 256), "512x256"),
            (JPEG, "PNG"),
            (png(512, 512), "transparency"),
            (mask(512, 512)[:200], "damaged"),
            (b"not an image", "PNG"),
        ],
    )
    def test_masks_that_cant_be_meant(self, client, given, said):
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.edit(model=CANVAS, prompt="a hat", image=file(IMAGE), mask=file(given))
        assert refused.value.param == "mask" and said in refused.value.message

    def test_a_few_bytes_that_unpack_into_many_are_refused(self, client):
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.edit(
                model=f"{SERVICE}image-inpaint-v1:0", prompt="a hat", image=file(IMAGE), mask=file(mask(20_000, 20))
            )
        assert refused.value.param == "mask"
        with pytest.raises(openai.BadRequestError, match="pixels"):
            client.images.edit(
                model=f"{SERVICE}image-inpaint-v1:0", prompt="a hat", image=file(IMAGE), mask=file(bomb())
            )

    def test_models_without_masks_name_those_with(self, client):
        with pytest.raises(openai.BadRequestError, match="inpaint") as refused:
            client.images.edit(model=SD35, prompt="a hat", image=file(IMAGE), mask=file(mask(512, 512)))
        assert refused.value.param == "mask"


def bomb():
    """A header that announces 65,000 x 65,000 pixels."""
    import struct

    from support.media import chunk

    header = struct.pack(">IIBBBBB", 65_000, 65_000, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


class TestServices:
    SERVICES = {
        "image-erase-object": ({"mask": mask(512, 512), "prompt": ""}, (512, 512)),
        "image-search-replace": ({"prompt": "a hat", "extra_body": {"search_prompt": "a cap"}}, (512, 512)),
        "image-search-recolor": ({"prompt": "red", "extra_body": {"select_prompt": "a cap"}}, (512, 512)),
        "image-remove-background": ({"prompt": ""}, (512, 512)),
        "image-control-sketch": ({"prompt": "a hat", "extra_body": {"control_strength": 0.5}}, (512, 512)),
        "image-control-structure": ({"prompt": "a hat"}, (512, 512)),
        "image-style-guide": ({"prompt": "a hat", "size": "1216x832"}, (1216, 832)),
        "outpaint": ({"prompt": "a beach", "extra_body": {"left": 88, "down": 100}}, (600, 612)),
        "fast-upscale": ({"prompt": "", "image": SMALL}, (256, 256)),
        "creative-upscale": ({"prompt": "a hat", "image": SMALL, "extra_body": {"creativity": 0.4}}, (2048, 2048)),
        "conservative-upscale": ({"prompt": "a hat", "image": SMALL}, (2048, 2048)),
    }

    @pytest.mark.parametrize("service", SERVICES)
    def test_each_is_an_edit(self, client, service):
        given, expected = self.SERVICES[service]
        given = {"image": IMAGE} | given
        files = {name: file(given.pop(name)) for name in ("image", "mask") if name in given}
        raw = client.images.with_raw_response.edit(model=f"{SERVICE}{service}-v1:0", **files, **given)
        assert size(decoded(raw.parse().data[0])) == expected
        assert "x-outcrop-adapted" not in raw.headers

    def test_a_bare_id_finds_its_profile(self, client):
        raw = client.images.with_raw_response.edit(
            model="stability.stable-fast-upscale-v1:0", prompt="", image=file(SMALL)
        )
        assert raw.headers["x-bedrock-model"] == "us.stability.stable-fast-upscale-v1:0"

    def test_style_transfer_takes_two_images(self, client):
        model = f"{SERVICE}style-transfer-v1:0"
        answer = client.images.edit(model=model, prompt="as a painting", image=[file(IMAGE), file(SMALL)])
        assert size(decoded(answer.data[0])) == (512, 512)
        with pytest.raises(openai.BadRequestError, match="two images") as refused:
            client.images.edit(model=model, prompt="as a painting", image=file(IMAGE))
        assert refused.value.param == "image"

    def test_outpainting_grows_to_a_size(self, stack, asked):
        answer = stack.gateway.openai().images.edit(
            model=f"{SERVICE}outpaint-v1:0", prompt="a beach", image=file(IMAGE), size="1024x513"
        )
        assert size(decoded(answer.data[0])) == (1024, 513)
        body = asked()[0]
        assert [body[side] for side in ("left", "right", "up", "down")] == [256, 256, 0, 1]

    def test_a_service_makes_nothing_of_nothing(self, client):
        with pytest.raises(openai.BadRequestError, match="ask for an edit"):
            client.images.generate(model=f"{SERVICE}outpaint-v1:0", prompt="a fox")


class TestEdits:
    def test_amazon_edits_as_a_whole_without_a_mask(self, stack, asked):
        answer = stack.gateway.openai().images.edit(
            model=CANVAS, prompt="as a painting", image=[file(IMAGE), file(SQUARE)], n=2, size="768x512"
        )
        assert [size(decoded(image)) for image in answer.data] == [(768, 512)] * 2
        [body] = asked()
        assert body["taskType"] == "IMAGE_VARIATION" and len(body["imageVariationParams"]["images"]) == 2
        assert base64.b64decode(body["imageVariationParams"]["images"][0]) == IMAGE

    def test_amazons_mask_in_words(self, stack, asked):
        stack.gateway.openai().images.edit(
            model=TITAN, prompt="a hat", image=file(IMAGE), extra_body={"mask_prompt": "the cap"}
        )
        assert asked()[0]["inPaintingParams"]["maskPrompt"] == "the cap"

    def test_a_background_is_removed(self, stack, asked):
        raw = stack.gateway.openai().images.with_raw_response.edit(
            model=TITAN, prompt="x", image=file(IMAGE), extra_body={"taskType": "BACKGROUND_REMOVAL"}
        )
        assert b"tRNS" in decoded(raw.parse().data[0])
        assert raw.headers["x-outcrop-adapted"] == "prompt=dropped(not-of-task)"
        assert set(asked()[0]) == {"taskType", "backgroundRemovalParams"}

    def test_stable_diffusion_begins_with_an_image(self, stack, asked):
        client = stack.gateway.openai()
        raw = client.images.with_raw_response.edit(
            model=SD35, prompt="as a painting", image=file(IMAGE), size="1024x1024", output_format="jpeg"
        )
        assert size(decoded(raw.parse().data[0])) == (512, 512)
        assert raw.headers["x-outcrop-adapted"] == "strength=0.7(needed), size=dropped(size-of-image)"
        client.images.edit(
            model="gpt-image-1", prompt="as a painting", image=file(IMAGE), extra_body={"strength": 0.3, "seed": 4}
        )
        first, second = asked()
        assert (first["mode"], first["strength"], first["output_format"]) == ("image-to-image", 0.7, "jpeg")
        assert (second["strength"], second["seed"]) == (0.3, 4)

    def test_json_with_data_urls(self, gateway):
        image, transparent = data_url(IMAGE), data_url(mask(512, 512))
        images, masked = [{"image_url": image}], {"image_url": transparent}
        body = {"model": CANVAS, "prompt": "a hat", "images": images, "mask": masked}
        reply = gateway.request("POST", "/v1/images/edits", json=body)
        assert reply.status_code == 200, reply.text
        for wrong, param in (
            ({"images": [{"file_id": "file-1"}]}, "images[0]"),
            ({"images": [{"image_url": "https://example.com/a.png"}]}, "images[0]"),
            ({"images": ["!"]}, "images[0]"),
            ({"images": []}, "images"),
        ):
            reply = gateway.request("POST", "/v1/images/edits", json=body | wrong)
            assert reply.status_code == 400 and reply.json()["error"]["param"] == param, reply.text

    @pytest.mark.parametrize(
        "model, image, said",
        [
            (CANVAS, SMALL, "320 to 4096"),
            (CANVAS, GIF, "png, jpeg"),
            (TITAN, png(1500, 100), "1408"),
            (f"{SERVICE}creative-upscale-v1:0", png(1100, 1000), "1048576"),
            (SD35, b"", "formats"),
        ],
    )
    def test_images_that_the_model_doesnt_read(self, client, model, image, said):
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.edit(model=model, prompt="a hat", image=file(image))
        assert refused.value.param == "image" and said in refused.value.message

    def test_numbers_of_a_form(self, gateway):
        def edit(**fields):
            files = {"image": ("image.png", IMAGE, "image/png")}
            data = {"model": SD35, "prompt": "42", "strength": "0.5", "seed": "7"} | fields
            return gateway.request("POST", "/v1/images/edits", data=data, files=files)

        assert edit(n="2", negative_prompt="7").status_code == 200
        for fields, param in (({"n": "two"}, "n"), ({"strength": "2"}, "strength"), ({"stream": "true"}, "stream")):
            reply = edit(**fields)
            assert reply.status_code == 400 and reply.json()["error"]["param"] == param, reply.text

    @pytest.mark.parametrize("field", ["model", "n", "mask", "prompt"])
    def test_a_field_of_a_form_comes_once(self, gateway, field):
        twice = {
            "model": [(None, CANVAS), (None, SD35)],
            "n": [(None, "1"), (None, "2")],
            "mask": [("mask.png", mask(512, 512), "image/png")] * 2,
            "prompt": [(None, "a hat"), (None, "a cap")],
        }
        fields = {"model": [(None, CANVAS)], "prompt": [(None, "a hat")]} | {field: twice[field]}
        files = [(name, part) for name, parts in fields.items() for part in parts]
        files.append(("image", ("image.png", IMAGE, "image/png")))
        reply = gateway.request("POST", "/v1/images/edits", files=files)
        assert reply.status_code == 400 and reply.json()["error"]["param"] == field, reply.text

    @pytest.mark.parametrize("field", ["images", "img", "IMAGE"])
    def test_an_image_in_another_field_is_told_the_right_one(self, gateway, field):
        files = {"model": (None, CANVAS), "prompt": (None, "a hat"), field: ("image.png", IMAGE, "image/png")}
        reply = gateway.request("POST", "/v1/images/edits", files=files)
        error = reply.json()["error"]
        assert reply.status_code == 400 and error["param"] == field and "'image'" in error["message"]

    @pytest.mark.parametrize("model", [SD35, f"{SERVICE}conservative-upscale-v1:0"])
    def test_models_that_need_a_prompt(self, gateway, model):
        files = {"model": (None, model), "image": ("image.png", IMAGE, "image/png")}
        reply = gateway.request("POST", "/v1/images/edits", files=files)
        error = reply.json()["error"]
        assert (error["code"], error["param"]) == ("missing_required_parameter", "prompt"), reply.text

    def test_upscaling_is_as_large_as_the_service_makes_it(self, client):
        raw = client.images.with_raw_response.edit(
            model=f"{SERVICE}fast-upscale-v1:0", prompt="", image=file(SMALL), size="64x64"
        )
        assert size(decoded(raw.parse().data[0])) == (256, 256)
        assert raw.headers["x-outcrop-adapted"] == "size=dropped(service-decides)"

    def test_what_would_be_the_same_is_made_once(self, client):
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.edit(model=f"{SERVICE}fast-upscale-v1:0", prompt="", image=file(SMALL), n=2)
        assert refused.value.param == "n"

    def test_forms_that_arent(self, gateway):
        no_forms = ((b"--x", "multipart/form-data; boundary=x"), (b"a=b", "application/x-www-form-urlencoded"))
        for content, kind in no_forms:
            reply = gateway.request("POST", "/v1/images/edits", content=content, headers={"content-type": kind})
            assert reply.status_code in (400, 415) and reply.json()["error"]["message"], reply.text
        files = {"image": ("image.png", IMAGE, "image/png")}
        for path in ("/v1/images/edits", "/v1/images/variations"):
            reply = gateway.request("POST", path, files={"model": (None, CANVAS)})
            assert reply.status_code == 400 and reply.json()["error"]["param"] == "image"
        reply = gateway.request("POST", "/v1/images/generations", data={"prompt": "x"}, files=files)
        assert reply.status_code in (400, 415)


class TestVariations:
    @pytest.mark.parametrize("model", [CANVAS, TITAN])
    def test_variations(self, client, model):
        answer = client.images.create_variation(model=model, image=file(IMAGE), n=3, size="512x512")
        assert [size(decoded(image)) for image in answer.data] == [(512, 512)] * 3
        assert len({image.b64_json for image in answer.data}) == 3

    def test_by_url(self, client):
        image = client.images.create_variation(model=CANVAS, image=file(IMAGE), response_format="url").data[0]
        assert size(httpx.get(image.url, trust_env=False, timeout=10).content) == (1024, 1024)

    def test_models_that_make_none(self, client):
        with pytest.raises(openai.BadRequestError, match="no variations") as refused:
            client.images.create_variation(model=SD35, image=file(IMAGE))
        assert refused.value.param == "model"

    def test_they_have_no_masks(self, gateway):
        for path, fields in (("variations", {}), ("edits", {"prompt": "x", "taskType": "IMAGE_VARIATION"})):
            files = {"image": ("image.png", IMAGE, "image/png"), "mask": ("mask.png", mask(512, 512), "image/png")}
            data = {"model": CANVAS} | fields
            reply = gateway.request("POST", f"/v1/images/{path}", data=data, files=files)
            assert reply.status_code == 400 and reply.json()["error"]["param"] == "mask", reply.text

    def test_azures_client(self, gateway):
        azure = gateway.azure()
        answer = azure.images.create_variation(model=CANVAS, image=file(IMAGE), size="512x512")
        assert size(decoded(answer.data[0])) == (512, 512)
        assert azure.images.create_variation(image=file(IMAGE)).data[0].url


class TestNoModel:
    def test_openais_plainest_calls(self, client):
        generated = client.images.with_raw_response.generate(prompt="a fox")
        edited = client.images.with_raw_response.edit(image=file(IMAGE), prompt="a hat")
        masked = client.images.with_raw_response.edit(image=file(IMAGE), mask=file(mask(512, 512)), prompt="a hat")
        varied = client.images.with_raw_response.create_variation(image=file(IMAGE))
        for raw, model, by_task in (
            (generated, SD35, False),
            (edited, SD35, False),
            (masked, f"{SERVICE}image-inpaint-v1:0", True),
            (varied, CANVAS, True),
        ):
            assert raw.headers["x-bedrock-model"] == model
            assert ("(by-task)" in raw.headers.get("x-outcrop-adapted", "")) == by_task
            # As from DALL-E 2, which is OpenAI's default.
            assert httpx.get(raw.parse().data[0].url, trust_env=False, timeout=10).status_code == 200

    @pytest.mark.parametrize("model", ["dall-e-2", "gpt-image-1"])
    def test_openais_names_can_all_that_openais_models_can(self, client, model):
        raw = client.images.with_raw_response.edit(
            model=model, image=file(IMAGE), mask=file(mask(512, 512)), prompt="a hat", response_format="b64_json"
        )
        assert raw.headers["x-outcrop-adapted"] == "model=stability.stable-image-inpaint-v1:0(by-task)"
        assert size(decoded(raw.parse().data[0])) == (512, 512)
        answer = client.images.create_variation(model=model, image=file(IMAGE), response_format="b64_json")
        assert size(decoded(answer.data[0])) == (1024, 1024)
        with pytest.raises(openai.BadRequestError, match="nova-canvas"):
            client.images.edit(model=model, image=[file(IMAGE), file(SMALL)], prompt="a hat")

    def test_the_operators_default(self, serve):
        running = serve("--default-image-model", TITAN)
        client = running.openai().images
        for raw in (
            client.with_raw_response.generate(prompt="a fox"),
            client.with_raw_response.generate(model="gpt-image-1", prompt="a fox"),
            client.with_raw_response.generate(model="midjourney", prompt="a fox"),
            client.with_raw_response.edit(image=file(IMAGE), mask=file(mask(512, 512)), prompt="a hat"),
            client.with_raw_response.create_variation(model="dall-e-2", image=file(IMAGE)),
        ):
            assert raw.headers["x-bedrock-model"] == TITAN
        raw = client.with_raw_response.generate(model=SD35, prompt="a fox")
        assert raw.headers["x-bedrock-model"] == SD35

    def test_an_alias_wins(self, serve):
        running = serve(env={"OUTCROP_ALIASES": f"dall-e-*={TITAN}"})
        edit = running.openai().images.with_raw_response.edit
        raw = edit(model="dall-e-2", image=file(IMAGE), mask=file(mask(512, 512)), prompt="a hat")
        assert raw.headers["x-bedrock-model"] == TITAN and "x-outcrop-adapted" not in raw.headers


def test_who_waits_for_a_quota_keeps_no_other_from_being_planned(stacked, tmp_path):
    settings = tmp_path / "outcrop.toml"
    settings.write_text(
        f'admission = true\nqueue_timeout = "10m"\n[[quotas]]\nmodel = "{TITAN}"\nrequests_per_minute = 1\n'
    )
    gateway = stacked("--config", settings).gateway
    form = {"files": {"image": ("image.png", IMAGE)}, "headers": {"authorization": f"Bearer {gateway.key}"}}

    async def ask():
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as client:

            def edit(model):
                url = f"{gateway.root}/v1/images/edits"
                return client.post(url, data={"model": model, "prompt": "a hat"}, **form)

            assert (await edit(TITAN)).status_code == 200
            # More than there can be turns at planning.
            waiting = [asyncio.ensure_future(edit(TITAN)) for _ in range(os.cpu_count() + 1)]
            await asyncio.wait(waiting, timeout=1)
            answered = (await edit(CANVAS)).status_code
            still_waiting = not any(one.done() for one in waiting)
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return answered, still_waiting

    assert asyncio.run(ask()) == (200, True)
