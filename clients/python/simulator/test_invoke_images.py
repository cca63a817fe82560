"""Image models by InvokeModel: bodies as AWS takes them, real pictures of the size that was asked for."""

import base64
import struct
import zlib

import pytest
from botocore.exceptions import ClientError
from invoking import invoke
from support.media import base64_of, chunk, png

TITAN, TITAN_1, CANVAS = (
    "amazon.titan-image-generator-v2:0",
    "amazon.titan-image-generator-v1",
    "amazon.nova-canvas-v1:0",
)
SDXL, SDXL_0 = "stability.stable-diffusion-xl-v1", "stability.stable-diffusion-xl-v0"
SD35 = "stability.sd3-5-large-v1:0"
SERVICE = "us.stability.stable-"
IMAGE = base64_of(png(512, 512))


def size(encoded):
    """The size of a picture, PNG or JPEG, and that it can be unpacked."""
    data = base64.b64decode(encoded)
    if data.startswith(b"\xff\xd8"):
        height, width = struct.unpack(">HH", data[data.index(b"\xff\xc0") + 5 :][:4])
        return width, height
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (depth, colour) == (8, 3)
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    assert len(zlib.decompress(packed)) == height * (width + 1)
    return width, height


def refused(runtime, model, body):
    with pytest.raises(ClientError) as error:
        invoke(runtime, model, body)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    return error.value.response["Error"]["Message"]


