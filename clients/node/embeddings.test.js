// Embeddings, as OpenAI's client for Node asks for them.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { startStack } from "./outcrop.js";

const TITAN = "amazon.titan-embed-text-v2:0";
const COHERE = "cohere.embed-multilingual-v3";
const NOVA = "amazon.nova-2-multimodal-embeddings-v1:0";

const cosine = (a, b) => a.reduce((sum, number, index) => sum + number * b[index], 0);

describe("embeddings", () => {
  let stack;
  before(async () => (stack = await startStack()));
  after(() => stack?.close());

  for (const model of [TITAN, COHERE, NOVA]) {
    it(`lie close where texts are alike, by ${model}`, async () => {
      const input = ["How do I reset my password?", "The cafeteria serves soup.", "Reset the password, please"];
      const { data, usage } = await stack.client().embeddings.create({ model, input });
      assert.deepEqual(
        data.map((item) => item.index),
        [0, 1, 2],
      );
      const [first, other, alike] = data.map((item) => item.embedding);
      assert.ok(cosine(first, alike) > cosine(first, other) + 0.1);
      assert.ok(usage.prompt_tokens > 0 && usage.total_tokens === usage.prompt_tokens);
    });
  }

  it("are the same numbers in each format", async () => {
    const client = stack.client();
    // Of itself it asks for base64, and reads that.
    const [plain, floats] = await Promise.all([
      client.embeddings.create({ model: TITAN, input: "Hello", dimensions: 256 }),
      client.embeddings.create({ model: TITAN, input: "Hello", dimensions: 256, encoding_format: "float" }),
    ]);
    assert.equal(plain.data[0].embedding.length, 256);
    assert.deepEqual(plain.data[0].embedding, floats.data[0].embedding.map(Math.fround));
  });

  it("take tokens", async () => {
    const client = stack.client();
    const text = await client.embeddings.create({ model: COHERE, input: "hello world" });
    const tokens = await client.embeddings.create({ model: COHERE, input: [[15339, 1917]] });
    assert.deepEqual(tokens.data[0].embedding, text.data[0].embedding);
  });

  it("fail by the name of the input", async () => {
    const wrong = stack.client().embeddings.create({ model: TITAN, input: ["a", ""] });
    await assert.rejects(wrong, (error) => error.status === 400 && error.param === "input[1]");
  });
});
