"""bedrock-access-gateway's environment, as it is."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
import pytest

from support import settings

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:bag-AbCdEf"


@pytest.fixture
def keeper():
    """Plays Secrets Manager and Parameter Store, and notes what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            operation = self.headers["x-amz-target"].split(".")[-1]
            asked.append((operation, body))
            if operation == "GetSecretValue":
                answer = {"ARN": ARN, "SecretString": json.dumps({"api_key": "sk-secret"})}
            else:
                answer = {"Parameter": {"Name": body["Name"], "Value": "sk-parameter"}}
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = asked
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("variables", "operation", "key"),
    [
        ({"API_KEY_SECRET_ARN": ARN, "API_KEY": "sk-plain"}, "GetSecretValue", "sk-secret"),
        ({"API_KEY_PARAM_NAME": "/bag/key", "API_KEY_SECRET_ARN": ""}, "GetParameter", "sk-parameter"),
    ],
)
def test_the_key_may_stand_in_aws(serve, keeper, variables, operation, key):
    aws = {
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAKEEPER",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": keeper.url,
        "AWS_ENDPOINT_URL_SSM": keeper.url,
    }
    gateway = serve(key=None, env=variables | aws)
    assert [name for name, _ in keeper.asked] == [operation]
    assert gateway.openai(api_key=key).models.list().data
    for other in ["sk-plain", "other"]:
        with pytest.raises(openai.AuthenticationError):
            gateway.openai(api_key=other).models.list()


def models(client):
    return {model.id for model in client.models.list()}


def test_its_variables_work(serve):
    env = {
        "API_KEY": "bedrock",
        "API_ROUTE_PREFIX": "/proxy/v1",
        "AWS_REGION": "us-west-2",
        "DEFAULT_MODEL": settings.NOVA,
        "DEFAULT_EMBEDDING_MODEL": "cohere.embed-multilingual-v3",
        "ENABLE_CROSS_REGION_INFERENCE": "true",
        "ENABLE_APPLICATION_INFERENCE_PROFILES": "true",
        "ENABLE_PROMPT_CACHING": "false",
        "DEBUG": "false",
    }
    gateway = serve(key=None, env=env)
    for prefix in ["/proxy/v1", "/api/v1", "/v1"]:
        client = gateway.openai(base_url=gateway.root + prefix, api_key="bedrock")
        answer = client.chat.completions.create(
            model="gpt-3.5-turbo", messages=[{"role": "user", "content": "[[sim:text hello]]"}]
        )
        assert answer.choices[0].message.content == "hello"
        embedding = client.embeddings.create(model="text-embedding-ada-002", input="hello")
        assert embedding.data[0].embedding
    with pytest.raises(openai.AuthenticationError):
        gateway.openai(api_key="other").models.list()


def test_profiles_can_be_left_out_of_the_list(serve):
    everything = models(serve().openai())
    profiles = {model for model in everything if model.startswith(("us.", "global."))}
    assert profiles
    without = models(serve(env={"ENABLE_CROSS_REGION_INFERENCE": "false"}).openai())
    assert not without & profiles
    assert settings.NOVA in without
    arns = {model for model in everything if ":application-inference-profile/" in model}
    assert arns <= without
    bare = models(serve(env={"ENABLE_APPLICATION_INFERENCE_PROFILES": "false"}).openai())
    assert not bare & arns


def test_a_profile_that_is_not_listed_still_answers(serve):
    gateway = serve(env={"ENABLE_CROSS_REGION_INFERENCE": "false"})
    answer = gateway.chat("[[sim:text yes]]", model=settings.CLAUDE)
    assert answer.status_code == 200, answer.text


def test_a_prefix_may_not_hide_the_health_checks(serve):
    gateway = serve(env={"API_ROUTE_PREFIX": "/"})
    assert gateway.get("/healthz").status_code == 200
    assert gateway.get("/models").status_code == 200
