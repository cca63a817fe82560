"""Images, documents, audio, video, citations, as boto3 sees them."""

import pytest

from talk import CLAUDE, CLAUDE_5, LLAMA_3, NOVA, TOOLS, assistant, events, image, png, refused, text_of, user

VOXTRAL = "mistral.voxtral-mini-3b-2507"
IN_S3 = {"s3Location": {"uri": "s3://bucket/key"}}


def document(name="report", form="txt", data=b"text", **more):
    return {"document": {"format": form, "name": name, "source": {"bytes": data}, **more}}


def video(source=None):
    return {"video": {"format": "mp4", "source": source or {"bytes": b"video"}}}


def audio():
    return {"audio": {"format": "wav", "source": {"bytes": b"audio"}}}


@pytest.mark.parametrize(
    ("model", "blocks"),
    [
        (CLAUDE, ["a", image(png(8000, 8000))]),
        (CLAUDE, ["a", document(), document("report 2", "pdf", b"%PDF-1.7")]),
        (CLAUDE, ["a", {"document": {"format": "txt", "name": "a", "source": {"text": "text"}}}]),
        (NOVA, ["a", video()]),
        (NOVA, ["a", video(IN_S3)]),
        (NOVA, ["a", {"image": {"format": "png", "source": IN_S3}}]),
        (NOVA, ["a", {"document": {"format": "pdf", "name": "a", "source": IN_S3}}]),
        (VOXTRAL, ["a", audio()]),
    ],
)
def test_what_is_read(runtime, model, blocks):
    assert text_of(runtime.converse(modelId=model, messages=[user(*blocks)]))


@pytest.mark.parametrize(
    ("model", "blocks", "expected"),
    [
        (CLAUDE, ["a", image(png(8001, 1))], "At least one of the image dimensions exceed max allowed size: 8000 pixels"),
        (CLAUDE, ["a", image(png()[:20])], "Could not process image"),
        (CLAUDE, ["a", document(), document()], "Messages can't contain duplicate document names."),
        (CLAUDE, ["a", document(form="pdf")], "The PDF specified was not valid."),
        (CLAUDE, ["a", document(data=bytes(4_718_593))], "document exceeds the maximum size"),
        (CLAUDE, ["a", document("two  spaces")], "more than one consecutive whitespace"),
        (CLAUDE, ["a", {"image": {"format": "png", "source": IN_S3}}], "image.source.s3Location field"),
        (CLAUDE, ["a", video()], "doesn't support the video content block"),
        (CLAUDE, ["a", audio()], "doesn't support the audio content block"),
        (NOVA, ["a", audio()], "doesn't support the audio content block"),
        (NOVA, ["a", video(), video()], "The number of videos exceeds the limit of 1."),
        (LLAMA_3, ["a", document()], "doesn't support the document content block"),
        (NOVA, ["a", {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}}], "searchResult"),
        (CLAUDE, ["a", {"citationsContent": {"content": [{"text": "x"}]}}], "only allowed in assistant messages"),
    ],
)
def test_what_is_refused(runtime, model, blocks, expected):
    assert expected in refused(lambda: runtime.converse(modelId=model, messages=[user(*blocks)]))


def test_images_in_results(runtime):
    call = assistant({"toolUse": {"toolUseId": "1", "name": "get_weather", "input": {}}})
    result = {"toolResult": {"toolUseId": "1", "content": [image()], "status": "error"}}
    turns = [user("a"), call, user(result)]
    assert text_of(runtime.converse(modelId=CLAUDE, messages=turns, toolConfig=TOOLS))
    message = refused(lambda: runtime.converse(modelId=NOVA, messages=turns, toolConfig=TOOLS))
    assert "toolResult.content.image" in message


def test_citations(runtime):
    ask = user("[[sim:citation The sky is blue.]]", document("sky", citations={"enabled": True}))
    reply = runtime.converse(modelId=CLAUDE, messages=[ask])
    block = reply["output"]["message"]["content"][0]["citationsContent"]
    assert block["content"] == [{"text": "The sky is blue."}]
    assert block["citations"][0]["title"] == "sky"
    assert runtime.converse(modelId=CLAUDE, messages=[ask, reply["output"]["message"], user("More?")])
    deltas = [
        event["contentBlockDelta"]["delta"]
        for event in runtime.converse_stream(modelId=CLAUDE, messages=[ask])["stream"]
        if "contentBlockDelta" in event
    ]
    assert "".join(delta.get("text", "") for delta in deltas) == "The sky is blue."
    assert deltas[-1]["citation"]["location"]["documentChar"]["end"] == 16


def test_images_can_be_answered(runtime):
    reply = runtime.converse(modelId=NOVA, messages=[user("[[sim:image]]")])
    sent = reply["output"]["message"]["content"][0]["image"]["source"]["bytes"]
    seen = list(events(runtime, "[[sim:image]]", model=NOVA))
    assert seen[1]["contentBlockStart"]["start"] == {"image": {"format": "png"}}
    assert seen[2]["contentBlockDelta"]["delta"]["image"]["source"]["bytes"] == sent
    assert text_of(runtime.converse(modelId=NOVA, messages=[user("What's this?", image(sent))]))


def test_tools_can_change_in_mid_conversation(runtime):
    change = {"role": "system", "content": [{"toolRemoval": {"tool": {"name": "get_weather"}}}]}
    assert runtime.converse(modelId=CLAUDE_5, messages=[user("a"), change], toolConfig=TOOLS)
    message = refused(lambda: runtime.converse(modelId=CLAUDE, messages=[user("a"), change], toolConfig=TOOLS))
    assert "system role" in message