def mask(width, height, pixels=b"\xff"):
    """A grey image of these pixels, over and over."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    row = b"\0" + (pixels * width)[:width]
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")
    return base64_of(b"\x89PNG\r\n\x1a\n" + data)


def amazon(task, params, **config):
    names = {"TEXT_IMAGE": "textToImageParams", "INPAINTING": "inPaintingParams", "OUTPAINTING": "outPaintingParams"}
    names |= {"IMAGE_VARIATION": "imageVariationParams", "COLOR_GUIDED_GENERATION": "colorGuidedGenerationParams"}
    names |= {"BACKGROUND_REMOVAL": "backgroundRemovalParams"}
    return {"taskType": task, names[task]: params} | ({"imageGenerationConfig": config} if config else {})


@pytest.mark.parametrize("model", [TITAN_1, TITAN, CANVAS])
def test_amazon_paints(runtime, model):
    body = amazon("TEXT_IMAGE", {"text": "a fish"}, numberOfImages=3, width=512, height=512, seed=7, cfgScale=8.0)
    answer, headers = invoke(runtime, model, body)
    assert answer["error"] is None and [size(image) for image in answer["images"]] == [(512, 512)] * 3
    assert len(set(answer["images"])) == 3
    assert invoke(runtime, model, body)[0] == answer
    other = amazon("TEXT_IMAGE", {"text": "a bird"}, width=512, height=512, seed=7)
    assert invoke(runtime, model, other)[0]["images"][0] != answer["images"][0]
    assert int(headers["x-amzn-bedrock-invocation-latency"]) > 0


def test_amazon_refuses(runtime):
    def text(**config):
        return amazon("TEXT_IMAGE", {"text": "a fish"}, **config)

    assert "#/imageGenerationConfig/numberOfImages: 6 is not less or equal to 5" in refused(
        runtime, TITAN, text(numberOfImages=6)
    )
    assert "1024x512" in refused(runtime, TITAN, text(width=1024, height=512))
    assert size(invoke(runtime, CANVAS, text(width=1024, height=512))[0]["images"][0]) == (1024, 512)
    assert "1000x1000" in refused(runtime, CANVAS, text(width=1000, height=1000))
    assert "1.1" in refused(runtime, CANVAS, text(cfgScale=1))
    assert "extraneous key [steps]" in refused(runtime, TITAN, text(steps=30))
    assert "maxLength: 512" in refused(runtime, TITAN, amazon("TEXT_IMAGE", {"text": "x" * 513}))
    invoke(runtime, CANVAS, amazon("TEXT_IMAGE", {"text": "x" * 1024}, width=320, height=320))
    assert "[taskType] not found" in refused(runtime, TITAN, {})
    colours = amazon("COLOR_GUIDED_GENERATION", {"text": "a fish", "colors": ["#ff8800"]})
    assert "taskType: COLOR_GUIDED_GENERATION is not a valid" in refused(runtime, TITAN_1, colours)
    assert invoke(runtime, TITAN, colours)[0]["images"]


@pytest.mark.parametrize("model", [TITAN, CANVAS])
@pytest.mark.parametrize("task", ["INPAINTING", "OUTPAINTING"])
def test_amazon_edits(runtime, model, task):
    def edit(**params):
        return amazon(task, {"image": IMAGE, "text": "a hat"} | params)

    for masked in ({"maskPrompt": "the head"}, {"maskImage": mask(512, 512, b"\0\xff")}):
        assert size(invoke(runtime, model, edit(**masked))[0]["images"][0]) == (512, 512)
    assert "exactly one" in refused(runtime, model, edit())
    assert "same dimensions" in refused(runtime, model, edit(maskImage=mask(512, 511)))
    assert "pure black and pure white" in refused(runtime, model, edit(maskImage=mask(512, 512, b"\x80")))
    assert "isn't a png or jpeg" in refused(runtime, model, edit(image="R0lGODlh", maskPrompt="x"))


@pytest.mark.parametrize("model", [TITAN, CANVAS])
def test_amazon_changes_images(runtime, model):
    varied = amazon("IMAGE_VARIATION", {"images": [IMAGE, IMAGE], "similarityStrength": 0.5})
    assert size(invoke(runtime, model, varied)[0]["images"][0]) == (1024, 1024)
    assert "maximum item count: 5" in refused(runtime, model, amazon("IMAGE_VARIATION", {"images": [IMAGE] * 6}))
    cut_out = amazon("BACKGROUND_REMOVAL", {"image": IMAGE})
    assert b"tRNS" in base64.b64decode(invoke(runtime, model, cut_out)[0]["images"][0])
    assert "[imageGenerationConfig]" in refused(runtime, model, cut_out | {"imageGenerationConfig": {}})


@pytest.mark.parametrize("model", [TITAN, CANVAS])
def test_amazons_filter(runtime, model):
    body = amazon("TEXT_IMAGE", {"text": "[[sim:stop content_filtered]]"})
    assert "blocked by our content filters" in refused(runtime, model, body)
    answer, _ = invoke(runtime, model, amazon("TEXT_IMAGE", {"text": "[[sim:stop output_filtered]]"}))
    assert answer["images"] == [] and "blocked by our content filters" in answer["error"]


def test_sdxl(runtime):
    body = {"text_prompts": [{"text": "a fish"}, {"text": "blurry", "weight": -1}], "seed": 5, "steps": 30}
    answer, _ = invoke(runtime, SDXL, body | {"width": 1152, "height": 896, "style_preset": "anime"})
    [artifact] = answer["artifacts"]
    assert answer["result"] == "success" and (artifact["seed"], artifact["finishReason"]) == (5, "SUCCESS")
    assert size(artifact["base64"]) == (1152, 896)
    assert size(invoke(runtime, SDXL_0, body)[0]["artifacts"][0]["base64"]) == (512, 512)
    assert size(invoke(runtime, SDXL_0, body | {"width": 128})[0]["artifacts"][0]["base64"]) == (128, 512)
    assert "allowed dimensions are 1024x1024, 1152x896" in refused(runtime, SDXL, body | {"width": 128})
    assert "#/steps: 51 is not less or equal to 50" in refused(runtime, SDXL, body | {"steps": 51})
    assert "#/cfg_scale: 36 is not less or equal to 35" in refused(runtime, SDXL, body | {"cfg_scale": 36})
    assert "[negative_prompt]" in refused(runtime, SDXL, body | {"negative_prompt": "x"})


def test_sdxl_from_an_image(runtime):
    body = {"text_prompts": [{"text": "a fish"}], "init_image": base64_of(png(1024, 1024))}
    assert size(invoke(runtime, SDXL, body | {"image_strength": 0.5})[0]["artifacts"][0]["base64"]) == (1024, 1024)
    masked = body | {"mask_source": "MASK_IMAGE_WHITE", "mask_image": mask(1024, 1024)}
    assert invoke(runtime, SDXL, masked)[0]["artifacts"]
    assert "extraneous key [width]" in refused(runtime, SDXL, body | {"width": 1024})
    assert "[mask_image] not found" in refused(runtime, SDXL, body | {"mask_source": "MASK_IMAGE_BLACK"})
    assert "allowed dimensions" in refused(runtime, SDXL, body | {"init_image": IMAGE})


def test_sdxls_filter(runtime):
    body = {"text_prompts": [{"text": "[[sim:stop output_filtered]]"}]}
    assert invoke(runtime, SDXL, body)[0]["artifacts"][0]["finishReason"] == "CONTENT_FILTERED"


@pytest.mark.parametrize("model", [SD35, "stability.stable-image-core-v1:1", "stability.stable-image-ultra-v1:1"])
def test_stabilitys_models(runtime, model):
    body = {"prompt": "a fish", "aspect_ratio": "16:9", "seed": 3, "negative_prompt": "blurry"}
    answer, _ = invoke(runtime, model, body)
    assert answer["seeds"] == [3] and answer["finish_reasons"] == [None]
    assert size(answer["images"][0]) == (1344, 768)
    assert size(invoke(runtime, model, body | {"output_format": "jpeg"})[0]["images"][0]) == (1344, 768)
    assert "7:4 is not a valid enum value" in refused(runtime, model, body | {"aspect_ratio": "7:4"})
    assert "[width]" in refused(runtime, model, body | {"width": 512})
    filtered, _ = invoke(runtime, model, {"prompt": "[[sim:stop content_filtered]]"})
    assert filtered == {"finish_reasons": ["Filter reason: prompt"]}


def test_sd35_from_an_image(runtime):
    body = {"prompt": "a fish", "mode": "image-to-image", "image": IMAGE, "strength": 0.7}
    assert size(invoke(runtime, SD35, body)[0]["images"][0]) == (512, 512)
    assert "strength" in refused(runtime, SD35, {key: body[key] for key in body if key != "strength"})
    assert "image" in refused(runtime, SD35, {"prompt": "a fish", "mode": "image-to-image"})
    assert "aspect_ratio" in refused(runtime, SD35, body | {"aspect_ratio": "1:1"})


SMALL = base64_of(png(64, 64))
SERVICES = {
    "image-inpaint": ({"prompt": "a hat", "image": IMAGE, "mask": mask(512, 512), "grow_mask": 10}, (512, 512)),
    "image-erase-object": ({"image": IMAGE, "mask": mask(512, 512)}, (512, 512)),
    "image-search-replace": ({"prompt": "a hat", "image": IMAGE, "search_prompt": "a cap"}, (512, 512)),
    "image-search-recolor": ({"prompt": "red", "image": IMAGE, "select_prompt": "a cap"}, (512, 512)),
    "image-remove-background": ({"image": IMAGE}, (512, 512)),
    "image-control-sketch": ({"prompt": "a hat", "image": IMAGE, "control_strength": 0.5}, (512, 512)),
    "image-control-structure": ({"prompt": "a hat", "image": IMAGE}, (512, 512)),
    "image-style-guide": ({"prompt": "a hat", "image": IMAGE, "aspect_ratio": "3:2", "fidelity": 0.5}, (1216, 832)),
    "style-transfer": ({"init_image": IMAGE, "style_image": SMALL, "style_strength": 1}, (512, 512)),
    "outpaint": ({"image": IMAGE, "left": 88, "down": 100}, (600, 612)),
    "fast-upscale": ({"image": SMALL}, (256, 256)),
    "creative-upscale": ({"image": SMALL, "prompt": "a hat"}, (2048, 2048)),
    "conservative-upscale": ({"image": SMALL, "prompt": "a hat"}, (2048, 2048)),
}


@pytest.mark.parametrize("service", SERVICES)
def test_stabilitys_services(runtime, service):
    body, expected = SERVICES[service]
    model = f"{SERVICE}{service}-v1:0"
    assert size(invoke(runtime, model, body)[0]["images"][0]) == expected
    without = {key: value for key, value in body.items() if not key.endswith("image")}
    assert "image] not found" in refused(runtime, model, without)
    assert "extraneous key [foo]" in refused(runtime, model, body | {"foo": 1})
    with pytest.raises(ClientError, match="on-demand throughput"):
        invoke(runtime, model.removeprefix("us."), body)


def test_images_arent_streamed(runtime):
    with pytest.raises(ClientError, match="unsupported for streaming"):
        runtime.invoke_model_with_response_stream(modelId=SD35, body='{"prompt": "a fish"}')


def test_errors_come_when_asked_for(runtime):
    body = {"prompt": "[[sim:error ThrottlingException times=1]] a fish"}
    with pytest.raises(ClientError, match="Throttling"):
        invoke(runtime, SD35, body)
    assert invoke(runtime, SD35, body)[0]["images"]
