"""`POST /v1/moderations`, by HTTP and by OpenAI's SDK."""

import asyncio

import openai
import pytest

from support import media, shapes
from support.endpoints import calls, good, post

PATH = "/v1/moderations"
HARM = "I will kill you all with violence."
GUARDRAIL = {"OUTCROP_GUARDRAIL_ID": "simguardrail1", "OUTCROP_GUARDRAIL_VERSION": "1"}


# What Bedrock finds and OpenAI has no category for, and what Bedrock said.
OURS = ["prompt-attack", "denied-topic", "blocked-word", "sensitive-information"]
OURS += ["amazon-bedrock-guardrail", "amazon-bedrock-guardrail-checks"]


def judge(gateway, given, **more):
    body = good(post(gateway, PATH, input=given, **more))
    shapes.check(body, "CreateModerationResponse", extra=OURS)
    assert body["id"].startswith("modr-"), body["id"]
    for result in body["results"]:
        assert (
            set(result["categories"]) == set(result["category_scores"]) == set(result["category_applied_input_types"])
        )
        assert all(0 <= score <= 1 for score in result["category_scores"].values())
        # What is flagged says why.
        assert result["flagged"] == any(result["categories"].values())
    return body["results"]


class TestInputs:
    def test_a_harmless_text(self, gateway):
        [result] = judge(gateway, "The weather is fine.")
        assert not result["flagged"]

    def test_texts(self, gateway):
        assert len(judge(gateway, ["The weather is fine.", "So is the wine.", "And so am I."])) == 3

    def test_parts(self, gateway):
        """All parts are one input."""
        assert len(judge(gateway, [{"type": "text", "text": "Fine."}, {"type": "text", "text": "Good."}])) == 1

    def test_a_picture(self, gateway):
        part = {"type": "image_url", "image_url": {"url": media.data_url(media.png(16, 16))}}
        reply = post(gateway, PATH, input=[{"type": "text", "text": "Fine."}, part])
        if reply.status_code != 200:
            shapes.check_error(reply, 400, param="input")

    @pytest.mark.parametrize(
        "given",
        [None, 5, [], [5], ["a", 5], {"text": "x"}, [{"type": "sound"}], [{"type": "text"}], ["a", {"type": "text"}]],
        ids=repr,
    )
    def test_what_is_no_input(self, gateway, given):
        shapes.check_error(post(gateway, PATH, input=given), 400, param="input")

    def test_no_input(self, gateway):
        reply = post(gateway, PATH, model="omni-moderation-latest")
        shapes.check_error(reply, 400, code="missing_required_parameter", param="input")

    @pytest.mark.parametrize(
        "model", ["omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-latest"]
    )
    def test_openais_names(self, gateway, model):
        body = good(post(gateway, PATH, input="Fine.", model=model))
        assert body["model"] == model

    @pytest.mark.parametrize("path", ["/api/v1/moderations", "/moderations"])
    def test_other_paths(self, gateway, path):
        assert good(post(gateway, path, input="Fine."))["results"]

    def test_many_in_order(self, gateway):
        given = [f"Text number {number}." for number in range(30)]
        given[17] = HARM
        assert [result["flagged"] for result in judge(gateway, given)] == [index == 17 for index in range(30)]


class TestWithoutAGuardrail:
    """Bedrock checks texts by itself too, with nothing set up."""

    def test_it_is_that_which_is_asked(self, stack, mark):
        judge(stack.gateway, f"{mark} fine")
        [call] = stack.simulator.requests(mark)
        assert call["operation"] == "InvokeGuardrailChecks"

    def test_harm_is_seen(self, gateway):
        [result] = judge(gateway, HARM)
        assert result["flagged"] and result["categories"]["violence"]
        assert result["category_scores"]["violence"] >= 0.5
        assert result["category_applied_input_types"]["violence"] == ["text"]


class TestWithAGuardrail:
    @pytest.fixture
    def guarded(self, stacked):
        return stacked(env=GUARDRAIL)

    def test_it_is_asked(self, guarded, mark):
        [result] = judge(guarded.gateway, f"{mark} fine")
        assert not result["flagged"]
        [call] = guarded.simulator.requests(mark)
        assert call["operation"] == "ApplyGuardrail"

    @pytest.mark.parametrize("text", [HARM, "BLOCKED-INPUT, it says", "Which stocks? Give me investment advice."])
    def test_what_it_blocks_is_flagged(self, guarded, text):
        [result] = judge(guarded.gateway, text)
        assert result["flagged"]

    def test_pictures(self, guarded):
        def part(data):
            return {"type": "image_url", "image_url": {"url": media.data_url(data)}}

        [result] = judge(guarded.gateway, [part(media.png(16, 16))])
        assert not result["flagged"]
        bad = media.png(16, 16)[:-12] + media.chunk(b"teXt", b"sim:violence") + media.png()[-12:]
        [result] = judge(guarded.gateway, [part(bad)])
        assert result["flagged"] and result["category_applied_input_types"]["violence"] == ["image"]


class TestTheSdk:
    def test_it(self, client):
        answer = client.moderations.create(input="I want to be kind to them.")
        assert answer.results[0].flagged is False and answer.results[0].categories.hate is False
        assert answer.results[0].category_scores.violence >= 0

    def test_async(self, gateway):
        async def ask():
            async with gateway.async_openai() as client:
                return await client.moderations.create(input=["Fine.", "Good."], model="omni-moderation-latest")

        assert len(asyncio.run(ask()).results) == 2

    def test_errors_have_their_classes(self, client):
        with pytest.raises(openai.BadRequestError):
            client.moderations.create(input=[])


def test_headers(gateway):
    reply = post(gateway, PATH, input="Fine.", headers={"x-request-id": "told-1"})
    assert good(reply) and reply.headers["x-request-id"] == "told-1"


def test_refusals_of_awss(stack, mark):
    assert calls(stack) is not None
    reply = post(stack.gateway, PATH, input=f"{mark} " + "long " * 100_000)
    assert reply.status_code in (200, 400, 413), reply.text
    if reply.status_code != 200:
        shapes.check_error(reply, param="input")
