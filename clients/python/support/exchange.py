"""One request to the gateway, what it became for Bedrock, and what came back, all three side by side.

`ask` needs a `stack`, whose simulator tells what arrived there. Each worker has a simulator of its own and runs one
test at a time, so whatever arrived since the request was sent belongs to it.
"""

import json
import re

import httpx

from . import settings, wire

CALLS = ("Converse", "ConverseStream")
NOTE = re.compile(r"([^=,\s]+)=([^=,(]+)\(([^)]*)\)")


class Exchange:
    def __init__(self, reply, requests):
        self.reply = reply
        self.requests = requests

    @property
    def status(self):
        return self.reply.status_code

    @property
    def calls(self):
        """The Converse bodies that reached Bedrock, oldest first."""
        return [request["body"] for request in self.requests]

    @property
    def call(self):
        """The body of the one call that reached Bedrock, after checking that the client was answered well."""
        assert self.status == 200, f"{self.status} {self.reply.text[:2000]}"
        assert len(self.calls) == 1, f"{len(self.calls)} calls reached Bedrock: {self.calls}"
        return self.calls[0]

    @property
    def operations(self):
        return [request["operation"] for request in self.requests]

    @property
    def extra(self):
        """`additionalModelRequestFields` of the one call."""
        return self.call.get("additionalModelRequestFields") or {}

    @property
    def inference(self):
        return self.call.get("inferenceConfig") or {}

    @property
    def notes(self):
        """`X-Outcrop-Adapted` taken apart: the outcomes with their reasons, by parameter."""
        header = self.reply.headers.get("x-outcrop-adapted", "")
        notes = {}
        for parameter, outcome, reason in NOTE.findall(header):
            notes.setdefault(parameter, []).append(f"{outcome}({reason})")
        assert bool(header) == bool(notes), f"`X-Outcrop-Adapted: {header}` isn't `parameter=outcome(reason), …`"
        return notes

    def noted(self, *words):
        """Whether a note names a parameter that has one of these words in it."""
        return any(word in parameter for parameter in self.notes for word in words)

    @property
    def events(self):
        assert self.status == 200, f"{self.status} {self.reply.text[:2000]}"
        return wire.Events(self.reply.text)

    @property
    def answer(self):
        """The first choice: a whole answer's, or a stream's put together."""
        assert self.status == 200, f"{self.status} {self.reply.text[:2000]}"
        if self.reply.headers["content-type"].startswith("text/event-stream"):
            events = self.events
            assert events.done and not events.errors, f"the stream didn't end well: {self.reply.text[-2000:]}"
            return fold(events.chunks)
        return Answer.of_whole(self.reply.json())


class Answer:
    """What a client ends up with, streamed or not."""

    def __init__(self):
        self.content = ""
        self.reasoning = ""
        self.blocks = []
        self.calls = []
        self.finish = None
        self.usage = None
        self.document = {}

    @classmethod
    def of_whole(cls, body):
        answer = cls()
        choice = body["choices"][0]
        message = choice["message"]
        answer.content = message.get("content") or ""
        answer.reasoning = message.get("reasoning_content") or ""
        answer.blocks = message.get("thinking_blocks") or []
        answer.calls = message.get("tool_calls") or []
        answer.finish = choice["finish_reason"]
        answer.usage = body.get("usage")
        answer.document = body
        return answer

    @property
    def names(self):
        return [call["function"]["name"] for call in self.calls]

    @property
    def arguments(self):
        """The arguments of the calls, read."""
        return [json.loads(call["function"]["arguments"]) for call in self.calls]

    @property
    def message(self):
        """The assistant's message as a client sends it back."""
        message = {"role": "assistant", "content": self.content or None}
        if self.calls:
            message["tool_calls"] = [{name: call[name] for name in ("id", "type", "function")} for call in self.calls]
        if self.reasoning:
            message["reasoning_content"] = self.reasoning
        if self.blocks:
            message["thinking_blocks"] = self.blocks
        return message


def fold(chunks):
    """A stream as a client puts it together; checks what clients rely on while doing so."""
    answer = Answer()
    for chunk in chunks:
        answer.usage = chunk.get("usage") or answer.usage
        answer.document |= {name: value for name, value in chunk.items() if name != "choices"}
        for choice in chunk["choices"]:
            if choice["index"] == 0:
                assert answer.finish is None, f"more after the finish_reason: {chunk}"
                take(answer, choice["delta"])
                answer.finish = choice["finish_reason"] or answer.finish
    for call in answer.calls:
        json.loads(call["function"]["arguments"])
    return answer


