// Vercel's AI SDK, with @ai-sdk/openai-compatible.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, generateObject, generateText, stepCountIs, streamObject, streamText, tool } from "ai";
import { z } from "zod";

import { KEY, startStack } from "./outcrop.js";
import * as scenes from "./scenes.js";
import { Instrument, LLAMA, MODELS, PNG, PNG_URL, REASONING, SEEING, THINKING, VIOLIN, told } from "./scenes.js";

describe("Vercel's AI SDK", () => {
  let stack, outcrop;
  let asked = [];
  let warned = [];
  before(async () => {
    stack = await startStack();
    outcrop = createOpenAICompatible({
      name: "outcrop",
      baseURL: stack.baseURL,
      apiKey: KEY,
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
    globalThis.AI_SDK_LOG_WARNINGS = ({ warnings }) => warned.push(...warnings);
  });
  after(() => stack?.close());
  beforeEach(() => {
    asked = [];
    warned = [];
  });

  const tools = {
    get_weather: tool({
      description: "The weather in a city, now.",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        asked.push(city);
        return told(city);
      },
    }),
  };
  const options = (model, more) => ({ model: outcrop(model), maxRetries: 0, tools, stopWhen: stepCountIs(4), ...more });
  const user = (content) => ({ role: "user", content });
  const plain = (model, more) => ({ model: outcrop(model), maxRetries: 0, ...more });

  /** All parts of a stream; an error among them is thrown. */
  async function parts(stream) {
    const all = [];
    for await (const part of stream) {
      if (part.type === "error") throw part.error;
      all.push(part);
    }
    return all;
  }

  for (const model of MODELS) {
    it(`runs tools over two turns on ${model}`, async () => {
      const messages = [user(`In Paris? ${scenes.call("Paris")}`)];
      const first = await generateText(options(model, { system: "Be short.", messages }));
      assert.ok(first.text.includes(told("Paris")));
      messages.push(...first.response.messages, user(`And in Oslo? ${scenes.call("Oslo")}`));
      const second = await generateText(options(model, { system: "Be short.", messages }));
      assert.ok(second.text.includes(told("Oslo")));
      assert.deepEqual(asked, ["Paris", "Oslo"]);
      assert.deepEqual(second.steps.map(({ finishReason }) => finishReason), ["tool-calls", "stop"]);
      assert.ok(second.totalUsage.inputTokens > 0 && second.totalUsage.outputTokens > 0);
      assert.deepEqual(warned, []);
    });

    it(`runs parallel calls on ${model}`, async () => {
      const word = scenes.mark();
      const prompt = `${word} ${scenes.call("Paris")} ${scenes.call("Oslo")}`;
      const { steps, text } = await generateText(options(model, { prompt }));
      const { toolCalls, toolResults } = steps[0];
      assert.deepEqual(toolCalls.map(({ input }) => input.city), ["Paris", "Oslo"]);
      assert.deepEqual(toolResults.map(({ toolCallId }) => toolCallId), toolCalls.map(({ toolCallId }) => toolCallId));
      assert.ok(text.includes(told("Oslo")));
      scenes.checkResults(await scenes.lastRequest(stack, word), ["Paris", "Oslo"]);
    });

    it(`streams tools on ${model}`, async () => {
      const result = streamText(options(model, { prompt: scenes.call("Paris") + scenes.call("Oslo"), onError() {} }));
      const all = await parts(result.fullStream);
      const inputs = all.filter(({ type }) => type === "tool-call").map(({ input }) => input.city);
      assert.deepEqual(inputs, ["Paris", "Oslo"]);
      assert.deepEqual([...asked].sort(), ["Oslo", "Paris"]);
      const text = all.filter(({ type }) => type === "text-delta").map((part) => part.text).join("");
      assert.equal(text, await result.text);
      assert.ok(text.includes(told("Oslo")));
      assert.equal(await result.finishReason, "stop");
      assert.ok((await result.totalUsage).totalTokens > 0);
      assert.deepEqual(warned, []);
    });

    it(`streams text of ${model}`, async () => {
      const prompt = scenes.answer("One by one, and all of them.");
      const result = streamText(plain(model, { prompt, onError() {} }));
      const deltas = (await parts(result.fullStream)).filter(({ type }) => type === "text-delta");
      assert.ok(deltas.length > 1);
      assert.equal(deltas.map(({ text }) => text).join(""), "One by one, and all of them.");
      assert.ok((await result.usage).outputTokens > 0);
    });

    it(`generates an object with ${model}`, async () => {
      const { object, usage } = await generateObject(
        plain(model, { schema: Instrument, prompt: scenes.instrument(model) }),
      );
      scenes.check(object);
      assert.ok(usage.totalTokens > 0);
      assert.deepEqual(warned, []);
    });

    it(`generates JSON without a schema with ${model}`, async () => {
      const prompt = `An instrument, in JSON. ${scenes.answer(JSON.stringify(VIOLIN))}`;
      const { object } = await generateObject(plain(model, { output: "no-schema", prompt }));
      assert.deepEqual(object, VIOLIN);
    });

    it(`streams an object of ${model}`, async () => {
      const result = streamObject(
        plain(model, { schema: Instrument, prompt: scenes.instrument(model), onError() {} }),
      );
      const seen = [];
      for await (const part of result.fullStream) {
        if (part.type === "error") throw part.error;
        if (part.type === "object") seen.push(structuredClone(part.object));
      }
      // What has to be checked before it's shown comes at once.
      assert.ok(seen.length > (model === LLAMA ? 0 : 1));
      assert.deepEqual(scenes.check(await result.object), seen.at(-1));
    });

    it(`gives text and an object from ${model}`, async () => {
      const output = Output.object({ schema: Instrument });
      const result = await generateText(plain(model, { output, prompt: scenes.instrument(model) }));
      scenes.check(result.output);
    });

    it(`can demand a call of ${model}`, { skip: model === LLAMA && "can't be forced" }, async () => {
      for (const toolChoice of ["required", { type: "tool", toolName: "get_weather" }]) {
        const { toolCalls } = await generateText(plain(model, { tools, toolChoice, prompt: "Hello!" }));
        assert.deepEqual(toolCalls.map(({ toolName }) => toolName), ["get_weather"]);
      }
      assert.equal(asked.length, 2);
    });
  }

  for (const model of SEEING) {
    for (const [form, image] of [["bytes", PNG], ["a data URL", PNG_URL]]) {
      it(`shows pictures to ${model} as ${form}`, async () => {
        const word = scenes.mark();
        const content = [{ type: "text", text: `${word} ${scenes.answer("Red.")}` }, { type: "image", image }];
        const { text } = await generateText(plain(model, { messages: [user(content)] }));
        assert.equal(text, "Red.");
        scenes.checkPicture(await scenes.lastRequest(stack, word));
      });
    }
  }

  for (const model of THINKING) {
    it(`lets ${model} think by effort`, async () => {
      const more = { prompt: "Why?", providerOptions: { outcrop: { reasoningEffort: "low" } } };
      const whole = await generateText(plain(model, more));
      assert.ok(whole.reasoningText && whole.text);
      const streamed = streamText(plain(model, { ...more, onError() {} }));
      const types = (await parts(streamed.fullStream)).map(({ type }) => type);
      assert.deepEqual(types.filter((type) => type.endsWith("-start")), ["reasoning-start", "text-start"]);
      assert.ok((await streamed.reasoningText) && (await streamed.text));
    });

    it(`generates an object with ${model}, thinking`, async () => {
      const providerOptions = { outcrop: { reasoningEffort: "low" } };
      const { object, reasoning } = await generateObject(
        plain(model, { schema: Instrument, prompt: scenes.instrument(model), providerOptions }),
      );
      scenes.check(object);
      assert.ok(reasoning);
    });
  }

  for (const model of REASONING) {
    const providerOptions = { outcrop: { reasoningEffort: "medium" } };

    it(`reasons with tools on ${model}`, async () => {
      const messages = [];
      for (const city of ["Paris", "Oslo"]) {
        messages.push(user(scenes.thinking(scenes.call(city))));
        const { steps, text, response } = await generateText(options(model, { messages, providerOptions }));
        if (model !== scenes.NOVA_2) assert.equal(steps[0].reasoningText, scenes.THOUGHT);
        assert.ok(text.includes(told(city)));
        messages.push(...response.messages);
      }
      assert.deepEqual(asked, ["Paris", "Oslo"]);
      assert.deepEqual(warned, []);
    });

    it(`reasons with tools on ${model}, streamed`, async () => {
      const prompt = scenes.thinking(scenes.call("Paris"));
      const result = streamText(options(model, { prompt, providerOptions, onError() {} }));
      const all = await parts(result.fullStream);
      const [step] = await result.steps;
      if (model !== scenes.NOVA_2) {
        assert.equal(step.reasoningText, scenes.THOUGHT);
        const types = all.map(({ type }) => type);
        assert.ok(types.includes("reasoning-delta"));
        assert.ok(types.indexOf("reasoning-delta") < types.indexOf("tool-call"));
      }
      assert.ok((await result.text).includes(told("Paris")));
      assert.deepEqual(asked, ["Paris"]);
    });
  }
});
