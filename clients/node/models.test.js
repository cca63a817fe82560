// The list of models, by OpenAI's SDK.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { CLAUDE, NOVA, startStack } from "./outcrop.js";

const IMPORTED = "arn:aws:bedrock:us-east-1:123456789012:imported-model/simllama0001";

describe("the list of models", () => {
  let stack;
  before(async () => (stack = await startStack()));
  after(() => stack.close());

  it("has all kinds of ids", async () => {
    const models = new Map();
    for await (const model of stack.client().models.list()) models.set(model.id, model);
    for (const id of [NOVA, CLAUDE, IMPORTED, "Claude-4-5-Sonnet"]) assert.ok(models.has(id), id);
    assert.equal(models.get("Claude-4-5-Sonnet").resolves_to, CLAUDE);
  });

  it("can be narrowed", async () => {
    const page = await stack.client().models.list({ query: { provider: "Amazon", type: "embedding" } });
    assert.ok(page.data.length > 0);
    assert.ok(page.data.every((model) => model.provider === "amazon" && model.type === "embedding"));
  });

  it("has each model by itself, ARNs too", async () => {
    for (const id of [NOVA, IMPORTED, "Claude-4-5-Sonnet"]) {
      const model = await stack.client().models.retrieve(id);
      assert.equal(model.id, id);
      const completion = await stack.client().chat.completions.create({
        model: model.id,
        messages: [{ role: "user", content: "[[sim:text Here.]]" }],
      });
      assert.equal(completion.choices[0].message.content.trim(), "Here.");
    }
  });

  it("says what isn't there", async () => {
    await assert.rejects(stack.client().models.retrieve("acme.model-1"), { status: 404, code: "model_not_found" });
  });
});
