// OpenAI's Node SDK beyond plain chat: tools, pictures, parsed answers, reasoning.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { zodResponseFormat } from "openai/helpers/zod";

import { startStack } from "./outcrop.js";
import * as scenes from "./scenes.js";
import { Instrument, LLAMA, MODELS, PNG_URL, REASONING, SEEING, THINKING, THOUGHT, WEATHER, told } from "./scenes.js";

const user = (content) => ({ role: "user", content });

describe("OpenAI's SDK", () => {
  let stack;
  before(async () => (stack = await startStack()));
  after(() => stack?.close());

  const runner = (model, content, asked, more = {}) => {
    const run = {
      type: "function",
      function: {
        ...WEATHER.function,
        parse: JSON.parse,
        function: ({ city }) => {
          asked.push(city);
          return told(city);
        },
      },
    };
    return stack.client().chat.completions.runTools({ model, messages: [user(content)], tools: [run], ...more });
  };

  for (const model of MODELS) {
    it(`runs tools over two turns on ${model}`, async () => {
      const asked = [];
      const first = runner(model, `In Paris? ${scenes.call("Paris")}`, asked);
      assert.ok((await first.finalContent()).includes(told("Paris")));
      const messages = [...first.messages, user(`And in Oslo? ${scenes.call("Oslo")}`)];
      const second = runner(model, "", asked, { messages });
      assert.ok((await second.finalContent()).includes(told("Oslo")));
      assert.deepEqual(asked, ["Paris", "Oslo"]);
      assert.ok((await second.totalUsage()).total_tokens > 0);
    });

    for (const stream of [false, true]) {
      it(`runs parallel calls on ${model}${stream ? ", streamed" : ""}`, async () => {
        const asked = [];
        const word = scenes.mark();
        const run = runner(model, `${word} ${scenes.call("Paris")} ${scenes.call("Oslo")}`, asked, { stream });
        assert.ok((await run.finalContent()).includes(told("Oslo")));
        assert.deepEqual(asked.sort(), ["Oslo", "Paris"]);
        const [assistant] = run.messages.filter((message) => message.tool_calls?.length);
        const ids = run.messages.filter(({ role }) => role === "tool").map((message) => message.tool_call_id);
        assert.deepEqual(ids, assistant.tool_calls.map(({ id }) => id));
        scenes.checkResults(await scenes.lastRequest(stack, word), ["Paris", "Oslo"]);
      });
    }

    it(`gives arguments in pieces that make JSON on ${model}`, async () => {
      const request = { model, tools: [WEATHER], messages: [user(scenes.call("Paris") + scenes.call("Oslo"))] };
      const stream = await stack.client().chat.completions.create({ ...request, stream: true });
      const calls = [];
      const reasons = [];
      for await (const { choices } of stream) {
        for (const { index, id, function: piece } of choices[0]?.delta.tool_calls ?? []) {
          if (id) assert.equal(index, calls.push({ id, name: piece.name, arguments: "" }) - 1);
          calls[index].arguments += piece.arguments;
        }
        if (choices[0]?.finish_reason) reasons.push(choices[0].finish_reason);
      }
      assert.deepEqual(calls.map(({ name }) => name), ["get_weather", "get_weather"]);
      assert.deepEqual(calls.map((one) => JSON.parse(one.arguments)), [{ city: "Paris" }, { city: "Oslo" }]);
      assert.deepEqual(reasons, ["tool_calls"]);
    });

    it(`parses the answer of ${model}`, async () => {
      const completion = await stack.client().chat.completions.parse({
        model,
        messages: [user(scenes.instrument(model))],
        response_format: zodResponseFormat(Instrument, "instrument"),
      });
      scenes.check(completion.choices[0].message.parsed);
      assert.equal(completion.choices[0].finish_reason, "stop");
      assert.ok(completion.usage.total_tokens > 0);
    });

    it(`parses the stream of ${model}`, async () => {
      const stream = stack.client().chat.completions.stream({
        model,
        messages: [user(scenes.instrument(model))],
        response_format: zodResponseFormat(Instrument, "instrument"),
      });
      let text = "";
      stream.on("content", (delta) => (text += delta));
      const completion = await stream.finalChatCompletion();
      assert.deepEqual(scenes.check(completion.choices[0].message.parsed), JSON.parse(text));
    });

    it(`can demand a call of ${model}`, { skip: model === LLAMA && "can't be forced" }, async () => {
      const tool_choice = { type: "function", function: { name: "get_weather" } };
      const request = { model, messages: [user("Hello!")], tools: [WEATHER], tool_choice };
      const completion = await stack.client().chat.completions.create(request);
      assert.equal(typeof JSON.parse(completion.choices[0].message.tool_calls[0].function.arguments).city, "string");
    });
  }

  for (const model of SEEING) {
    it(`shows pictures to ${model}`, async () => {
      const word = scenes.mark();
      const text = { type: "text", text: `${word} ${scenes.answer("Red.")}` };
      const messages = [user([text, { type: "image_url", image_url: { url: PNG_URL } }])];
      const completion = await stack.client().chat.completions.create({ model, messages });
      assert.equal(completion.choices[0].message.content, "Red.");
      scenes.checkPicture(await scenes.lastRequest(stack, word));
    });
  }

  for (const model of THINKING) {
    it(`lets ${model} think by effort`, async () => {
      const request = { model, messages: [user("Why?")] };
      for (const reasoning_effort of ["low", "medium", "high"]) {
        const { choices } = await stack.client().chat.completions.create({ ...request, reasoning_effort });
        assert.ok(choices[0].message.reasoning_content && choices[0].message.content);
      }
      const { choices } = await stack.client().chat.completions.create({ ...request, reasoning_effort: "none" });
      assert.ok(choices[0].message.content && !choices[0].message.reasoning_content);
    });
  }

  for (const model of REASONING) {
    for (const kept of ["all", "nothing"]) {
      it(`reasons with tools on ${model}, sending back ${kept}`, async () => {
        const messages = [];
        for (const city of ["Paris", "Oslo"]) {
          const ask = async () => {
            const request = { model, messages, tools: [WEATHER], reasoning_effort: "medium" };
            const { message } = (await stack.client().chat.completions.create(request)).choices[0];
            const { reasoning_content, thinking_blocks, ...rest } = message;
            messages.push(kept === "all" ? message : rest);
            return message;
          };
          messages.push(user(scenes.thinking(scenes.call(city))));
          const { reasoning_content, tool_calls } = await ask();
          if (model !== scenes.NOVA_2) assert.equal(reasoning_content, THOUGHT);
          for (const { id } of tool_calls) messages.push({ role: "tool", tool_call_id: id, content: told(city) });
          assert.ok((await ask()).content.includes(told(city)));
        }
      });
    }
  }
});
