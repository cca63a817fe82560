// OpenAI's SDK on each endpoint besides chat, and Vercel's on those that it knows.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { cosineSimilarity, embed, embedMany, experimental_generateImage, generateImage } from "ai";
import OpenAI, { toFile } from "openai";

import { CLAUDE, KEY, NOVA, startStack } from "./outcrop.js";
import { PNG, answer } from "./scenes.js";

// The number of dimensions that each gives unasked.
const EMBEDDING = {
  "amazon.titan-embed-text-v1": 1536,
  "amazon.titan-embed-text-v2:0": 1024,
  "amazon.titan-embed-image-v1": 1024,
  "cohere.embed-english-v3": 1024,
  "cohere.embed-multilingual-v3": 1024,
  "us.cohere.embed-v4:0": 1536,
  "amazon.nova-2-multimodal-embeddings-v1:0": 3072,
};
const TITAN = "amazon.titan-embed-text-v2:0";
const COHERE = "cohere.embed-multilingual-v3";
const CANVAS = "amazon.nova-canvas-v1:0";
const PICTURE = [CANVAS, "stability.stable-image-core-v1:1", "stability.stable-diffusion-xl-v1"];
const TEXT = [NOVA, CLAUDE, "amazon.titan-text-express-v1", "cohere.command-text-v14"];
const DOCUMENTS = ["how to bake bread", "how to repair a bicycle", "the history of the violin"];
const PROMPT = "A cute baby sea otter";

const isPng = (bytes) => assert.deepEqual([...bytes.slice(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
const fromBase64 = (text) => Buffer.from(text, "base64");
const has = (status, code) => (error) => error.status === status && (!code || error.code === code);

let stack, client;
before(async () => {
  stack = await startStack();
  client = stack.client();
});
after(() => stack?.close());

describe("OpenAI's SDK", () => {
  it("lists the models", async () => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes(NOVA) && ids.includes(CLAUDE));
  });

  const profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/simulator001";
  for (const id of [NOVA, CLAUDE, profile]) {
    it(`finds the model ${id}`, async () => {
      const model = await client.models.retrieve(id);
      assert.equal(model.id, id);
      assert.ok(["amazon", "anthropic"].includes(model.provider));
    });
  }

  it("finds no model that isn't there", () =>
    assert.rejects(client.models.retrieve("no/such:model"), has(404, "model_not_found")));

  for (const [model, dimensions] of Object.entries(EMBEDDING)) {
    it(`embeds with ${model}`, async () => {
      const input = ["hello world", "good night"];
      // Asks for base64 by itself, and unpacks it.
      const { data, usage } = await client.embeddings.create({ model, input });
      assert.deepEqual(data.map(({ embedding }) => embedding.length), [dimensions, dimensions]);
      assert.ok(usage.total_tokens > 0);
      const plain = await client.embeddings.create({ model, input, encoding_format: "float" });
      for (const [index, number] of plain.data[1].embedding.entries()) {
        assert.ok(Math.abs(data[1].embedding[index] - number) < 1e-6);
      }
    });
  }

  it("embeds tokens", async () => {
    const create = async (input) => (await client.embeddings.create({ model: COHERE, input })).data[0].embedding;
    assert.deepEqual(await create([15339, 1917]), await create("hello world"));
    assert.deepEqual(await create([[15339, 1917]]), await create(["hello world"]));
  });

  it("learns that dimensions are wrong", () =>
    assert.rejects(
      client.embeddings.create({ model: TITAN, input: "hello", dimensions: 7 }),
      (error) => has(400)(error) && error.param === "dimensions",
    ));

  for (const model of PICTURE) {
    it(`draws with ${model}`, async () => {
      const { data } = await client.images.generate({ model, prompt: PROMPT, n: 2, response_format: "b64_json" });
      assert.equal(data.length, 2);
      isPng(fromBase64(data[0].b64_json));
    });
  }

  it("gets pictures by URL", async () => {
    const { data } = await client.images.generate({ model: CANVAS, prompt: PROMPT, response_format: "url" });
    const reply = await fetch(data[0].url);
    assert.equal(reply.headers.get("content-type"), "image/png");
    isPng(new Uint8Array(await reply.arrayBuffer()));
  });

  it("edits pictures", async () => {
    // Large enough for the model: one that it has drawn itself.
    const drawn = await client.images.generate({ model: CANVAS, prompt: PROMPT, response_format: "b64_json" });
    const file = () => toFile(fromBase64(drawn.data[0].b64_json), "otter.png", { type: "image/png" });
    const edited = await client.images.edit({
      model: CANVAS,
      image: await file(),
      prompt: "with a hat",
      response_format: "b64_json",
    });
    isPng(fromBase64(edited.data[0].b64_json));
    const varied = await client.images.createVariation({
      model: CANVAS,
      image: await file(),
      n: 1,
      response_format: "b64_json",
    });
    isPng(fromBase64(varied.data[0].b64_json));
  });

  for (const model of TEXT) {
    it(`completes with ${model}`, async () => {
      const whole = await client.completions.create({ model, prompt: answer("Hello there."), max_tokens: 50 });
      assert.equal(whole.choices[0].text.trim(), "Hello there.");
      assert.ok(whole.usage.total_tokens > 0);
      let text = "";
      for await (const piece of await client.completions.create({ model, prompt: answer("Hello there."), stream: true })) {
        text += piece.choices[0].text;
      }
      assert.equal(text.trim(), "Hello there.");
    });
  }

  it("completes several prompts", async () => {
    const { choices } = await client.completions.create({ model: NOVA, prompt: [answer("One."), answer("Two.")], n: 2 });
    assert.deepEqual(choices.map(({ text }) => text), ["One.", "One.", "Two.", "Two."]);
  });

  it("moderates", async () => {
    const { results } = await client.moderations.create({ input: ["The weather is fine.", "So is the wine."] });
    assert.deepEqual(results.map(({ flagged }) => flagged), [false, false]);
    assert.equal(results[0].categories["self-harm/intent"], false);
  });

  it("reranks, by a request of its own", async () => {
    const body = { model: "cohere.rerank-v3-5:0", query: "repair my bicycle", documents: DOCUMENTS, top_n: 1 };
    const { results } = await client.post("/rerank", { body });
    assert.deepEqual(results.map(({ index }) => index), [1]);
  });

  it("learns what isn't served", async () => {
    await assert.rejects(client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "hi" }), has(404, "unknown_url"));
    await assert.rejects(Promise.resolve(client.fineTuning.jobs.list()), OpenAI.NotFoundError);
  });
});

