"""The catalogue: what is known of models, and the operator's own file, which adds to it and overrides it.

How a row is written stands in `row` below, and nowhere else.
"""

import json

import pytest

from support import models, process, settings, shapes
from support.exchange import WEATHER, tools_sent
from support.mapping import resolve
from support.names import NAMES
from support.routed import CONVERSE, GPT_OSS, INVOKE, OPENAI, dry, send

ACCOUNT = "123456789012"
IMPORTED = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:imported-model/abcdefghijkl"
HEAD = '[sources.us]\ntitle = "Our own tests"\nread = "2026-11-20"\n'


def row(*identifiers, table="family", **fields):
    """One row of a catalogue: the beginnings of ids, and what is so for them."""
    which = f"ids = {json.dumps(identifiers)}" if table == "family" else f"id = {json.dumps(identifiers[0])}"
    lines = [f"[[{table}]]", which, 'source = "us"']
    return "\n".join(lines + [f"{name} = {json.dumps(value)}" for name, value in fields.items()]) + "\n"


@pytest.fixture
def catalogue(tmp_path):
    """Writes an operator's file, and returns its path."""

    def write(*rows, head=HEAD):
        file = tmp_path / "catalogue.toml"
        file.write_text("\n".join([head, *rows]))
        return file

    return write


@pytest.fixture
def with_catalogue(stacked, catalogue):
    return lambda *rows: stacked("--catalogue", catalogue(*rows))


class TestOwnFile:
    def test_overrides_a_field(self, with_catalogue, stack):
        """Claude 4.5 takes one of the two parameters, unless one knows better."""
        fields = {"model": settings.CLAUDE, "temperature": 0.5, "top_p": 0.5}
        assert "topP" not in json.dumps(dry(stack, **fields)["body"])
        stack = with_catalogue(row("anthropic.claude-sonnet-4-5-20250929", sampling="both"))
        said = dry(stack, **fields)
        assert said["body"]["inferenceConfig"] == {"temperature": 0.5, "topP": 0.5} and not said["adaptations"]

    def test_leaves_the_other_fields_alone(self, with_catalogue):
        stack = with_catalogue(row("anthropic.claude-sonnet-4-5-20250929", sampling="both"))
        said = dry(stack, model=settings.CLAUDE, reasoning_effort="low", max_tokens=10000)
        assert said["body"]["additionalModelRequestFields"]["thinking"]["type"] == "enabled"

    def test_leaves_the_other_models_alone(self, with_catalogue):
        stack = with_catalogue(row("anthropic.claude-sonnet-4-5-20250929", sampling="both"))
        said = dry(stack, model=models.HAIKU_4_5, temperature=0.5, top_p=0.5)
        assert "topP" not in said["body"]["inferenceConfig"]

    def test_adds_a_model(self, with_catalogue, stacked):
        """Of a provider that nobody has heard of, which takes nothing by itself."""
        fields = {"model": models.NOVEL, "temperature": 0.5, "said": "[[sim:text Here.]]"}
        learned = send(stacked(), **fields)
        assert learned.answer.content == "Here." and len(learned.requests) > 1, "here it is learned from a refusal"
        stack = with_catalogue(row("simulator.novel", sampling="neither"))
        asked = send(stack, **fields)
        assert asked.answer.content == "Here." and len(asked.requests) == 1, "here it is known"
        assert asked.noted("temperature")

    def test_the_later_row_wins(self, with_catalogue):
        sonnet = "anthropic.claude-sonnet-4-5-20250929"
        stack = with_catalogue(row("anthropic.claude-", sampling="neither"), row(sonnet, sampling="both"))
        assert "temperature" in json.dumps(dry(stack, model=settings.CLAUDE, temperature=0.5)["body"])
        assert "temperature" not in json.dumps(dry(stack, model=models.HAIKU_4_5, temperature=0.5)["body"])

    @pytest.mark.parametrize(
        "model, apis, route",
        [
            (settings.CLAUDE, ["invoke", "converse"], INVOKE),
            (models.NOVA, ["invoke", "converse"], INVOKE),
            (GPT_OSS, ["converse", "openai", "invoke"], CONVERSE),
            (GPT_OSS, ["invoke", "converse", "openai"], INVOKE),
        ],
    )
    def test_sets_the_api_of_a_model(self, with_catalogue, model, apis, route):
        base = model.removeprefix("us.")
        stack = with_catalogue(row(base, apis=apis))
        asked = send(stack, "[[sim:text Here.]]", model=model)
        assert asked.answer.content == "Here." and asked.route == route
        assert resolve(stack.gateway, model)["bedrock_api"] == route

    def test_the_request_goes_before_it(self, with_catalogue):
        stack = with_catalogue(row("amazon.nova-lite", apis=["invoke", "converse"]))
        assert send(stack, model=models.NOVA, bedrock_api="converse").route == CONVERSE

    def test_gpt_oss_goes_straight_through_without_it(self, stack):
        assert resolve(stack.gateway, GPT_OSS)["bedrock_api"] == OPENAI

    def test_tells_the_format_of_an_imported_model(self, with_catalogue):
        stack = with_catalogue(row(IMPORTED, table="model", apis=["invoke"], invoke="meta-llama", prompt="llama3", tools=False))
        said = dry(stack, "Hello.", model=IMPORTED)
        assert said["url"].endswith("/invoke") and said["body"]["prompt"].startswith("<|begin_of_text|>")

    def test_holds_for_all_names_of_the_model(self, with_catalogue):
        stack = with_catalogue(row("anthropic.claude-sonnet-4-5-20250929", sampling="both"))
        bare = settings.CLAUDE_WITHOUT_PROFILE
        for name in ("Claude-4-5-Sonnet", bare, f"global.{bare}", f"bedrock/{bare}", f"{settings.CLAUDE}[1m]"):
            assert "topP" in dry(stack, model=name, temperature=0.5, top_p=0.5)["body"]["inferenceConfig"], name

    @pytest.mark.parametrize("source", ["variable", "file"])
    def test_may_be_named_elsewhere(self, stacked, catalogue, tmp_path, source):
        path = catalogue(row("anthropic.claude-sonnet-4-5-20250929", sampling="both"))
        settings_file = tmp_path / "outcrop.toml"
        settings_file.write_text(f"catalogue = {json.dumps(str(path))}\n" if source == "file" else "")
        env = {"OUTCROP_CATALOGUE": str(path)} if source == "variable" else {}
        stack = stacked("--config", settings_file, env=env)
        assert "topP" in json.dumps(dry(stack, model=settings.CLAUDE, temperature=0.5, top_p=0.5)["body"])

    def test_what_was_learned_stands_beside_it(self, stacked):
        """And is not mistaken for it."""
        stack = stacked()
        send(stack, "[[sim:refuse-field top_k]] [[sim:text ok]]", model=models.CLAUDE_4, top_k=5)
        reply = stack.gateway.get(f"/v1/models/{models.CLAUDE_4}")
        assert "learned" in reply.json(), reply.text

    def test_a_tool_that_a_row_calls_strict(self, with_catalogue):
        strict = {"type": "function", "function": WEATHER["function"] | {"strict": True}}
        stack = with_catalogue(row("amazon.nova-lite", strict_tools=True))
        assert tools_sent(dry(stack, model=models.NOVA, tools=[strict])["body"])["get_weather"]["strict"] is True


