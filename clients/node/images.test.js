// Images by OpenAI's client: made, changed, varied, fetched.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { deflateSync } from "node:zlib";

import { toFile } from "openai";

import { startStack } from "./outcrop.js";

const CORE = "stability.stable-image-core-v1:1";
const CANVAS = "amazon.nova-canvas-v1:0";

/** Width and height of a PNG. */
function size(bytes) {
  assert.equal(bytes.subarray(1, 4).toString(), "PNG");
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

function crc(bytes) {
  let rest = -1;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (0xedb88320 & -(rest & 1));
  }
  return (rest ^ -1) >>> 0;
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc(body), body.length + 4);
  return whole;
}

/** A PNG of one colour with an alpha channel. */
function png(side, alpha) {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 0, 0]);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(side * 4, Buffer.from([90, 90, 90, alpha]))]);
  const rows = Buffer.concat(Array.from({ length: side }, () => row));
  const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([start, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

describe("images", () => {
  let stack;
  before(async () => (stack = await startStack()));
  after(() => stack?.close());

  it("are generated, of the size that was asked for", async () => {
    const answer = await stack.client().images.generate({ model: CORE, prompt: "a red fox", size: "1344x768", n: 2 });
    const images = answer.data.map((image) => Buffer.from(image.b64_json, "base64"));
    assert.deepEqual(images.map(size), [[1344, 768], [1344, 768]]);
    assert.notDeepEqual(images[0], images[1]);
  });

  it("are fetched by URL", async () => {
    const answer = await stack.client().images.generate({ model: "dall-e-3", prompt: "a red fox" });
    const fetched = await fetch(answer.data[0].url);
    assert.equal(fetched.headers.get("content-type"), "image/png");
    assert.deepEqual(size(Buffer.from(await fetched.arrayBuffer())), [1024, 1024]);
  });

  it("are edited where the mask is transparent", async () => {
    const image = await toFile(png(512, 255), "image.png", { type: "image/png" });
    const mask = await toFile(png(512, 0), "mask.png", { type: "image/png" });
    const answer = await stack.client().images.edit({ model: CANVAS, prompt: "a hat", image, mask });
    assert.deepEqual(size(Buffer.from(answer.data[0].b64_json, "base64")), [512, 512]);
  });

  it("are varied", async () => {
    const image = await toFile(png(512, 255), "image.png", { type: "image/png" });
    const answer = await stack.client().images.createVariation({ model: CANVAS, image, size: "512x512", n: 2 });
    assert.equal(answer.data.length, 2);
  });

  it("of an impossible size are refused with the possible ones", async () => {
    const request = stack.client().images.generate({ model: CORE, prompt: "a red fox", size: "1024x128" });
    await assert.rejects(request, (error) => {
      assert.equal(error.status, 400);
      assert.equal(error.param, "size");
      assert.match(error.message, /1536x640/);
      return true;
    });
  });

  it("that a filter stops are OpenAI's error", async () => {
    const prompt = "[[sim:stop content_filtered]] a red fox";
    await assert.rejects(stack.client().images.generate({ model: CANVAS, prompt }), { code: "content_policy_violation" });
  });
});
