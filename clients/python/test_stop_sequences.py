"""Stop sequences on models that don't take them: the text ends exactly where it would have."""

import pytest

from support import models, shapes
from support.exchange import ask

TEXT = "One, two, three, STOP four, END five."
# The first takes no stop sequences at all, the second four.
WITHOUT = [models.LLAMA_3, models.LLAMA_3_1, models.LLAMA_4]
MANY = ["<1>", "<2>", "<3>", "<4>", "STOP"]

CASES = [
    (["STOP"], "One, two, three, "),
    (["END", "STOP"], "One, two, three, "),
    (["three, S"], "One, two, "),
    (["O"], ""),
    (["five."], "One, two, three, STOP four, END "),
    (["STOPPED"], TEXT),
    (["two, three, STOP four, END five.!", "END"], "One, two, three, STOP four, "),
    ([" "], "One,"),
    (["nowhere"], TEXT),
    (["stop"], TEXT),
]


@pytest.mark.parametrize("chunk", [None, 1, 3, 7], ids=["whole", "by 1", "by 3", "by 7"])
@pytest.mark.parametrize("stop, expected", CASES, ids=[str(stop) for stop, _ in CASES])
def test_text_ends_before_the_sequence(stack, stop, expected, chunk):
    pace = f"[[sim:pace 0ms]][[sim:chunk {chunk}]]" if chunk else ""
    asked = ask(stack, f"{pace}[[sim:text {TEXT}]]", model=models.LLAMA_3, stop=stop, stream=bool(chunk))
    assert "stopSequences" not in asked.inference
    assert asked.answer.content == expected
    assert asked.answer.finish == "stop"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", ["stop", "stop_sequences"])
@pytest.mark.parametrize("model", WITHOUT, ids=models.short)
def test_each_model_without(stack, model, name, stream):
    asked = ask(stack, f"[[sim:text {TEXT}]]", model=model, stream=stream, **{name: ["STOP"]})
    assert asked.answer.content == "One, two, three, "


