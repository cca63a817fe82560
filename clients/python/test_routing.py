"""One name, many targets: what the client notices of it, which is little."""

import time

import httpx
import openai
import pytest

from support import shapes
from support.wire import Events

NOVA, HAIKU, SONNET = (
    "amazon.nova-lite-v1:0",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
)


def route(name="chat", targets=(NOVA, HAIKU), **said):
    """A `[[routes]]` table; a target is a model, or a dictionary."""
    lines = ["[[routes]]", f'name = "{name}"']
    lines += [f"{key} = {toml(value)}" for key, value in said.items()]
    for target in targets:
        target = target if isinstance(target, dict) else {"model": target}
        lines += ["[[routes.targets]]"] + [f"{key} = {toml(value)}" for key, value in target.items()]
    return "\n".join(lines) + "\n"


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value) if not isinstance(value, str) else f'"{value}"'


@pytest.fixture
def routed(stacked, tmp_path):
    """A gateway with these tables, whose simulator follows these rules by model."""

    def start(tables, *arguments, rules=None, **options):
        settings = tmp_path / f"outcrop-{time.monotonic_ns()}.toml"
        settings.write_text(tables)
        scenario = tmp_path / "scenario.toml"
        scenario.write_text(
            "".join(f'[[rules]]\nmodel = "{model}"\nactions = {toml(actions)}\n' for model, actions in (rules or {}).items())
        )
        return stacked("--config", settings, *arguments, scenario=scenario, **options)

    return start


def models_of(stack, mark):
    return [request["path"].split("/")[2].replace("%3A", ":") for request in stack.simulator.requests(mark)]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    "fault",
    [
        "error ThrottlingException",
        "error ServiceUnavailableException",
        "error InternalServerException",
        "error ModelNotReadyException",
        "error ServiceQuotaExceededException",
        "error AccessDeniedException",
        "error ResourceNotFoundException",
        "html status=503",
        "cut after=0",
    ],
)
def test_what_another_target_can_avoid_is_not_the_clients_business(routed, mark, fault, stream):
    stack = routed(route(), rules={"nova": [fault]})
    reply = stack.gateway.chat(f"{mark} [[sim:text ok]]", model="chat", body={"stream": stream})
    assert reply.status_code == 200, reply.text
    assert models_of(stack, mark) == [NOVA, HAIKU], "each once, at once"
    assert reply.headers["x-outcrop-attempts"] == "2"
    assert reply.headers["x-bedrock-model"] == HAIKU
    assert reply.headers["x-bedrock-region"] == "us-east-1"
    if stream:
        events = Events(reply.text)
        assert events.done and {chunk["model"] for chunk in events.chunks} == {"chat"}
    else:
        shapes.check_completion(reply.json())
        assert reply.json()["model"] == "chat"


def test_what_is_wrong_with_the_request_is_asked_once(routed, mark):
    stack = routed(route(), rules={"nova": ["error ValidationException"]})
    reply = stack.gateway.chat(mark, model="chat")
    shapes.check_error(reply, 400)
    assert models_of(stack, mark) == [NOVA]


def test_where_all_fail_the_client_is_told_what_may_be_over_soon(routed, mark):
    stack = routed(
        route(targets=[NOVA, HAIKU, SONNET]),
        rules={"nova": ["error AccessDeniedException"], "haiku": ["error ThrottlingException"], "sonnet": ["error AccessDeniedException"]},
    )
    reply = stack.gateway.chat(mark, model="chat")
    shapes.check_error(reply, 429)
    assert reply.headers["x-should-retry"] == "false"
    assert int(reply.headers["x-outcrop-attempts"]) == len(models_of(stack, mark))
    asked = models_of(stack, mark)
    assert asked.count(NOVA) == asked.count(SONNET) == 1 < asked.count(HAIKU), "what is denied stays denied"


def test_an_sdk_does_not_multiply_the_tries(routed, mark):
    stack = routed(route(), rules={"nova": ["error ThrottlingException"], "haiku": ["error ThrottlingException"]})
    client = stack.gateway.openai(max_retries=5)
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="chat", messages=[{"role": "user", "content": mark}])
    assert len(models_of(stack, mark)) == 4, "two targets, three tries each at most, of which the last share"


def test_fallbacks_are_other_models(routed, mark):
    tables = route(targets=[NOVA], fallbacks=["second"]) + route("second", [HAIKU], fallbacks=[SONNET, "chat"])
    stack = routed(tables, "--max-attempts", "1", rules={"nova": ["error ThrottlingException"], "haiku": ["error ThrottlingException"]})
    reply = stack.gateway.chat(f"{mark} [[sim:text ok]]", model="chat")
    assert reply.status_code == 200, reply.text
    assert models_of(stack, mark) == [NOVA, HAIKU, SONNET]


