"""Who comes from LiteLLM or bedrock-access-gateway: their settings and requests, as they are, and changes while serving."""

import os
import re
import signal

import openai
import pytest

from support import settings, shapes
from support.front import EAST, WEST, Front, route, table
from support.process import poll, run
from support.settings import CLAUDE, NOVA
from support.wire import Events

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
OTHER = "sk-other"
YAML = "config.yaml"

TWO_REGIONS = """\
model_list:
  - model_name: nova
    litellm_params:
      model: bedrock/amazon.nova-lite-v1:0
      aws_region_name: us-east-1
  - model_name: nova
    litellm_params:
      model: bedrock/amazon.nova-lite-v1:0
      aws_region_name: us-west-2
"""

EVERYTHING = """\
model_list:
  - model_name: fast
    litellm_params:
      model: bedrock/converse/us.anthropic.claude-haiku-4-5-20251001-v1:0
      aws_access_key_id: os.environ/TEAM_KEY
      aws_secret_access_key: os.environ/TEAM_SECRET
      aws_region_name: os.environ/TEAM_REGION
      temperature: 0.3
      rpm: 60
  - model_name: smart
    litellm_params:
      model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0
      aws_role_name: arn:aws:iam::123456789012:role/simulator-external
      aws_session_name: tests
      aws_external_id: simulator-external-id
      aws_region_name: us-west-2
  - model_name: "bedrock/*"
    litellm_params:
      model: "bedrock/*"
  - model_name: vectors
    litellm_params:
      model: bedrock/amazon.titan-embed-text-v2:0
    model_info:
      mode: embedding
litellm_settings:
  drop_params: true
  num_retries: 0
  request_timeout: 30
  fallbacks: [{"fast": ["smart"]}]
  context_window_fallbacks: [{"fast": ["bedrock/amazon.nova-pro-v1:0"]}]
router_settings:
  routing_strategy: simple-shuffle
  model_group_alias: {"gpt-4o": "smart", "gpt-4o-mini": "fast"}
  allowed_fails: 3
  cooldown_time: 30
general_settings:
  master_key: os.environ/PROXY_MASTER_KEY
"""
TEAM = {
    "TEAM_KEY": "AKIDSIMULATOR0000000",
    "TEAM_SECRET": "simulator-secret-access-key",
    "TEAM_REGION": "us-east-1",
    "PROXY_MASTER_KEY": "sk-master-1234",
}


@pytest.fixture
def lite(fronted):
    """A gateway with a LiteLLM config.yaml."""

    def start(text, *arguments, **options):
        return fronted(text, *arguments, name=YAML, **options)

    return start


def text_of(answer):
    return answer.choices[0].message.content


def config(command, file, *arguments, **env):
    done = run("config", command, "--config", str(file), *arguments, env=env)
    return done.returncode, done.stdout + done.stderr