def test_a_single_one_as_text(stack):
    assert ask(stack, f"[[sim:text {TEXT}]]", model=models.LLAMA_3, stop="two").answer.content == "One, "


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    "text, stop, expected",
    [
        ("aaaaab", ["aab"], "aaa"),
        ("ababac", ["abac"], "ab"),
        ("Grüße 世界 und Ende", ["界"], "Grüße 世"),
        ("Grüße 世界 und Ende", ["ü"], "Gr"),
        ("👩‍👩‍👧 family", ["‍👧"], "👩‍👩"),
        ("line one\nline two\nline three", ["\nline two"], "line one"),
        ('say "quoted" \\ back', ['"'], "say "),
        ('say "quoted" \\ back', ["\\"], 'say "quoted" '),
        ("a\tb\u2028c", ["\u2028"], "a\tb"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_odd_texts(stack, text, stop, expected, stream):
    said = f"[[sim:pace 0ms]][[sim:chunk 1]][[sim:text {text}]]"
    asked = ask(stack, said, model=models.LLAMA_3, stop=stop, stream=stream)
    assert asked.answer.content == expected and asked.answer.finish == "stop"


def test_what_only_looked_like_the_beginning_comes_late_but_comes(stack):
    said = "[[sim:pace 0ms]][[sim:chunk 1]][[sim:text ends with STO]]"
    assert ask(stack, said, model=models.LLAMA_3, stop=["STOP"], stream=True).answer.content == "ends with STO"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_max_tokens_still_end_as_length(stack, stream):
    asked = ask(stack, f"[[sim:text {TEXT}]]", model=models.LLAMA_3, stop=["END"], max_tokens=2, stream=stream)
    assert asked.answer.finish == "length"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
class TestBeyondTheLimit:
    def test_more_than_nova_takes(self, stack, stream):
        asked = ask(stack, f"[[sim:text {TEXT}]]", model=models.NOVA, stop=MANY, stream=stream)
        assert len(asked.inference.get("stopSequences", [])) <= 4
        assert asked.answer.content == "One, two, three, " and asked.answer.finish == "stop"

    @pytest.mark.parametrize("place", range(5))
    def test_each_of_them_counts(self, stack, stream, place):
        asked = ask(stack, f"[[sim:text So {MANY[place]} on.]]", model=models.NOVA, stop=MANY, stream=stream)
        assert asked.answer.content == "So "

    def test_as_many_as_it_takes_are_its_own_affair(self, stack, stream):
        asked = ask(stack, f"[[sim:text {TEXT}]]", model=models.NOVA, stop=MANY[1:], stream=stream)
        assert asked.inference["stopSequences"] == MANY[1:]
        assert asked.answer.content == "One, two, three, "

    def test_mistrals_ten(self, stack, stream):
        stop = [f"<{number}>" for number in range(10)] + ["STOP"]
        asked = ask(stack, f"[[sim:text {TEXT}]]", model=models.MISTRAL_7B, stop=stop, stream=stream)
        assert asked.answer.content == "One, two, three, "


class TestStreams:
    def test_to_the_letter(self, stack):
        asked = ask(stack, f"[[sim:text {TEXT}]]", model=models.LLAMA_3, stop=["STOP"], stream=True)
        assert shapes.check_stream(asked.events.chunks) == ["One, two, three, "]

    def test_usage_is_still_told(self, stack):
        asked = ask(
            stack,
            f"[[sim:text {TEXT}]]",
            model=models.LLAMA_3,
            stop=["STOP"],
            stream=True,
            stream_options={"include_usage": True},
        )
        assert shapes.check_stream(asked.events.chunks, include_usage=True) == ["One, two, three, "]

    def test_several_choices_end_each_for_itself(self, stack):
        asked = ask(stack, f"[[sim:text {TEXT}]]", model=models.LLAMA_3, stop=["STOP"], stream=True, n=2)
        assert shapes.check_stream(asked.events.chunks, choices=2) == ["One, two, three, "] * 2

    def test_a_choice_that_stops_long_after_another_tells_its_usage_too(self, stack):
        """Each is read on for a while of its own."""
        late = "pace 500ms ; text one two three four five six seven STOP on"
        said = f"[[sim:sequence text a STOP b | {late}]]"
        body = {"stream": True, "stop": ["STOP"], "stream_options": {"include_usage": True}}
        single = ask(stack, said, model=models.LLAMA_3, **body)
        asked = ask(stack, said, model=models.LLAMA_3, n=2, **body)
        assert asked.answer.usage["prompt_tokens"] == 2 * single.answer.usage["prompt_tokens"]
        assert "usage_partial" not in stack.gateway.record(asked.reply)

    def test_what_is_not_read_to_its_end_is_marked_in_the_log(self, stack):
        endless = "[[sim:pace 5ms]][[sim:chunk 8]][[sim:text STOP at once. ]][[sim:tokens 4000]]"
        for said, is_partial in ((f"[[sim:text {TEXT}]]", None), (endless, True)):
            asked = ask(stack, said, model=models.LLAMA_3, stop=["STOP"], stream=True)
            record = stack.gateway.record(asked.reply)
            assert (record["outcome"], record.get("usage_partial")) == ("completed", is_partial), record

    def test_text_comes_before_the_end_is_known(self, stack):
        """What can't be the beginning of a sequence isn't held back."""
        asked = ask(stack, f"[[sim:chunk 4]][[sim:text {TEXT}]]", model=models.LLAMA_3, stop=["STOP"], stream=True)
        pieces = [choice["delta"].get("content") for chunk in asked.events.chunks for choice in chunk["choices"]]
        assert len([piece for piece in pieces if piece]) > 2, pieces

    def test_an_endless_text_ends(self, stacked):
        """Nothing more is awaited, or paid for, once the sequence is there."""
        stack = stacked(env={"OUTCROP_CHUNK_TIMEOUT": "2s"})
        said = (
            "[[sim:pace 0ms]][[sim:chunk 8]][[sim:text STOP here. The rest never comes to an end.]][[sim:hang after=5]]"
        )
        asked = ask(stack, said, model=models.LLAMA_3, stop=["STOP"], stream=True)
        assert asked.answer.content == "" and asked.answer.finish == "stop"


def test_reject_is_for_what_is_lost_and_nothing_is_lost_here(stack):
    asked = ask(stack, f"[[sim:text {TEXT}]]", model=models.LLAMA_3, stop=["STOP"], on_unsupported="reject")
    if asked.status == 200:
        assert asked.answer.content == "One, two, three, "
    else:
        shapes.check_error(asked.reply, 400, code="unsupported_parameter", param="stop")


@pytest.mark.parametrize("stop", [3, [3], {}, [["a"]]], ids=repr)
def test_bad_ones_are_named(stack, stop):
    shapes.check_error(ask(stack, model=models.LLAMA_3, stop=stop).reply, 400, param="stop")


def test_more_than_the_gateway_looks_for(stack):
    """As long as the stream is open, they take memory."""
    stop = [f"{number:04}" * 25 for number in range(200)]
    shapes.check_error(ask(stack, model=models.LLAMA_3, stop=stop).reply, 400, param="stop")
    assert ask(stack, model=models.LLAMA_3, stop=stop[:160]).status == 200
    assert ask(stack, model=models.MISTRAL_7B, stop=["x" * 20_000]).status == 200, "this one looks for it itself"


@pytest.mark.parametrize("stop", [None, [], "", [""]], ids=repr)
def test_none_at_all(stack, stop):
    assert ask(stack, f"[[sim:text {TEXT}]]", model=models.LLAMA_3, stop=stop).answer.content == TEXT


@pytest.mark.parametrize("ending", ["hang after=8", "cut after=8", "stream-error modelStreamErrorException after=8"])
def test_what_happens_behind_the_sequence_is_not_the_clients_concern(stack, ending):
    prompt = f"[[sim:pace 0ms]][[sim:chunk 5]][[sim:text {TEXT}]][[sim:{ending}]]"
    asked = ask(stack, prompt, model=models.LLAMA_3, stop=["STOP"], stream=True)
    assert (asked.answer.content, asked.answer.finish) == ("One, two, three, ", "stop")
