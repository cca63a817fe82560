// Chat completions, whole and streamed.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { CLAUDE, NOVA, ask, collect, startStack } from "./outcrop.js";

describe("chat completions", () => {
  let stack;
  before(async () => (stack = await startStack()));
  after(() => stack?.close());

  for (const model of [NOVA, CLAUDE]) {
    it(`answers as ${model}`, async () => {
      const completion = await stack.client().chat.completions.create(ask("[[sim:text Hello there.]]", { model }));
      assert.equal(completion.object, "chat.completion");
      assert.match(completion.id, /^chatcmpl-./);
      assert.equal(completion.model, model);
      assert.equal(completion.choices.length, 1);
      assert.equal(completion.choices[0].message.role, "assistant");
      assert.equal(completion.choices[0].message.content, "Hello there.");
      assert.equal(completion.choices[0].finish_reason, "stop");
      const { prompt_tokens, completion_tokens, total_tokens } = completion.usage;
      assert.ok(prompt_tokens > 0 && completion_tokens > 0);
      assert.equal(total_tokens, prompt_tokens + completion_tokens);
    });
  }

  it("shows its headers and the request id", async () => {
    const request = stack.client().chat.completions.create(ask("[[sim:text ok]]"));
    const { data, response, request_id } = await request.withResponse();
    assert.equal(request_id, response.headers.get("x-request-id"));
    assert.equal(response.headers.get("x-bedrock-model"), NOVA);
    assert.equal(Number(response.headers.get("x-token-usage-input")), data.usage.prompt_tokens);
    assert.equal(Number(response.headers.get("x-token-usage-output")), data.usage.completion_tokens);
  });

  it("streams, and ends with the usage when asked", async () => {
    const request = ask("[[sim:text Hello there.]]", { stream: true, stream_options: { include_usage: true } });
    const { chunks, text } = await collect(await stack.client().chat.completions.create(request));
    assert.equal(text, "Hello there.");
    assert.equal(chunks[0].choices[0].delta.role, "assistant");
    for (const field of ["id", "created", "model", "object"]) {
      assert.equal(new Set(chunks.map((chunk) => chunk[field])).size, 1, `${field} differs between chunks`);
    }
    const last = chunks.pop();
    assert.deepEqual(last.choices, []);
    assert.equal(last.usage.total_tokens, last.usage.prompt_tokens + last.usage.completion_tokens);
    assert.ok(chunks.every((chunk) => chunk.usage === null), "usage: null in all chunks but the last");
    const reasons = chunks.map((chunk) => chunk.choices[0].finish_reason).filter(Boolean);
    assert.deepEqual(reasons, ["stop"]);
  });

  it("streams without usage when not asked", async () => {
    const stream = await stack.client().chat.completions.create(ask("[[sim:text ok]]", { stream: true }));
    const { chunks, text } = await collect(stream);
    assert.equal(text, "ok");
    assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && !chunk.usage));
  });

  it("feeds the SDK's stream helper", async () => {
    const stream = stack.client().chat.completions.stream(ask("[[sim:text Hello there.]]"));
    const completion = await stream.finalChatCompletion();
    assert.equal(completion.choices[0].message.content, "Hello there.");
    assert.equal(completion.choices[0].finish_reason, "stop");
  });

  it("gives several choices", async () => {
    const completion = await stack.client().chat.completions.create(ask("[[sim:text Hi]]", { n: 3 }));
    assert.deepEqual(completion.choices.map(({ index, message }) => [index, message.content]), [[0, "Hi"], [1, "Hi"], [2, "Hi"]]);
  });

  it("lists the models", async () => {
    const ids = [];
    for await (const model of stack.client().models.list()) ids.push(model.id);
    assert.ok(ids.includes(NOVA) && ids.includes(CLAUDE), ids.join(" "));
  });
});