def take(answer, delta):
    answer.content += delta.get("content") or ""
    answer.reasoning += delta.get("reasoning_content") or ""
    for piece in delta.get("thinking_blocks") or []:
        add_thinking(answer.blocks, piece)
    for piece in delta.get("tool_calls") or []:
        add_call(answer.calls, piece)


def add_thinking(blocks, piece):
    """A block's text comes in pieces, its signature with the last one."""
    last = blocks[-1] if blocks else None
    if piece["type"] == "thinking" and last and last["type"] == "thinking" and not last.get("signature"):
        last["thinking"] += piece.get("thinking") or ""
        if piece.get("signature"):
            last["signature"] = piece["signature"]
    else:
        blocks.append({name: value for name, value in piece.items() if value is not None} | opened(piece))


def opened(piece):
    return {"thinking": piece.get("thinking") or ""} if piece["type"] == "thinking" else {}


def add_call(calls, piece):
    assert piece["index"] <= len(calls), f"indices are dense from 0: {piece} after {len(calls)} calls"
    if piece["index"] == len(calls):
        assert piece.get("id") and piece["function"].get("name"), f"the first delta has id and name: {piece}"
        calls.append(
            {"id": piece["id"], "type": "function", "function": {"name": piece["function"]["name"], "arguments": ""}}
        )
    else:
        assert not piece["function"].get("name"), f"the name comes once: {piece}"
    calls[piece["index"]]["function"]["arguments"] += piece["function"].get("arguments") or ""


def simulator_url(stack):
    return f"{stack.simulator.url}/_simulator/state"


def ask(
    stack, said="[[sim:text ok]]", model=settings.CLAUDE, *, messages=None, headers=None, key=None, keep=False, **fields
):
    """Asks the gateway. `said` is the user's content, `fields` are further members of the body.

    The simulator forgets what was before, its prompt cache and the counts of its sequences too, unless `keep` is set.
    """
    messages = [{"role": "user", "content": said}] if messages is None else messages
    headers = dict(headers or {})
    if key:
        headers["authorization"] = f"Bearer {key}"
    before = 0
    if keep:
        before = len(stack.simulator.state()["requests"])
    else:
        httpx.delete(simulator_url(stack), trust_env=False, timeout=10).raise_for_status()
    body = {"model": model, "messages": messages} | fields
    reply = stack.gateway.request("POST", "/v1/chat/completions", json=body, headers=headers)
    arrived = stack.simulator.state()["requests"][before:]
    requests = [request for request in arrived if request["operation"] in CALLS]
    return Exchange(reply, requests)


def both(stack, *arguments, **fields):
    """The answer whole and streamed, which must say the same."""
    whole = ask(stack, *arguments, **fields)
    streamed = ask(stack, *arguments, stream=True, **fields)
    return whole, streamed


def user(content):
    return {"role": "user", "content": content}


def assistant(content=None, calls=(), **fields):
    """`calls` are pairs of a name and arguments, or triples with the id before."""
    message = {"role": "assistant", "content": content} | fields
    if calls:
        message["tool_calls"] = [tool_call(*call) for call in calls]
    return message


def tool_call(identifier, name, arguments=None):
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": text}}


def result(identifier, content, **fields):
    return {"role": "tool", "tool_call_id": identifier, "content": content} | fields


def tool(name, parameters=None, **fields):
    """A function as OpenAI describes it; without a description or a schema unless given."""
    function = {"name": name} | fields
    if parameters is not None:
        function["parameters"] = parameters
    return {"type": "function", "function": function}


def schema(*required, **properties):
    """An object with these properties, each given by the name of its type or as a schema."""
    described = {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in properties.items()}
    return {"type": "object", "properties": described, "required": list(required or properties)}


WEATHER = tool("get_weather", schema(city="string"), description="Tells the weather in a city.")
TIME = tool("get_time", schema(zone="string"), description="Tells the time in a zone.")


def texts(blocks):
    return [block["text"] for block in blocks if "text" in block]


def kinds(blocks):
    """What each block is, such as `text` or `toolUse`."""
    return [next(iter(block)) for block in blocks]


def blocks(body, kind):
    """All blocks of one kind in a call's messages."""
    return [block[kind] for message in body["messages"] for block in message["content"] if kind in block]


def tools_sent(body):
    """The tool specifications of a call, by name."""
    listed = (body.get("toolConfig") or {}).get("tools", [])
    return {entry["toolSpec"]["name"]: entry["toolSpec"] for entry in listed if "toolSpec" in entry}