class TestLiteLLM:
    def test_entries_of_one_name_balance(self, lite):
        front = lite(TWO_REGIONS)
        assert {front.region(model="nova") for _ in range(40)} == {EAST, WEST}
        front.simulate("outages", {"region": EAST})
        assert {front.region(model="nova") for _ in range(10)} == {WEST}

    def test_all_of_it(self, lite, mark):
        front = lite(EVERYTHING, env=TEAM, key=None)
        client = front.gateway.openai(api_key="sk-master-1234")
        front.gateway.key = "sk-master-1234"
        asked = {"fast": HAIKU, "smart": CLAUDE, "gpt-4o": CLAUDE, "gpt-4o-mini": HAIKU, "bedrock/amazon.nova-micro-v1:0": "amazon.nova-micro-v1:0"}
        for name, model in asked.items():
            reply = front.good(f"{mark} [[sim:text yes]]", model=name)
            assert reply.headers["x-bedrock-model"] == model
            assert reply.json()["model"] == name
        assert reply.headers["x-bedrock-region"] == EAST
        assert front.region(model="smart") == WEST
        (fast, *_) = [call for call in front.requests(mark) if "haiku" in call["path"]]
        assert fast["body"]["inferenceConfig"]["temperature"] == 0.3
        assert len(client.embeddings.create(model="vectors", input="a").data) == 1
        assert {"fast", "smart", "gpt-4o"} <= {model.id for model in client.models.list()}
        front.simulate("outages", {"model": "haiku"})
        assert front.good(model="fast").headers["x-bedrock-model"] == CLAUDE
        front.simulate("outages")
        assert front.good("word " * 210_000, model="fast").headers["x-bedrock-model"] == "amazon.nova-pro-v1:0"
        with pytest.raises(openai.AuthenticationError):
            front.gateway.openai(api_key="sk-wrong").models.list()

    def test_the_quotas_of_its_entries_are_told(self, lite):
        front = lite(TWO_REGIONS.replace("aws_region_name: us-east-1", "aws_region_name: us-east-1\n      rpm: 90\n      tpm: 80000"))
        answers = [front.good(model="nova") for _ in range(4)]
        assert {one.headers["x-bedrock-region"] for one in answers} == {EAST}, "the other lacks an rpm: a reserve"
        assert answers[0].headers["x-ratelimit-limit-requests"] == "90"
        assert answers[0].headers["x-ratelimit-limit-tokens"] == "80000"
        assert answers[0].headers["x-ratelimit-remaining-requests"] == "89"

    def test_usage_based_routing_keeps_to_them(self, lite):
        text = TWO_REGIONS.replace("aws_region_name", "rpm: 2\n      aws_region_name")
        front = lite(text + "router_settings:\n  routing_strategy: usage-based-routing-v2\n", "--queue-timeout", "0")
        replies = [front.chat(model="nova") for _ in range(5)]
        assert [reply.status_code for reply in replies] == [200] * 4 + [429]

    @pytest.mark.parametrize("strategy", ["least-busy", "latency-based-routing", "simple-shuffle", "cost-based-routing"])
    def test_strategies(self, lite, strategy):
        front = lite(TWO_REGIONS + f"router_settings: {{routing_strategy: {strategy}}}\n")
        assert front.good(model="nova").status_code == 200

    def test_order(self, lite):
        text = TWO_REGIONS.replace("us-east-1", "us-east-1\n      order: 2").replace("us-west-2", "us-west-2\n      order: 1")
        front = lite(text)
        assert {front.region(model="nova") for _ in range(10)} == {WEST}
        front.simulate("outages", {"region": WEST})
        assert front.region(model="nova") == EAST

    @pytest.mark.parametrize("place", ["litellm_settings", "router_settings"])
    def test_fallbacks_in_both_places(self, lite, place, mark):
        text = f"""
model_list:
  - {{model_name: a, litellm_params: {{model: bedrock/{NOVA}}}}}
  - {{model_name: b, litellm_params: {{model: bedrock/{HAIKU}}}}}
  - {{model_name: c, litellm_params: {{model: bedrock/{CLAUDE}}}}}
{place}:
  num_retries: 0
  fallbacks:
    - a: [b, c]
  content_policy_fallbacks:
    - a: ["c"]
  context_window_fallbacks: [{{"a": ["b"]}}]
"""
        rules = '[[rules]]\nmodel = "nova"\nprompt = "{}"\nactions = ["{}"]\n'
        too_long = "error ValidationException message=Input is too long for requested model."
        scenario = "".join(
            rules.format(*pair)
            for pair in [("one", "error ServiceUnavailableException"), ("two", "stop content_filtered"), ("three", too_long)]
        )
        front = lite(text, scenario=scenario)
        for word, model in [("one", HAIKU), ("two", CLAUDE), ("three", HAIKU)]:
            assert front.good(f"{mark} {word}", model="a").headers["x-bedrock-model"] == model, word

    def test_default_fallbacks(self, lite):
        text = TWO_REGIONS + f"  - {{model_name: haiku, litellm_params: {{model: bedrock/{HAIKU}}}}}\n"
        front = lite(text + "litellm_settings: {default_fallbacks: [haiku]}\n")
        front.simulate("outages", {"model": "nova"})
        assert front.good(model="nova").headers["x-bedrock-model"] == HAIKU

    @pytest.mark.parametrize("drop", ["true", "false"])
    def test_drop_params(self, lite, drop):
        front = lite(TWO_REGIONS + f"litellm_settings:\n  drop_params: {drop}\n")
        reply = front.chat(model="nova", logit_bias={"50256": -100})
        if drop == "true":
            assert reply.status_code == 200 and "logit_bias" in reply.headers["x-outcrop-adapted"]
        else:
            assert shapes.check_error(reply, 400)["param"] == "logit_bias"

    def test_a_wildcard_for_everything(self, lite):
        text = 'model_list:\n  - model_name: "*"\n    litellm_params:\n      model: "bedrock/*"\n      aws_region_name: us-west-2\n'
        front = lite(text)
        for name in (NOVA, CLAUDE, "amazon.nova-pro-v1:0"):
            assert front.region(model=name) == WEST

    def test_a_pattern_with_a_part(self, lite):
        text = 'model_list:\n  - model_name: "team/*-latest"\n    litellm_params: {model: "bedrock/amazon.*-v1:0"}\n'
        front = lite(text)
        assert front.good(model="team/nova-pro-latest").headers["x-bedrock-model"] == "amazon.nova-pro-v1:0"
        shapes.check_error(front.chat(model="team/nova-pro"), 404)

    def test_its_environment_variables_and_credentials(self, lite):
        text = """
environment_variables:
  MY_KEY: AKIDSIMULATOR0000000
credential_list:
  - credential_name: mine
    credential_values:
      aws_access_key_id: os.environ/MY_KEY
      aws_secret_access_key: os.environ/MY_SECRET
      aws_region_name: us-west-2
model_list:
  - model_name: nova
    litellm_params: {model: bedrock/amazon.nova-lite-v1:0, litellm_credential_name: mine}
"""
        none = {"AWS_ACCESS_KEY_ID": "AKIAWRONG", "AWS_SECRET_ACCESS_KEY": "wrong"}
        front = lite(text, env=none | {"MY_SECRET": "simulator-secret-access-key"})
        assert front.region(model="nova") == WEST

    def test_a_bedrock_api_key(self, lite):
        text = "model_list:\n  - model_name: nova\n    litellm_params: {model: bedrock/amazon.nova-lite-v1:0, api_key: os.environ/MY_BEDROCK_KEY}\n"
        none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
        front = lite(text, env=none | {"MY_BEDROCK_KEY": "bedrock-api-key-simulator"})
        front.good(model="nova")

    def test_credentials_of_its_entries_that_are_wrong_are_not_the_clients(self, lite):
        text = TWO_REGIONS.replace("aws_region_name: us-east-1", "aws_access_key_id: AKIANOBODY\n      aws_secret_access_key: nothing\n      order: 1")
        front = lite(text.replace("aws_region_name: us-west-2", "aws_region_name: us-west-2\n      order: 2"))
        assert front.region(model="nova") == WEST
        front.simulate("outages", {"region": WEST})
        reply = front.chat(model="nova")
        assert reply.status_code in (502, 503)
        assert "AKIANOBODY" not in reply.text and "nothing" not in "\n".join(front.gateway.stderr)

    def test_what_says_nothing_to_us_is_named_with_its_line(self, lite):
        text = TWO_REGIONS + (
            "      stream_timeout: 5\n"
            "  - model_name: gpt\n"
            "    litellm_params: {model: openai/gpt-4o, api_key: sk-secret-openai}\n"
            "litellm_settings:\n"
            "  callbacks: [prometheus]\n"
            "  invented_here: 1\n"
            "general_settings:\n"
            "  database_url: postgresql://user:database-password@host/db\n"
            "invented: {}\n"
        )
        front = lite(text)
        front.good(model="nova")
        code, said = config("check", front.file)
        lines = {number: line for number, line in enumerate(text.splitlines(), 1)}
        for word in ["stream_timeout", "openai/gpt-4o", "callbacks", "invented_here", "database_url", "invented"]:
            number = next(number for number, line in lines.items() if re.search(rf"\b{re.escape(word)}\b", line))
            near = {number, number - 1}
            assert any(f"config.yaml:{one}:" in line and word.split("/")[0] in line for one in near for line in said.splitlines()), (word, said)
            assert any(word.split("/")[0] in line for line in front.gateway.stderr), word
        assert code == 0
        assert "database-password" not in said and "sk-secret-openai" not in said
        shapes.check_error(front.chat(model="gpt"), 404)

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("model_list:\n  - model_name: a\n    litellm_params:\n      model: [1]\n", 4),
            ("model_list:\n  - litellm_params: {model: bedrock/amazon.nova-lite-v1:0}\n", 2),
            ("model_list:\n  - model_name: a\n   litellm_params: {}\n", 3),
        ],
        ids=["model", "no name", "yaml"],
    )
    def test_a_bad_file_is_refused_with_its_line(self, tmp_path, text, line):
        file = tmp_path / YAML
        file.write_text(text)
        code, said = config("check", file)
        assert code != 0 and f"config.yaml:{line}" in said, said

    def test_a_value_that_is_none_is_warned_of(self, tmp_path):
        file = tmp_path / YAML
        file.write_text(TWO_REGIONS + "router_settings:\n  num_retries: many\n")
        _, said = config("check", file)
        assert "config.yaml:11: num_retries" in said

    def test_an_open_door_is_no_master_key(self, tmp_path):
        file = tmp_path / YAML
        file.write_text(TWO_REGIONS + "general_settings:\n  master_key: os.environ/NOT_SET_AT_ALL\n")
        done = run("serve", "--simulate", "--listen", "127.0.0.1:0", "--config", str(file))
        assert done.returncode != 0 and "NOT_SET_AT_ALL" in done.stderr

    def test_nothing_of_bedrocks_does_not_start(self, tmp_path):
        file = tmp_path / YAML
        file.write_text("model_list:\n  - model_name: gpt\n    litellm_params: {model: gpt-4o}\n")
        code, said = config("check", file)
        assert code != 0 and "config.yaml" in said

    def test_print_hides_secrets(self, tmp_path):
        file = tmp_path / YAML
        text = EVERYTHING.replace("os.environ/TEAM_SECRET", "very-secret-indeed").replace("os.environ/PROXY_MASTER_KEY", "sk-very-hidden")
        file.write_text(text + "  database_url: x\n")
        for command in ("print", "check"):
            code, said = config(command, file, **TEAM)
            assert code == 0, said
            for secret in ("very-secret-indeed", "sk-very-hidden", TEAM["TEAM_SECRET"]):
                assert secret not in said
        _, said = config("print", file, **TEAM)
        assert "os.environ/TEAM_KEY" in said, "references are no secrets"

    def test_converted_it_does_the_same(self, lite, fronted, tmp_path, mark):
        file = tmp_path / "there" / YAML
        file.parent.mkdir()
        file.write_text(EVERYTHING)
        done = run("config", "convert", str(file), env=TEAM)
        assert done.returncode == 0, done.stderr
        assert "os.environ/TEAM_SECRET" in done.stdout and TEAM["TEAM_SECRET"] not in done.stdout
        assert "sk-master-1234" not in done.stdout
        assert re.search(r"#.*(line|:)\s*\d+", done.stdout), "values say where they come from"
        mine = tmp_path / "mine.toml"
        mine.write_text(done.stdout)
        code, said = config("check", mine, **TEAM)
        assert code == 0, said
        front = fronted(done.stdout, env=TEAM, key=None)
        front.gateway.key = "sk-master-1234"
        for name, model in {"fast": HAIKU, "gpt-4o": CLAUDE, "bedrock/amazon.nova-micro-v1:0": "amazon.nova-micro-v1:0"}.items():
            assert front.good(model=name).headers["x-bedrock-model"] == model
        front.simulate("outages", {"model": "haiku"})
        assert front.good(model="fast").headers["x-bedrock-model"] == CLAUDE
        assert front.good(model="smart").headers["x-bedrock-region"] == WEST

    def test_what_it_prints_is_the_same_converted(self, tmp_path):
        file, mine = tmp_path / YAML, tmp_path / "mine.toml"
        file.write_text(EVERYTHING)
        mine.write_text(run("config", "convert", str(file), env=TEAM).stdout)
        bare = [re.sub(r"\s*(#|\().*$", "", line) for line in config("print", mine, **TEAM)[1].splitlines()]
        wanted = [re.sub(r"\s*(#|\().*$", "", line) for line in config("print", file, **TEAM)[1].splitlines()]
        assert [line for line in bare if line] == [line for line in wanted if line]


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """A gateway with the response cache, for all of these tests."""
    text = route(targets=[EAST, WEST], strategy="weighted", affinity="none") + route("safe", [NOVA], fallbacks=[HAIKU])
    text += table("quotas", model=CLAUDE, requests_per_minute=50)
    running = Front(tmp_path_factory.mktemp("cache"), text, "--response-cache", "memory", key=f"{settings.KEY},{OTHER}")
    yield running
    running.close()


