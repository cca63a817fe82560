// Azure's shape: the model in the path, the key in the api-key header.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { AuthenticationError } from "openai";

import { CLAUDE, NOVA, ask, collect, startStack } from "./outcrop.js";

describe("Azure's client", () => {
  let stack;
  before(async () => (stack = await startStack()));
  after(() => stack?.close());

  for (const model of [NOVA, CLAUDE]) {
    it(`reaches ${model} by the request's model`, async () => {
      const completion = await stack.azure().chat.completions.create(ask("[[sim:text Hello.]]", { model }));
      assert.equal(completion.choices[0].message.content, "Hello.");
      assert.equal(completion.model, model);
    });
  }

  it("reaches a deployment named once for all", async () => {
    const client = stack.azure({ deployment: NOVA });
    const completion = await client.chat.completions.create(ask("[[sim:text Hello.]]", { model: "ignored" }));
    assert.equal(completion.model, NOVA);
  });

  it("streams", async () => {
    const stream = await stack.azure().chat.completions.create(ask("[[sim:text Hello.]]", { stream: true }));
    assert.equal((await collect(stream)).text, "Hello.");
  });

  it("needs the right key", async () => {
    const client = stack.azure({ apiKey: "wrong" });
    await assert.rejects(client.chat.completions.create(ask("hi")), AuthenticationError);
  });
});
