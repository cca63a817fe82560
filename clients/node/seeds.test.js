// The examples of bedrock-wrapper's page: the objects that it prints, sent by OpenAI's SDK. There they were for a library
// that calls Bedrock itself; `awsCreds` are the gateway's here. The table of all examples of all documents is in
// clients/python/seeds/test_table.py.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { KEY, collect, newFolder, startStack } from "./outcrop.js";
import { PNG } from "./scenes.js";

const SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const LLM_MAX_GEN_TOKENS = 800;
const LLM_TEMPERATURE = 0.1;
const SCENARIO = `
[[rules]]
prompt = "Count from 1 to 10"
actions = ["text 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"]
`;

const messages = [
  {
    role: "system",
    content: "You are a helpful AI assistant that follows instructions extremely well.",
  },
  {
    role: "user",
    content: "Describe why the openai api standard is liked. Limit your response to five sentences.",
  },
  {
    role: "assistant",
    content: "",
  },
];

describe("bedrock-wrapper's page", () => {
  let stack, client, site, siteUrl;
  before(async () => {
    const scenario = join(newFolder("seeds-"), "scenario.toml");
    await writeFile(scenario, SCENARIO);
    site = createServer((_, response) => response.writeHead(200, { "content-type": "image/png" }).end(PNG));
    await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
    siteUrl = `http://127.0.0.1:${site.address().port}`;
    stack = await startStack({
      simulatorArgs: ["--simulator-scenario", scenario, "--simulator-pace", "0"],
      env: { OUTCROP_FETCH_PRIVATE_NETWORKS: "127.0.0.0/8" },
    });
    client = stack.client();
  });
  after(async () => {
    site?.close();
    await stack?.close();
  });

  const last = async () => (await stack.state()).requests.at(-1);
  const create = (object) => client.chat.completions.create(object);

  const openaiChatCompletionsCreateObject = {
    "messages": messages,
    "model": "Claude-4-5-Sonnet",
    "max_tokens": LLM_MAX_GEN_TOKENS,
    "stream": true,
    "temperature": LLM_TEMPERATURE,
    "stop_sequences": ["STOP", "END"], // Optional: sequences that will stop generation
  };

  async function check(path) {
    const { path: asked, body } = await last();
    assert.ok(decodeURIComponent(asked).includes(SONNET), asked);
    assert.ok(asked.endsWith(path), asked);
    return body;
  }

  it("streams (usage, 3 and 4)", async () => {
    const { text } = await collect(await create(openaiChatCompletionsCreateObject));
    assert.ok(text.includes("openai api standard"));
    const body = await check("/converse-stream");
    assert.deepEqual(body.system, [{ text: messages[0].content }]);
    // The empty answer at the end is no beginning of one.
    assert.deepEqual(body.messages.map(({ role }) => role), ["user"]);
    const { maxTokens, temperature, stopSequences } = body.inferenceConfig;
    assert.deepEqual([maxTokens, temperature, stopSequences], [800, 0.1, ["STOP", "END"]]);
  });

  it("answers whole (usage, 4)", async () => {
    const response = await create({ ...openaiChatCompletionsCreateObject, stream: false });
    assert.ok(response.choices[0].message.content);
    await check("/converse");
  });

  it("takes useConverseAPI (usage, 5)", async () => {
    for (const [useConverseAPI, path] of [[true, "/converse-stream"], [false, "/invoke-with-response-stream"]]) {
      const { text } = await collect(await create({ ...openaiChatCompletionsCreateObject, useConverseAPI }));
      assert.ok(text);
      await check(path);
    }
  });

  it("lists the names (supported models)", async () => {
    const reply = await fetch(`${stack.baseURL}/mappings`, { headers: { authorization: `Bearer ${KEY}` } });
    const names = (await reply.json()).data.map(({ name }) => name);
    // That each of them works is test_names.py's.
    for (const name of ["Claude-4-5-Sonnet", "DeepSeek-V3.1", "Kimi-K2-Thinking", "Qwen3-Next-80B-A3B"]) {
      assert.ok(names.includes(name), name);
    }
  });

  it("shows what the model thinks (thinking models)", async () => {
    const { text } = await collect(
      await create({
        "messages": messages,
        "model": "Claude-4-5-Sonnet-Thinking",
        "max_tokens": 4000,
        "stream": true,
        "temperature": 1.0, // Thinking models require temperature of 1.0
        "include_thinking_data": true, // Enable thinking output
      }),
    );
    assert.match(text, /^<think>[^]+<\/think>[^]+/);
    const { additionalModelRequestFields, inferenceConfig } = await check("/converse-stream");
    assert.equal(additionalModelRequestFields.thinking.type, "enabled");
    assert.ok(additionalModelRequestFields.thinking.budget_tokens < 4000);
    assert.notEqual(inferenceConfig.temperature, 0);
  });

  it("shows what OpenAI's open weights think, in tags of theirs", async () => {
    const object = { messages, model: "GPT-OSS-120B-Thinking", max_tokens: 4000, include_thinking_data: true };
    const response = await create(object);
    assert.match(response.choices[0].message.content, /^<reasoning>[^]+<\/reasoning>[^]+/);
  });

  it("takes pictures (image support)", async () => {
    const response = await create({
      model: "Claude-4-5-Sonnet",
      messages: [
        {
          role: "system",
          content: "You are a helpful AI assistant that can analyze images.",
        },
        {
          role: "user",
          content: [
            { type: "text", text: "What's in this image?" },
            {
              type: "image_url",
              image_url: {
                url: `data:image/jpeg;base64,${PNG.toString("base64")}`, // base64 encoded image
              },
            },
          ],
        },
      ],
    });
    assert.ok(response.choices[0].message.content);
    const { messages: [{ content }] } = await check("/converse");
    // What it is counts, not what it is called.
    assert.deepEqual(content[1].image, { format: "png", source: { bytes: PNG.toString("base64") } });
  });

  it("takes pictures by URL (image support)", async () => {
    const response = await create({
      model: "Claude-4-5-Sonnet",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Describe this image in detail." },
            {
              type: "image_url",
              image_url: {
                url: `${siteUrl}/path/to/image.jpg`, // direct URL to image
              },
            },
          ],
        },
      ],
    });
    assert.ok(response.choices[0].message.content);
    const { messages: [{ content }] } = await check("/converse");
    assert.equal(content[1].image.source.bytes, PNG.toString("base64"));
  });

  it("takes stop sequences (stop sequences)", async () => {
    for (const [stop, sent] of [
      // White space alone is none for Claude, so the gateway looks for it.
      [{ "stop_sequences": ["STOP", "END", "\n\n"] }, ["STOP", "END"]],
      [{ "stop": "STOP" }, ["STOP"]],
    ]) {
      const response = await create({ "messages": messages, "model": "Claude-3-5-Sonnet", "max_tokens": 100, ...stop });
      assert.ok(response.choices[0].message.content);
      assert.deepEqual((await last()).body.inferenceConfig.stopSequences, sent);
    }
  });

  for (const model of ["Claude-3-5-Sonnet", "Nova-Pro", "Mistral-7b", "Qwen3-32B", "Llama-3-1-8b"]) {
    it(`stops ${model} before it says 7 (stop sequences)`, async () => {
      const response = await create({
        messages: [{ role: "user", content: "Count from 1 to 10" }],
        model, // Use Claude, Nova, Mistral, or Qwen models; here Llama as well
        stop_sequences: ["7"],
      });
      assert.equal(response.choices[0].message.content, "1, 2, 3, 4, 5, 6, ");
      assert.equal(response.choices[0].finish_reason, "stop");
    });
  }

  it("leaves top_p out where a Claude takes one of the two only (parameter restrictions)", async () => {
    for (const model of ["Claude-4-5-Opus", "Claude-4-5-Sonnet-Thinking", "Claude-4-5-Haiku"]) {
      const both = { messages, model, max_tokens: 4000, temperature: 1, top_p: 0.99 };
      const { data, response } = await create(both).withResponse();
      assert.ok(data.choices[0].message.content);
      assert.match(response.headers.get("x-outcrop-adapted"), /top_p=dropped/);
    }
  });
});