class TestCache:
    """LiteLLM's client-side control, with OpenAI's client."""

    @pytest.fixture
    def front(self, cached):
        yield cached
        cached.simulate("outages")

    @pytest.fixture
    def ask(self, front, mark):
        def asked(cache=None, key=settings.KEY, model="chat", text="", headers=None, **fields):
            create = front.gateway.openai(api_key=key).chat.completions.with_raw_response.create
            fields = {"temperature": 0} | fields
            body = {"cache": cache} if cache is not None else {}
            messages = [{"role": "user", "content": f"{mark} {text}"}]
            raw = create(model=model, messages=messages, extra_body=body, extra_headers=headers or {}, **fields)
            if fields.get("stream"):
                assert [one for one in raw.parse()]
            return raw.headers.get("x-outcrop-cache")

        return asked

    def test_hit_and_miss(self, front, ask, mark):
        assert [ask() for _ in range(5)] == ["miss"] + ["hit"] * 4, "in whichever region"
        assert len(front.asked(mark)) == 1
        assert [ask(stream=True) for _ in range(2)] == ["miss", "hit"]
        assert ask(temperature=1) is None and ask(temperature=1, cache={"use-cache": True}) == "miss"

    def test_tenants(self, ask):
        assert [ask(), ask(key=OTHER), ask(), ask(key=OTHER)] == ["miss", "miss", "hit", "hit"]

    def test_no_store_and_no_cache(self, ask, front, mark):
        assert [ask({"no-store": True}) for _ in range(2)] == ["miss", "miss"]
        ask()
        assert ask({"no-store": True}) == "hit"
        assert ask({"no-cache": True}) != "hit"
        assert len(front.asked(mark)) == 4

    def test_ttl_and_s_maxage(self, ask):
        assert ask({"ttl": 1}) == "miss"
        poll(lambda: ask({"s-maxage": 600, "no-store": True}) == "miss", "its time is over")
        ask()
        assert ask({"s-maxage": 600}) == "hit"
        poll(lambda: ask({"s-maxage": 1, "no-store": True}) == "miss", "it is older than that")
        assert ask() == "hit"
        assert [ask({"ttl": 0}, text="x") for _ in range(2)] == ["miss", "miss"]

    def test_namespaces(self, ask):
        assert [ask({"namespace": "a"}), ask({"namespace": "b"}), ask({"namespace": "a"}), ask()] == ["miss", "miss", "hit", "miss"]

    def test_what_it_can_not_be(self, ask):
        for cache, param in [({"ttl": "long"}, "cache.ttl"), ({"invented": 1}, "cache.invented"), (3, "cache")]:
            with pytest.raises(openai.BadRequestError) as raised:
                ask(cache)
            assert raised.value.param == param

    def test_cache_control(self, ask):
        ask()
        assert ask(headers={"Cache-Control": "max-age=600"}) == "hit"
        assert ask(headers={"Cache-Control": "no-cache"}) != "hit"

    def test_answers_outlive_an_outage(self, front, ask):
        ask()
        front.simulate("outages", {})
        assert ask() == "hit"

    def test_a_fallbacks_answer_is_not_kept(self, front, ask, mark):
        front.simulate("outages", {"model": "nova"})
        assert ask(model="safe") == "miss"
        front.simulate("outages")
        assert front.asked(mark)[-1] == HAIKU
        poll(lambda: ask(model="safe", cache={"no-store": True}) and front.asked(mark)[-1] == NOVA, "the model is asked again")

    def test_a_hit_takes_no_quota(self, front, mark):
        def remaining(text):
            reply = front.good(f"{mark} {text}", model=CLAUDE, temperature=0)
            return reply.headers["x-outcrop-cache"], reply.headers.get("x-ratelimit-remaining-requests")

        before = int(remaining("one")[1])
        for _ in range(3):
            assert remaining("one")[0] == "hit"
        assert remaining("two") == ("miss", str(before - 1))

    def test_vectors(self, front, mark):
        create = front.gateway.openai().embeddings.with_raw_response.create
        seen = [create(model="amazon.titan-embed-text-v2:0", input=[mark, "b"]) for _ in range(2)]
        assert [one.headers["x-outcrop-cache"] for one in seen] == ["miss", "hit"]
        assert seen[0].parse().data[0].embedding == seen[1].parse().data[0].embedding


