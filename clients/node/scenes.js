// What the suites of the SDKs have in common: models, prompts, a tool, a picture, and a type to fill.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { deflateSync } from "node:zlib";

import { z } from "zod";

import { CLAUDE, NOVA } from "./outcrop.js";

// Reasons, but shows nothing of it.
export const NOVA_2 = "us.amazon.nova-2-lite-v1:0";
// Thinks only adaptively, and refuses all sampling parameters.
export const CLAUDE_5 = "us.anthropic.claude-sonnet-5";
export const GPT_OSS = "openai.gpt-oss-120b-1:0";
// Can't stream its tool calls, and can't be forced to make one.
export const LLAMA = "us.meta.llama3-3-70b-instruct-v1:0";

export const MODELS = [CLAUDE, CLAUDE_5, NOVA, GPT_OSS, LLAMA];
export const SEEING = [CLAUDE, CLAUDE_5, NOVA];
export const THINKING = [CLAUDE, CLAUDE_5];
export const REASONING = [CLAUDE, CLAUDE_5, NOVA_2, GPT_OSS];

export const THOUGHT = "The weather has to be looked up.";

/** The marker of a call of `get_weather`. */
export const call = (city) => `[[sim:tool get_weather {"city": "${city}"}]]`;
export const thinking = (text) => `[[sim:reasoning ${THOUGHT}]] ${text}`;
export const answer = (text) => `[[sim:text ${text}]]`;

/** A word that no other test has in its prompts. */
export const mark = () => `mark${randomUUID().replaceAll("-", "").slice(0, 12)}`;

export const told = (city) => `21 degrees in ${city}`;
export const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city, now.",
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};

/** The literals can only be right if the schema has reached the model. */
export const Instrument = z.object({
  name: z.string(),
  family: z.literal("strings"),
  octaves: z.union([z.literal(4), z.literal(5)]),
  makers: z.array(z.object({ name: z.string(), since: z.number().int() })),
  price: z.number().nullable(),
});

export const VIOLIN = {
  name: "violin",
  family: "strings",
  octaves: 4,
  makers: [{ name: "Amati", since: 1538 }],
  price: null,
};

/**
 * A prompt whose answer is to be an `Instrument`, made up by the simulator out of the schema. It follows schemas that
 * it's given as such. Where all that is possible is to ask the model nicely, the prompt has to say what it answers.
 */
export const instrument = (model) =>
  model === LLAMA ? `Name an instrument. ${answer(JSON.stringify(VIOLIN))}` : "Name an instrument.";

/** That `found` was filled by a model that knew the schema. */
export function check(found) {
  assert.equal(Instrument.parse(found).family, "strings");
  return found;
}

// Node has one of its own only since 20.15.
function crc32(data) {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A whole PNG of one colour. */
function png(side = 16, colour = [200, 60, 20]) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const head = Buffer.from([0, 0, 0, side, 0, 0, 0, side, 8, 2, 0, 0, 0]);
  const row = Buffer.from([0, ...Array(side).fill(colour).flat()]);
  const rows = Buffer.concat(Array(side).fill(row));
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  const parts = [chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

export const PNG = png();
export const PNG_URL = `data:image/png;base64,${PNG.toString("base64")}`;

/** The last call that the simulator got whose body contains `word`. */
export async function lastRequest(stack, word) {
  const { requests } = await stack.state();
  const found = requests.filter((request) => JSON.stringify(request.body).includes(word));
  assert.ok(found.length > 0, `the simulator got no call with ${word}`);
  return found.at(-1);
}

const blocks = (request, kind) =>
  request.body.messages.flatMap(({ content }, turn) =>
    content.filter((block) => kind in block).map((block) => ({ turn, ...block[kind] })),
  );

/** That the model was shown the picture, as it is. */
export function checkPicture(request) {
  const images = blocks(request, "image");
  assert.deepEqual(images.map(({ format }) => format), ["png"]);
  assert.equal(images[0].source.bytes, PNG.toString("base64"));
}

/** That the model got back a result for each call, in one turn, in order, under the calls' own ids. */
export function checkResults(request, cities) {
  if (request.path.startsWith("/openai/")) return checkStraightResults(request, cities);
  const calls = blocks(request, "toolUse");
  const results = blocks(request, "toolResult");
  assert.deepEqual(results.map(({ toolUseId }) => toolUseId), calls.map(({ toolUseId }) => toolUseId));
  assert.equal(new Set(calls.map(({ turn }) => turn)).size, 1);
  assert.deepEqual(new Set(results.map(({ turn }) => turn)), new Set([calls[0].turn + 1]));
  assert.equal(results.length, cities.length);
  cities.forEach((city, index) => assert.ok(JSON.stringify(results[index].content).includes(told(city))));
}

/** The same where OpenAI's own words went straight through. */
function checkStraightResults({ body: { messages } }, cities) {
  const at = messages.findIndex(({ tool_calls }) => tool_calls?.length);
  const calls = messages[at].tool_calls.map(({ id }) => id);
  const results = messages.slice(at + 1, at + 1 + calls.length);
  assert.deepEqual(results.map(({ tool_call_id }) => tool_call_id), calls);
  assert.equal(results.length, cities.length);
  cities.forEach((city, index) => assert.ok(JSON.stringify(results[index].content).includes(told(city))));
}
