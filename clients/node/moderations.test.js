// Moderations, as OpenAI's Node SDK sees them.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import OpenAI from "openai";

import { startStack } from "./outcrop.js";

describe("moderations", () => {
  let stack, client;
  before(async () => {
    stack = await startStack();
    client = stack.client();
  });
  after(() => stack?.close());

  it("flags what is harmful", async () => {
    const moderation = await client.moderations.create({ input: "I want to kill them." });
    const [result] = moderation.results;
    assert.equal(result.flagged, true);
    assert.equal(result.categories.violence, true);
    assert.equal(result.categories["self-harm"], false);
    assert.ok(result.category_scores.violence > 0.9);
    assert.deepEqual(result.category_applied_input_types.violence, ["text"]);
  });

  it("keeps the order of many inputs", async () => {
    const input = ["Hello", "I want to kill them.", "Goodbye"];
    const { results, model } = await client.moderations.create({ input, model: "omni-moderation-latest" });
    assert.deepEqual(results.map((result) => result.flagged), [false, true, false]);
    assert.equal(model, "omni-moderation-latest");
  });

  it("says what is wrong with an input", async () => {
    await assert.rejects(client.moderations.create({ input: [] }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.equal(error.param, "input");
      return true;
    });
  });
});