# What is wrong, and the words that the complaint has, beside the file and the line.
WRONG = [
    pytest.param("[[family]]\nids = [\n", [], id="no TOML"),
    pytest.param(row("amazon.nova-lite", samplnig="both"), ["samplnig", "sampling"], id="unknown field"),
    pytest.param(row("amazon.nova-lite", sampling="sometimes"), ["sampling", "sometimes"], id="unknown word"),
    pytest.param(row("amazon.nova-lite", stop_sequences="four"), ["stop_sequences"], id="wrong type"),
    pytest.param(row("amazon.nova-lite", stop_sequences=-1), ["stop_sequences"], id="negative"),
    pytest.param(row("amazon.nova-lite", apis=["invoek"]), ["apis", "invoek"], id="unknown API"),
    pytest.param(row("amazon.nova-lite", invoke="no-such-body"), ["invoke", "no-such-body"], id="unknown body"),
    pytest.param(row("amazon.nova-lite", prompt="no-such-prompt"), ["prompt", "no-such-prompt"], id="unknown prompt"),
    pytest.param('[[family]]\nsource = "us"\nsampling = "both"\n', ["ids"], id="no ids"),
    pytest.param('[[family]]\nids = [""]\nsource = "us"\n', ["ids"], id="empty id"),
    pytest.param('[[famliy]]\nids = ["x.y"]\n', ["famliy"], id="unknown table"),
]