describe("Vercel's AI SDK", () => {
  let outcrop;
  before(() => (outcrop = createOpenAICompatible({ name: "outcrop", baseURL: stack.baseURL, apiKey: KEY })));

  for (const [id, dimensions] of Object.entries(EMBEDDING)) {
    it(`embeds with ${id}`, async () => {
      const model = outcrop.embeddingModel(id);
      const { embedding, usage } = await embed({ model, value: "hello world", maxRetries: 0 });
      assert.equal(embedding.length, dimensions);
      assert.ok(usage.tokens > 0);
    });
  }

  it("finds what is looked for", async () => {
    const model = outcrop.embeddingModel(COHERE);
    const { embeddings } = await embedMany({ model, values: DOCUMENTS, maxRetries: 0 });
    const { embedding } = await embed({ model, value: "repair my bicycle", maxRetries: 0 });
    const scores = embeddings.map((one) => cosineSimilarity(one, embedding));
    assert.equal(scores.indexOf(Math.max(...scores)), 1);
  });

  it("passes dimensions", async () => {
    const providerOptions = { outcrop: { dimensions: 256 }, openaiCompatible: { dimensions: 256 } };
    const { embedding } = await embed({
      model: outcrop.embeddingModel(TITAN),
      value: "hello",
      providerOptions,
      maxRetries: 0,
    });
    assert.equal(embedding.length, 256);
  });

  for (const id of PICTURE) {
    it(`draws with ${id}`, async () => {
      const draw = generateImage ?? experimental_generateImage;
      const { images } = await draw({ model: outcrop.imageModel(id), prompt: PROMPT, size: "1024x1024", maxRetries: 0 });
      isPng(images[0].uint8Array);
      assert.equal(images[0].mediaType, "image/png");
    });
  }
});