def test_a_prompt_that_is_too_long_has_fallbacks_of_its_own(routed, mark):
    rules = {"nova": ["error ValidationException message=Input is too long for requested model."]}
    stack = routed(route(targets=[NOVA], fallbacks=[SONNET], context_window_fallbacks=[HAIKU]), rules=rules)
    reply = stack.gateway.chat(f"{mark} [[sim:text ok]]", model="chat")
    assert reply.status_code == 200, reply.text
    assert models_of(stack, mark) == [NOVA, HAIKU]


def test_a_refusal_of_content_has_fallbacks_of_its_own(routed, mark):
    rules = {"nova": ["stop guardrail_intervened"]}
    stack = routed(route(targets=[NOVA], content_policy_fallbacks=[HAIKU]), rules=rules)
    reply = stack.gateway.chat(f"{mark} [[sim:text ok]]", model="chat")
    assert reply.json()["choices"][0]["finish_reason"] == "stop"
    assert models_of(stack, mark) == [NOVA, HAIKU]
    assert reply.headers["x-outcrop-attempts"] == "2"


def test_a_target_adds_what_a_request_does_not_say(routed, mark):
    target = {"model": NOVA, "parameters": {"temperature": 0.25, "max_tokens": 77, "top_k": 5}}
    stack = routed(route(targets=[target]))
    stack.gateway.chat(mark, model="chat", body={"temperature": 0.5})
    (request,) = stack.simulator.requests(mark)
    assert request["body"]["inferenceConfig"]["temperature"] == 0.5
    assert request["body"]["inferenceConfig"]["maxTokens"] == 77
    assert request["body"]["additionalModelRequestFields"]["inferenceConfig"]["topK"] == 5


def test_a_target_has_a_region(serve, tmp_path):
    settings = tmp_path / "outcrop.toml"
    settings.write_text(route(targets=[{"model": NOVA, "region": "us-west-2"}]))
    reply = serve("--config", settings).chat("Hi", model="chat")
    assert reply.headers["x-bedrock-region"] == "us-west-2", reply.text


def test_a_star_is_carried_over(routed, mark):
    stack = routed(route("team/*", [{"model": "*"}]))
    reply = stack.gateway.chat(mark, model=f"team/{NOVA}")
    assert reply.status_code == 200, reply.text
    assert models_of(stack, mark) == [NOVA]


def test_a_target_that_is_down_is_left_alone(routed):
    stack = routed(route(), "--breaker-cool-down", "60s", rules={"nova": ["error ServiceUnavailableException"]})
    for _ in range(20):
        assert stack.gateway.chat("[[sim:text ok]]", model="chat").status_code == 200
    calls = [request["path"] for request in stack.simulator.state()["requests"]]
    assert sum(NOVA.replace(":", "%3A") in path for path in calls) == 5, "the breaker's least"


def test_a_session_stays_at_a_target(routed, mark):
    stack = routed(route(targets=[NOVA, HAIKU, SONNET], strategy="weighted"))
    for headers, body in [({"x-session-id": "s1"}, {}), ({}, {"prompt_cache_key": "k1"}), ({}, {"user": "u1"})]:
        models = {
            stack.gateway.chat(mark, model="chat", headers=headers, body=body).headers["x-bedrock-model"]
            for _ in range(12)
        }
        assert len(models) == 1, (headers, body)
    models = {stack.gateway.chat(mark, model="chat").headers["x-bedrock-model"] for _ in range(60)}
    assert len(models) == 3


def test_a_silent_target_gets_company(routed, mark):
    rules = {"nova": ["delay 20s"]}
    stack = routed(route(), "--hedge-after", "200ms", rules=rules)
    reply = stack.gateway.chat(f"{mark} [[sim:text ok]]", model="chat")
    assert reply.status_code == 200, reply.text
    assert reply.headers["x-bedrock-model"] == HAIKU
    assert reply.headers["x-outcrop-attempts"] == "2"


def test_of_two_calls_that_fail_neither_is_forgotten(routed, mark):
    rules = {"nova": ["delay 600ms", "error ThrottlingException"], "haiku": ["error AccessDeniedException"]}
    stack = routed(route(), "--hedge-after", "200ms", rules=rules)
    reply = stack.gateway.chat(mark, model="chat")
    shapes.check_error(reply, 429)
    asked = models_of(stack, mark)
    assert asked.count(HAIKU) == 1 < asked.count(NOVA), "what throttles may recover, what is denied won't"


def test_a_request_that_says_what_is_called_breaks_no_target(routed, mark):
    stack = routed(route(targets=[NOVA, HAIKU]), "--breaker-cool-down", "60s")
    for _ in range(8):
        shapes.check_error(stack.gateway.chat("x", model="chat", body={"model_id": "amazon.nova-none-v1:0"}), 404)
    stack.gateway.chat(f"{mark} [[sim:text ok]]", model="chat")
    assert models_of(stack, mark) == [NOVA]


