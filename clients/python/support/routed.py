"""Requests by whichever way they reach Bedrock: Converse, InvokeModel, or Bedrock's own OpenAI endpoint."""

import httpx

from . import models, settings
from .exchange import Exchange, simulator_url

CONVERSE, INVOKE, OPENAI = "converse", "invoke", "openai"
SUFFIXES = {
    "/converse": CONVERSE,
    "/converse-stream": CONVERSE,
    "/invoke": INVOKE,
    "/invoke-with-response-stream": INVOKE,
    "/openai/v1/chat/completions": OPENAI,
}


def way(path):
    """By which API a call came, or nothing if it asked no model."""
    path = path.split("?")[0]
    return next((name for suffix, name in SUFFIXES.items() if path.endswith(suffix)), None)


class Routed(Exchange):
    """One request, the calls that it became, and the answer."""

    @property
    def route(self):
        """By which API it went, on which the header and what reached Bedrock must agree."""
        taken = {way(request["path"]) for request in self.requests}
        assert len(taken) == 1, f"{len(self.requests)} calls by {taken}"
        told = self.reply.headers.get("x-outcrop-route")
        assert {told} == taken, f"`X-Outcrop-Route: {told}`, but the calls went by {taken}"
        return told

    @property
    def path(self):
        (request,) = self.requests
        return request["path"].split("?")[0]

    @property
    def model(self):
        """What Bedrock was asked for."""
        return self.reply.headers["x-bedrock-model"]


def send(
    stack,
    said="[[sim:text ok]]",
    model=settings.CLAUDE,
    *,
    messages=None,
    headers=None,
    path="/v1/chat/completions",
    **fields,
):
    """Asks the gateway, by whichever way. `fields` are further members of the body."""
    httpx.delete(simulator_url(stack), trust_env=False, timeout=10).raise_for_status()
    messages = [{"role": "user", "content": said}] if messages is None else messages
    body = {"model": model, "messages": messages} | fields
    reply = stack.gateway.request("POST", path, json=body, headers=headers)
    arrived = stack.simulator.state()["requests"]
    return Routed(reply, [request for request in arrived if way(request["path"])])


def invoke(stack, *arguments, **fields):
    """The same by InvokeModel, and by nothing else."""
    return went(send(stack, *arguments, bedrock_api=INVOKE, **fields), INVOKE)


def went(exchange, route):
    """Checks by which API the calls of a request went, if there were any, and returns it."""
    paths = [request["path"] for request in exchange.requests]
    assert {way(path) for path in paths} <= {route}, f"not by {route}: {paths}"
    return exchange


def dry(stack, *arguments, headers=None, **fields):
    """What a request would become, told by the gateway, which calls nobody."""
    sent = send(stack, *arguments, headers={"X-Outcrop-Dry-Run": "true"} | (headers or {}), **fields)
    assert sent.status == 200, sent.reply.text
    assert not sent.requests, "Bedrock was called"
    return sent.reply.json()


# One model for each form of a body that InvokeModel takes; the families of one form share it.
CLAUDE = models.CLAUDE_4_5
CLAUDE_2_1, CLAUDE_2, CLAUDE_INSTANT = "anthropic.claude-v2:1", "anthropic.claude-v2", "anthropic.claude-instant-v1"
TITAN, TITAN_LITE = "amazon.titan-text-express-v1", "amazon.titan-text-lite-v1"
COMMAND, COMMAND_R = "cohere.command-text-v14", models.COMMAND_R
J2, JAMBA_INSTRUCT, JAMBA = "ai21.j2-mid-v1", "ai21.jamba-instruct-v1:0", "ai21.jamba-1-5-mini-v1:0"
LLAMA_2, LLAMA_3, LLAMA_4 = "meta.llama2-13b-chat-v1", models.LLAMA_3, models.LLAMA_4
MISTRAL_7B, MIXTRAL = models.MISTRAL_7B, "mistral.mixtral-8x7b-instruct-v0:1"
MISTRAL_LARGE, MISTRAL_LARGE_3 = models.MISTRAL_LARGE, models.MISTRAL_LARGE_3
DEEPSEEK_R1, NOVA, GPT_OSS = models.DEEPSEEK_R1, models.NOVA, models.GPT_OSS
QWEN, GEMMA, KIMI = models.QWEN, "google.gemma-3-4b-it", "moonshot.kimi-k2-thinking"
MINIMAX, GLM = "minimax.minimax-m2", "zai.glm-4.7"

# Those that take one text, which holds the conversation.
PROMPTED = [
    CLAUDE_2_1,
    CLAUDE_2,
    CLAUDE_INSTANT,
    TITAN,
    TITAN_LITE,
    COMMAND,
    J2,
    LLAMA_2,
    LLAMA_3,
    LLAMA_4,
    MISTRAL_7B,
    MIXTRAL,
    DEEPSEEK_R1,
]
# Those whose body has messages in some form.
CONVERSING = [
    CLAUDE,
    COMMAND_R,
    JAMBA_INSTRUCT,
    JAMBA,
    MISTRAL_LARGE_3,
    NOVA,
    GPT_OSS,
    QWEN,
    GEMMA,
    KIMI,
    MINIMAX,
    GLM,
]
FAMILIES = PROMPTED + CONVERSING