class TestBedrockAccessGateway:
    def start(self, fronted, **env):
        return fronted("", key=None, env=env)

    def test_its_environment(self, fronted):
        front = self.start(
            fronted,
            API_KEY="bag-key",
            API_ROUTE_PREFIX="/llm/v1",
            AWS_REGION="us-west-2",
            DEFAULT_MODEL=NOVA,
            DEFAULT_EMBEDDING_MODEL="amazon.titan-embed-text-v2:0",
            ENABLE_CROSS_REGION_INFERENCE="true",
            ENABLE_APPLICATION_INFERENCE_PROFILES="true",
            ENABLE_PROMPT_CACHING="false",
            DEBUG="false",
        )
        for prefix in ("/api/v1", "/llm/v1", "/v1"):
            client = front.gateway.openai(base_url=front.gateway.root + prefix, api_key="bag-key")
            raw = client.chat.completions.with_raw_response.create(model="gpt-3.5-turbo", messages=[{"role": "user", "content": "[[sim:text hi]]"}])
            assert text_of(raw.parse()) == "hi" and raw.headers["x-bedrock-model"] == NOVA
            assert raw.headers["x-bedrock-region"] == WEST
        raw = client.embeddings.with_raw_response.create(model="text-embedding-ada-002", input="hi")
        assert raw.headers["x-bedrock-model"] == "amazon.titan-embed-text-v2:0"
        with pytest.raises(openai.AuthenticationError):
            front.gateway.openai(api_key="bag-key2").models.list()

    @pytest.mark.parametrize(
        ("env", "key"),
        [
            ({"API_KEY_PARAM_NAME": "/simulator/api-key", "API_KEY": "no"}, "bedrock-api-key-simulator"),
            ({"API_KEY_SECRET_ARN": "simulator/json", "API_KEY": "no"}, None),
        ],
        ids=["parameter", "secret"],
    )
    def test_keys_that_stand_in_aws(self, fronted, env, key):
        if "API_KEY_SECRET_ARN" in env:
            env["API_KEY_SECRET_ARN"] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:simulator/json"
            key = "bedrock-api-key-simulator"
        front = self.start(fronted, **env)
        assert front.gateway.openai(api_key=key).models.list().data
        with pytest.raises(openai.AuthenticationError):
            front.gateway.openai(api_key="no").models.list()

    def test_converted(self, fronted):
        env = {"API_KEY": "bag-key", "DEFAULT_MODEL": NOVA, "AWS_REGION": "us-west-2", "API_ROUTE_PREFIX": "/llm"}
        done = run("config", "convert", env=env)
        assert done.returncode == 0, done.stderr
        front = fronted(done.stdout, key=None)
        front.gateway.key = "bag-key"
        reply = front.good(model="gpt-3.5-turbo")
        assert reply.headers["x-bedrock-model"] == NOVA and reply.headers["x-bedrock-region"] == WEST


