"""Each of Bedrock's exceptions becomes the error of OpenAI's that makes a client do the right thing."""

import json

import openai
import pytest

from support import settings, shapes
from support.wire import aws_request_id

# exception, statuses, code, type, class in the SDK; None where anything goes
TABLE = [
    ("ValidationException", [400], None, "invalid_request_error", openai.BadRequestError),
    ("AccessDeniedException", [403], "model_access_denied", "permission_error", openai.PermissionDeniedError),
    ("ResourceNotFoundException", [404], "model_not_found", None, openai.NotFoundError),
    ("ThrottlingException", [429], "throttled", "rate_limit_error", openai.RateLimitError),
    ("ServiceQuotaExceededException", [429], "quota_exceeded", "rate_limit_error", openai.RateLimitError),
    ("ModelNotReadyException", [503, 429], "model_not_ready", None, openai.APIStatusError),
    ("ModelTimeoutException", [504, 408], None, None, openai.APIStatusError),
    ("ModelErrorException", [502], "upstream_model_error", None, openai.InternalServerError),
    ("InternalServerException", [500], None, "server_error", openai.InternalServerError),
    ("ServiceUnavailableException", [503], None, "server_error", openai.InternalServerError),
    # Our own credentials: never the client's fault, so never its 401 or 403.
    ("UnrecognizedClientException", [502, 503], "upstream_credentials", None, openai.InternalServerError),
    ("ExpiredTokenException", [502, 503], "upstream_credentials", None, openai.InternalServerError),
    ("InvalidSignatureException", [502, 503], "upstream_credentials", None, openai.InternalServerError),
    ("MissingAuthenticationTokenException", [502, 503], "upstream_credentials", None, openai.InternalServerError),
    ("IncompleteSignatureException", [502, 503], "upstream_credentials", None, openai.InternalServerError),
    # One that nobody has heard of yet.
    ("BrandNewException", range(400, 600), None, None, openai.APIStatusError),
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("exception, statuses, code, kind, raised", TABLE, ids=[row[0] for row in TABLE])
def test_exceptions(gateway, exception, statuses, code, kind, raised, stream):
    """Also with `stream`: before the first byte an error is a plain HTTP error."""
    with pytest.raises(openai.APIStatusError) as caught:
        gateway.openai().chat.completions.create(
            model=settings.NOVA, messages=[{"role": "user", "content": f"[[sim:error {exception}]]"}], stream=stream
        )
    error = caught.value
    shapes.check_error(error.response, statuses, code, kind)
    assert isinstance(error, raised), type(error)


@pytest.mark.parametrize(
    "text",
    [
        "Input is too long for requested model.",
        "prompt is too long: 212345 tokens > 200000 maximum",
        "The model returned the following errors: too many tokens",
        "Malformed input request: expected maxLength: 100, actual: 200, please reformat",
        "This model's maximum context length is 8192 tokens",
    ],
)
def test_agents_compact_only_on_this_code(gateway, text):
    reply = gateway.chat(f'[[sim:error ValidationException message="{text}"]]')
    shapes.check_error(reply, 400, code="context_length_exceeded", kind="invalid_request_error")


@pytest.mark.parametrize("exception", ["ThrottlingException", "ServiceQuotaExceededException"])
def test_a_429_says_when_to_come_back(gateway, exception):
    reply = gateway.chat(f"[[sim:error {exception}]]")
    shapes.check_error(reply, 429)
    assert float(reply.headers["retry-after"]) >= 0


def test_what_we_have_retried_the_sdk_need_not_retry(gateway):
    reply = gateway.chat("[[sim:error ThrottlingException]]")
    assert reply.headers["x-should-retry"] == "false"


def test_what_is_wrong_for_good_is_not_retried_by_the_sdk(gateway):
    reply = gateway.chat("[[sim:error ValidationException]]")
    assert reply.headers.get("x-should-retry") != "true"
    assert "retry-after" not in reply.headers


def test_the_sdk_does_not_multiply_our_retries(stack, mark):
    with pytest.raises(openai.RateLimitError):
        stack.gateway.openai(max_retries=5).chat.completions.create(
            model=settings.NOVA, messages=[{"role": "user", "content": f"{mark} [[sim:error ThrottlingException]]"}]
        )
    calls = len(stack.simulator.requests(mark))
    assert calls <= 5, f"{calls} calls for one request"


def values_of(value):
    if isinstance(value, dict):
        return [one for part in value.values() for one in values_of(part)]
    return [value]


def test_extra_fields_tell_what_aws_said(gateway):
    reply = gateway.chat("[[sim:error ValidationException]]", model=settings.CLAUDE)
    error = shapes.check_error(reply, 400)
    extended = {name: value for name, value in error.items() if name not in ("message", "type", "param", "code")}
    said = values_of(extended)
    assert any("ValidationException" in str(value) for value in said), f"no AWS error type in {extended}"
    assert settings.CLAUDE in said, f"no model in {extended}"
    assert any(value == settings.REGION for value in said), f"no region in {extended}"
    request_id = aws_request_id(reply.headers)
    assert request_id and request_id in said, f"no request id {request_id} in {extended}"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("marker", ["redirect", "html", "huge-error"])
def test_what_is_not_bedrocks_answer(stack, mark, marker, stream):
    reply = stack.gateway.chat(f"{mark} [[sim:{marker}]]", body={"stream": stream})
    # An error that is Bedrock's by its header stays one, however long its body.
    error = shapes.check_error(reply, 400 if marker == "huge-error" else range(500, 505))
    assert len(json.dumps(error)) < 10_000, "upstream's page is not the client's business"
    assert "<html" not in error["message"].lower()


def test_a_200_that_is_not_bedrocks_is_a_502(gateway):
    shapes.check_error(gateway.chat("[[sim:html status=200]]"), 502)


def test_redirects_are_not_followed(stack, mark):
    reply = stack.gateway.chat(f"{mark} [[sim:redirect]]")
    shapes.check_error(reply, 502)
    assert "location" not in reply.headers
    paths = {
        request.get("path") or request.get("uri") or request.get("url") for request in stack.simulator.requests(mark)
    }
    assert len(paths) == 1, f"more than the first address was asked: {paths}"


def test_the_gateway_lives_on_after_all_that(gateway):
    for marker in ("redirect", "html", "huge-error", "cut after=0", "corrupt after=0"):
        gateway.chat(f"[[sim:{marker}]]", body={"stream": True})
    assert gateway.chat("[[sim:text ok]]").status_code == 200