class TestCheck:
    def test_a_good_file(self, catalogue):
        file = catalogue(row("anthropic.claude-", sampling="both"), row("acme.quarry", tools=False))
        ended = process.run("models", "check", str(file))
        assert ended.returncode == 0, ended.stderr
        assert "added: 1" in ended.stdout and "overridden: 1" in ended.stdout, ended.stdout

    @pytest.mark.parametrize("text, words", WRONG)
    def test_a_bad_file(self, catalogue, text, words):
        """With its place: file, line, field."""
        file = catalogue(row("anthropic.claude-", sampling="both"), text)
        first = file.read_text().index(text)
        lines = range(file.read_text()[:first].count("\n") + 1, file.read_text().count("\n") + 3)
        ended = process.run("models", "check", str(file))
        assert ended.returncode == 1, ended
        said = ended.stderr + ended.stdout
        assert "panicked" not in said
        assert any(f"catalogue.toml:{line}" in said for line in lines), said
        for word in words:
            assert word in said, said

    def test_the_line_is_that_of_the_field(self, catalogue):
        file = catalogue(row("amazon.nova-lite", tools=True, sampling="sometimes"))
        (line,) = [number for number, text in enumerate(file.read_text().split("\n"), 1) if "sometimes" in text]
        ended = process.run("models", "check", str(file))
        assert f"catalogue.toml:{line}: sampling: " in ended.stderr, ended.stderr

    def test_the_file_of_the_settings(self, catalogue, tmp_path):
        """Where none is named."""
        file = catalogue(row("amazon.nova-lite", sampling="sometimes"))
        ended = process.run("models", "check", env={"OUTCROP_CATALOGUE": str(file)})
        assert ended.returncode == 1 and "sampling" in ended.stderr, ended

    def test_a_file_that_is_not_there(self, tmp_path):
        ended = process.run("models", "check", str(tmp_path / "none.toml"))
        assert ended.returncode == 1 and "none.toml" in ended.stderr and "panicked" not in ended.stderr

    @pytest.mark.parametrize("text", ["", "# nothing\n"], ids=["empty", "comment"])
    def test_an_empty_file_changes_nothing(self, catalogue, text):
        ended = process.run("models", "check", str(catalogue(head=text)))
        assert ended.returncode == 0, ended.stderr

    def test_serve_does_not_start_on_a_bad_file(self, catalogue):
        file = catalogue(row("amazon.nova-lite", sampling="sometimes"))
        ended = process.run("serve", "--simulate", "--listen", "127.0.0.1:0", "--catalogue", str(file), timeout=20)
        assert ended.returncode != 0 and "sampling" in ended.stderr and "catalogue.toml" in ended.stderr, ended.stderr

    def test_the_check_of_the_settings_finds_it_too(self, catalogue, tmp_path):
        file = catalogue(row("amazon.nova-lite", sampling="sometimes"))
        (tmp_path / "outcrop.toml").write_text(f"catalogue = {json.dumps(str(file))}\n")
        ended = process.run("config", "check", cwd=tmp_path)
        assert ended.returncode != 0 and "sampling" in ended.stderr + ended.stdout, ended


class TestList:
    def test_has_every_model_of_the_documents(self):
        """Also those that are gone: someone's program still names them."""
        listed = json.dumps(listing())
        for name in NAMES:
            bases = [identifier.removeprefix("us.").removeprefix("global.") for identifier in name.ids]
            assert any(base in listed for base in bases), name

    @pytest.mark.parametrize("provider", ["anthropic", "Anthropic", "amazon", "meta", "openai"])
    def test_of_one_provider(self, provider):
        ids = [entry["id"] for entry in listing("--provider", provider)]
        assert ids and all(f"{provider.lower()}." in identifier for identifier in ids), ids

    def test_of_a_provider_that_there_is_not(self):
        ended = process.run("models", "list", "--provider", "anthropc")
        assert ended.returncode != 0 and "anthropic" in ended.stderr, ended

    def test_without_json(self):
        ended = process.run("models", "list")
        assert ended.returncode == 0, ended.stderr
        assert settings.NOVA in ended.stdout and settings.CLAUDE_WITHOUT_PROFILE in ended.stdout

    def test_has_the_operators_own(self, catalogue):
        file = catalogue(row("acme.quarry-v1", table="model", tools=False))
        ended = process.run("models", "list", "--json", env={"OUTCROP_CATALOGUE": str(file)})
        assert ended.returncode == 0, ended.stderr
        assert "acme.quarry" in ended.stdout


def listing(*arguments):
    ended = process.run("models", "list", "--json", *arguments)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    return found["data"] if isinstance(found, dict) else found


def test_a_bad_setting_is_no_reason_to_panic(tmp_path):
    ended = process.run("serve", "--simulate", "--catalogue", str(tmp_path), timeout=20)
    assert ended.returncode != 0 and "panicked" not in ended.stderr and ended.stderr.strip(), ended


def test_a_refused_catalogue_is_not_half_read(stacked, catalogue):
    """No gateway, rather than one that forgets what its operator wrote."""
    stacked("--catalogue", catalogue(row("amazon.nova-lite", sampling="both")))
    with pytest.raises(AssertionError):
        stacked("--catalogue", catalogue(row("amazon.nova-lite", sampling="sometimes")))


def test_errors_of_models_are_openais(stack):
    shapes.check_error(send(stack, model="acme.quarry-v1:0").reply, 404, code="model_not_found")