class TestReload:
    @staticmethod
    def change(front, text, how):
        if how == "SIGHUP":
            front.file.write_text(text)
            front.gateway.handle.send_signal(signal.SIGHUP)
        else:
            new = front.file.with_suffix(".new")
            new.write_text(text)
            os.replace(new, front.file)

    @pytest.mark.parametrize("how", ["SIGHUP", "file"])
    @pytest.mark.parametrize("kind", ["toml", "yaml"])
    def test_in_mid_stream(self, fronted, how, kind):
        if kind == "toml":
            texts, name = [route(targets=[one]) for one in (EAST, WEST)], "outcrop.toml"
        else:
            entry = "model_list:\n  - model_name: chat\n    litellm_params: {{model: bedrock/amazon.nova-lite-v1:0, aws_region_name: {}}}\n"
            texts, name = [entry.format(one) for one in (EAST, WEST)], YAML
        front = fronted(texts[0], *(["--watch-config=false"] if how == "SIGHUP" else []), name=name)
        with front.streaming("[[sim:pace 200ms]] [[sim:tokens 15]]") as stream:
            assert stream.headers["x-bedrock-region"] == EAST
            self.change(front, texts[1], how)
            poll(lambda: front.region() == WEST, "the new settings count")
            assert Events(stream.rest()).done

    def test_under_load_nobody_notices(self, fronted):
        texts = [route(targets=[one, EAST]) for one in (EAST, WEST)]
        front = fronted(texts[0], "--watch-config=false")
        for number in range(6):
            self.change(front, texts[number % 2], "SIGHUP")
            replies = front.many([{"stream": bool(one % 2)} for one in range(25)])
            assert {reply.status_code for reply in replies} == {200}

    @pytest.mark.parametrize(
        ("name", "good", "bad", "line"),
        [
            ("outcrop.toml", route(targets=[EAST]), route(targets=[EAST], strategy="by_mood"), 3),
            ("outcrop.toml", route(targets=[EAST]), route(targets=[{"region": EAST, "account": "nobody"}]), None),
            ("outcrop.toml", route(targets=[EAST]), "[[routes\n", 1),
            (YAML, TWO_REGIONS.replace("name: nova", "name: chat"), "model_list:\n  - model_name: chat\n   litellm_params: {}\n", 3),
        ],
        ids=["strategy", "account", "toml", "yaml"],
    )
    def test_a_bad_one_is_refused_with_its_line(self, fronted, name, good, bad, line):
        front = fronted(good, name=name)
        front.good()
        self.change(front, bad, "SIGHUP")
        place = f"{name}:{line or ''}"
        poll(lambda: [one for one in front.gateway.stderr if place in one and "stay" in one], f"the log says {place}")
        front.good()
        front.file.write_text(good.replace("us-east-1", "us-west-2"))
        front.gateway.handle.send_signal(signal.SIGHUP)
        poll(lambda: front.region() == WEST, "a good one is taken over again")

    def test_quotas_and_what_was_counted(self, fronted):
        text = route(targets=[EAST]) + table("quotas", model=NOVA, requests_per_minute={})
        parts = [text.replace("{}", str(number)) for number in (3, 5)]
        front = fronted(parts[0], "--admission", "--queue-timeout", "0", "--watch-config=false")
        for _ in range(3):
            front.good()
        shapes.check_error(front.chat(), 429)
        self.change(front, parts[1], "SIGHUP")
        poll(lambda: front.chat().headers.get("x-ratelimit-limit-requests") == "5", "the new quota counts")
        poll(lambda: front.chat().status_code == 429, "what went before still counts")
        assert front.total == 5
