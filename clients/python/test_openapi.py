"""The description of the API, `/v1/openapi.json`: it is one, it has all that is served, and it tells the truth.

schemathesis makes requests from the description, right and wrong ones, always the same, and holds the answers to it.
"""

import contextlib
import re

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import strategies
from hypothesis.configuration import set_hypothesis_home_dir
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support import administration, media, process, settings

PATH = "/v1/openapi.json"
# It keeps what it knows of letters on disk, and shall not do so beside the tests.
set_hypothesis_home_dir(process.new_folder("hypothesis-"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 25

# What is described, and for each a model that can answer, so that most requests get further than to its name.
OPERATIONS = {
    "POST /v1/chat/completions": settings.NOVA,
    "POST /v1/chat/completions/input_tokens": settings.CLAUDE,
    "POST /utils/token_counter": settings.CLAUDE,
    "POST /v1/completions": settings.NOVA,
    "POST /v1/embeddings": "amazon.titan-embed-text-v2:0",
    "POST /v1/images/generations": "amazon.nova-canvas-v1:0",
    "POST /v1/images/edits": "amazon.nova-canvas-v1:0",
    "POST /v1/images/variations": "amazon.nova-canvas-v1:0",
    "GET /v1/images/{name}": None,
    "POST /v1/moderations": "omni-moderation-latest",
    "POST /v1/rerank": "cohere.rerank-v3-5:0",
    "POST /v2/rerank": "cohere.rerank-v3-5:0",
    "POST /v1/auth/session": None,
    "GET /v1/models": None,
    "GET /v1/models/{model}": settings.NOVA,
    "GET /v1/providers": None,
    "GET /v1/mappings": None,
    "GET /metrics": None,
    "GET /v1/usage": None,
    "GET /v1/usage/records": None,
    "GET /v1/organization/usage/completions": None,
    "GET /v1/organization/usage/embeddings": None,
    "GET /v1/organization/usage/moderations": None,
    "GET /v1/organization/usage/images": None,
    "GET /v1/organization/costs": None,
}


@pytest.fixture(scope="module")
def served():
    with process.Gateway("--simulate", "--simulator-pace", "0") as running:
        yield running


@pytest.fixture(scope="module")
def description(served):
    reply = served.get(PATH)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("application/json")
    return reply.json()


@pytest.fixture(scope="module")
def schema(description):
    return schemathesis.openapi.from_dict(description)


def operations(description):
    methods = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
    return {
        f"{method.upper()} {path}"
        for path, item in description["paths"].items()
        for method in methods
        if method in item
    }


class TestTheDescription:
    def test_is_one(self, description):
        assert description["openapi"].startswith("3.1.")
        problems = [
            f"{list(error.absolute_path)}: {error.message}"
            for error in OpenAPIV31SpecValidator(description).iter_errors()
        ]
        assert not problems, "\n".join(problems[:20])

    def test_has_each_endpoint(self, description):
        missing = (set(OPERATIONS) | set(administration.OPERATIONS)) - operations(description)
        assert not missing, f"served, and not described: {sorted(missing)}"

    def test_has_no_endpoint_that_nobody_tries(self, description):
        """Those who describe one more add it above, and have it tried."""
        untried = operations(description) - set(OPERATIONS) - UNTRIED - set(administration.OPERATIONS)
        # Azure's are the same endpoints once more.
        assert not [operation for operation in untried if "/openai/deployments/" not in operation]

    def test_each_endpoint_that_it_has_is_served(self, served, description):
        for operation in sorted(operations(description)):
            method, path = operation.split(" ", 1)
            reply = served.request(method, re.sub(r"\{[^}]*\}", "x", path))
            assert reply.status_code != 405, operation
            if reply.status_code == 404 and "{" not in path:
                raise AssertionError(f"{operation} is described, and not there: {reply.text}")

    def test_each_operation_has_a_name_and_says_what_it_does(self, description):
        for path, item in description["paths"].items():
            for method, operation in item.items():
                if method in ("get", "post", "patch", "delete"):
                    assert operation.get("operationId") and operation.get("summary"), f"{method} {path}"

    def test_names_are_unique(self, description):
        names = [
            operation["operationId"]
            for item in description["paths"].values()
            for method, operation in item.items()
            if method in ("get", "post", "patch", "delete")
        ]
        assert len(names) == len(set(names))

    def test_says_how_to_show_a_key(self, description):
        schemes = description["components"]["securitySchemes"].values()
        assert any(scheme["type"] == "http" and scheme["scheme"] == "bearer" for scheme in schemes)

    def test_errors_are_openais(self, description):
        for path, item in description["paths"].items():
            for method, operation in item.items():
                answers = operation.get("responses", {}) if method in ("get", "post", "patch", "delete") else {}
                for status in (status for status in answers if status.startswith("4")):
                    assert "application/json" in answers[status].get("content", answers[status]), (
                        f"{method} {path} {status}"
                    )

    def test_does_not_change_from_one_time_to_the_next(self, served):
        assert served.get(PATH).content == served.get(PATH).content


class TestHeaders:
    def test_each_answer_says_its_id(self, description):
        for operation in operations(description):
            method, path = operation.split(" ", 1)
            for status, answer in description["paths"][path][method.lower()]["responses"].items():
                assert "X-Request-ID" in answer["headers"], f"{operation} {status}"

    def test_of_calls_are_described_as_they_are(self, served, description):
        described = description["paths"]["/v1/chat/completions"]["post"]
        answer = served.chat("[[sim:text Here.]]", model=settings.NOVA, body={"logit_bias": {"1": 1}})
        told = {name for name in answer.headers if name.startswith(("x-outcrop", "x-token", "x-bedrock", "x-request"))}
        assert told <= {name.lower() for name in described["responses"]["200"]["headers"]}
        assert {"Retry-After"} <= set(described["responses"]["429"]["headers"])
        [choice] = [one for one in described["parameters"] if one["name"] == "X-Outcrop-On-Unsupported"]
        assert choice["in"] == "header" and choice["schema"]["enum"] == ["adapt", "reject"]

    @pytest.mark.parametrize("path", ["/v1/models", "/v1/models/{model}", "/v1/providers"])
    def test_what_is_known_already_is_described(self, served, description, path):
        described = description["paths"][path]["get"]
        assert "If-None-Match" in {parameter["name"] for parameter in described["parameters"]}
        url = path.format(model=settings.NOVA)
        tag = served.get(url).headers["etag"]
        assert served.get(url, headers={"if-none-match": tag}).status_code == 304
        assert "ETag" in described["responses"]["304"]["headers"] and "content" not in described["responses"]["304"]


@pytest.mark.parametrize("query", ["type=foo", "kind=foo", "provider="])
def test_one_model_is_no_part_of_a_list(served, query):
    """What isn't described for it is none of its business."""
    assert served.get(f"/v1/models/{settings.NOVA}?{query}").status_code == 200


@pytest.mark.parametrize(
    "path, body",
    [
        ("chat/completions", {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9.0, "n": 1.0}),
        ("completions", {"prompt": [[40.0]], "max_tokens": 9.0, "n": 1.0, "best_of": 1.0}),
        ("embeddings", {"input": [40.0], "dimensions": 256.0}),
        ("rerank", {"query": "x", "documents": ["x"], "top_n": 1.0}),
        ("images/generations", {"prompt": "x", "n": 1.0, "seed": 5.0}),
    ],
)
def test_whole_numbers_may_have_a_point(served, path, body):
    """As in JSON Schema, where 1.0 is an integer."""
    reply = served.request("POST", f"/v1/{path}", json={"model": OPERATIONS[f"POST /v1/{path}"]} | body)
    assert reply.status_code == 200, reply.text


def test_a_name_that_is_required_is_no_empty_one(description):
    for path in ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank"):
        schema = description["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"]["model"]["minLength"] == 1, path


# Described, and no business of schemathesis: they have no body to be wrong, or answer with a page. What administrators do
# is tried by `test_admin_described`.
UNTRIED = {"GET /v1/openapi.json", "GET /docs", "GET /healthz", "GET /readyz"}


PICTURE = media.png(512, 512)


def without_haste(case):
    """Takes back that the client waits for some milliseconds only: that would end as it says, with status 504."""
    for name, value in list((case.headers or {}).items()):
        with contextlib.suppress(ValueError):
            if name.lower().endswith("-timeout") and float(value) > 0:
                del case.headers[name]


def helped(case, model):
    """Gives a request what can't be made up: a key, a model that there is, and a picture. Most get that far."""
    for name in list(case.headers or {}):
        if name.lower() in ("authorization", "api-key"):
            del case.headers[name]
    if model and "model" in (case.path_parameters or {}):
        case.path_parameters["model"] = model
    if not isinstance(case.body, dict):
        return
    if model and "model" in case.body:
        case.body["model"] = model
    if "/images/" in case.path:
        case.body.pop("mask", None)
        if "image" in case.body:
            case.body["image"] = PICTURE
        if "images" in case.body:
            case.body["images"] = [{"image_url": media.data_url(PICTURE)}]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_answers_are_as_described(served, schema, operation, mode):
    method, path = operation.split(" ", 1)
    described = schema[path][method]

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(
        case=described.as_strategy(generation_mode=mode), help_it=strategies.sampled_from([True, True, True, False])
    )
    def answer(case, help_it):
        without_haste(case)
        if help_it:
            helped(case, OPERATIONS[operation])
        reply = case.call(base_url=served.root, headers=served.headers, timeout=30)
        streamed = reply.headers.get("content-type", [""])[0].startswith("text/event-stream")
        # A stream's schema is of its text or of its events: descriptions differ, and other tests look at streams.
        checks = [check for check in CHECKS if not (streamed and check is response_schema_conformance)]
        case.validate_response(reply, checks=checks, headers=served.headers)

    if mode == GenerationMode.NEGATIVE and method == "GET":
        # Any text may stand in an address: of some there is no wrong request.
        with contextlib.suppress(hypothesis.errors.Unsatisfiable):
            answer()
    else:
        answer()


@pytest.fixture(scope="module")
def page(served):
    reply = served.get("/docs", headers={"authorization": None})
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/html")
    return reply


class TestThePage:
    def test_needs_nothing_from_outside(self, page):
        fetched = re.findall(r"""(?:src|href|action|data|poster)\s*=\s*["']?([^"'\s>]+)""", page.text)
        fetched += re.findall(r"""url\(\s*["']?([^"')]+)""", page.text)
        fetched += re.findall(r"""(?:fetch|import|Worker|EventSource|WebSocket)\(\s*["'`]([^"'`]+)""", page.text)
        fetched += re.findall(r"""@import\s+["']([^"']+)|\bfrom\s+["'](https?:[^"']+)""", page.text) and ["@import"]
        outside = [url for url in fetched if re.match(r"(https?:)?//", url) and "127.0.0.1" not in url]
        # A link that people may follow is no fetch.
        links = re.findall(r"""<a\b[^>]*\bhref\s*=\s*["']?([^"'\s>]+)""", page.text)
        assert [url for url in outside if url not in links] == []

    def test_forbids_the_browser_to_fetch_elsewhere(self, page):
        policy = page.headers.get("content-security-policy", "")
        assert "default-src" in policy and "http" not in policy and "*" not in policy, policy

    def test_shows_each_endpoint(self, served, page):
        """In the page itself, or in the description that it reads from here."""
        assert PATH in page.text or all(operation.split(" ", 1)[1] in page.text for operation in OPERATIONS)

    def test_shows_azures_paths(self, page):
        assert "/openai/deployments/{model}/chat/completions" in page.text
        assert "/openai/deployments/{model}/rerank" in page.text

    def test_its_parts_are_here(self, served, page):
        for url in re.findall(r"""<(?:script|link|img)\b[^>]*\b(?:src|href)\s*=\s*["']?([^"'\s>]+)""", page.text):
            if not url.startswith("data:"):
                path = str(httpx.URL(served.root + "/docs").join(url).raw_path.decode())
                assert served.get(path, headers={"authorization": None}).status_code == 200, url