def test_what_another_target_said_is_not_kept_for_the_first(routed, mark):
    targets = [{"model": NOVA, "parameters": {"max_tokens": 5}}, {"model": NOVA, "parameters": {"max_tokens": 900}}]
    prompt = f"{mark} [[sim:sequence error ThrottlingException | text ok]]"
    stack = routed(route(targets=targets), "--response-cache", "memory")
    replies = [stack.gateway.chat(prompt, model="chat", body={"temperature": 0})]
    time.sleep(1)  # The first target has rested.
    replies.append(stack.gateway.chat(prompt, model="chat", body={"temperature": 0}))
    assert [reply.headers["x-outcrop-cache"] for reply in replies] == ["miss", "miss"]
    limits = [request["body"]["inferenceConfig"]["maxTokens"] for request in stack.simulator.requests(mark)]
    assert limits == [5, 900, 5]


def test_the_clients_deadline_bounds_all_tries(routed, mark):
    stack = routed(route(), rules={"nova": ["delay 20s"], "haiku": ["delay 20s"]})
    for name in ["x-outcrop-timeout", "x-litellm-timeout", "x-stainless-timeout"]:
        reply = stack.gateway.chat(mark, model="chat", headers={name: "0.5"})
        shapes.check_error(reply, 504)
        assert "client waits" in reply.json()["error"]["message"]
    shapes.check_error(stack.gateway.chat(mark, model="chat", headers={"x-outcrop-timeout": "soon"}), 400)


def test_choices_that_were_answered_are_kept(routed, mark):
    stack = routed(route(targets=[NOVA]))
    prompt = f"{mark} [[sim:error ThrottlingException times=1]] [[sim:text ok]]"
    reply = stack.gateway.chat(prompt, model="chat", body={"n": 4})
    assert reply.status_code == 200, reply.text
    assert len(reply.json()["choices"]) == 4
    assert len(models_of(stack, mark)) == 5, "only the one that failed was asked again"


def test_choices_go_where_there_is_room_for_all(routed, mark):
    limits = [(NOVA, 2), (HAIKU, 3)]
    quotas = "".join(f'[[quotas]]\nmodel = "{model}"\nrequests_per_minute = {most}\n' for model, most in limits)
    stack = routed('admission = true\nqueue_timeout = "1s"\n' + route(strategy="ordered") + quotas)
    body = {"n": 3, "max_tokens": 20}
    reply = stack.gateway.chat(f"{mark} [[sim:text ok]]", model="chat", body=body)
    assert reply.status_code == 200, reply.text
    assert models_of(stack, mark) == [HAIKU] * 3, "no answer was thrown away"
    reply = stack.gateway.chat(f"{mark} [[sim:text ok]]", model="chat", body=body)
    assert reply.status_code == 429, reply.text
    assert models_of(stack, mark) == [HAIKU] * 3 + [NOVA] * 2, "the third was waited for, and no other model asked"
    assert (reply.headers["x-outcrop-attempts"], reply.headers["x-should-retry"]) == ("2", "false")


def test_texts_that_were_embedded_are_kept(routed, mark):
    titan = "amazon.titan-embed-text-v2:0"
    stack = routed(route("vectors", [titan]))
    texts = [f"{mark} {number}" for number in range(5)] + [f"{mark} [[sim:error ThrottlingException times=1]]"]
    reply = stack.gateway.request("POST", "/embeddings", json={"model": "vectors", "input": texts})
    assert reply.status_code == 200, reply.text
    assert len(reply.json()["data"]) == 6
    assert len(models_of(stack, mark)) == 7


def test_a_policy_may_mean_a_route(routed, mark):
    tables = route() + '[[policies]]\nmodels = ["chat"]\non_unsupported = "reject"\n'
    stack = routed(tables)
    shapes.check_error(stack.gateway.chat(mark, model="chat", body={"logit_bias": {"1": 1}}), 400)
    assert stack.gateway.chat(mark, model=NOVA, body={"logit_bias": {"1": 1}}).status_code == 200


def test_a_refusal_of_aws_tells_the_quota_too(routed, mark):
    stack = routed("[[quotas]]\ntokens_per_minute = 100_000\n", "--max-attempts", "1")
    reply = stack.gateway.chat(f"{mark} [[sim:error ThrottlingException]]", body={"max_tokens": 10})
    shapes.check_error(reply, 429)
    assert reply.headers["x-ratelimit-limit-tokens"] == "100000"


def test_routes_are_listed(routed):
    stack = routed(route("team-chat"))
    assert "team-chat" in [model.id for model in stack.gateway.openai().models.list()]
