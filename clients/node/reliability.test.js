// Routes, quotas and the response cache, as OpenAI's SDK for Node meets them.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import OpenAI from "openai";

import { ask, CLAUDE, collect, newFolder, NOVA, poll, startStack } from "./outcrop.js";

const HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0";

const route = (name, models, more = "") =>
  `[[routes]]\nname = "${name}"\n${more}\n${models.map((model) => `[[routes.targets]]\nmodel = "${model}"\n`).join("")}\n`;

/** A stack with these settings; `rules` are a scenario's actions by a word of the model's id. */
async function start(settings, { env = {}, rules = {} } = {}) {
  const folder = newFolder("reliability-");
  const [config, scenario] = [join(folder, "outcrop.toml"), join(folder, "scenario.toml")];
  writeFileSync(config, settings);
  const rule = ([model, action]) => `[[rules]]\nmodel = "${model}"\nactions = ["${action}"]\n`;
  writeFileSync(scenario, Object.entries(rules).map(rule).join(""));
  return startStack({ simulatorArgs: ["--simulator-scenario", scenario], env: { OUTCROP_CONFIG: config, ...env } });
}

/** The simulator's calls with this word in them. */
const calls = async (stack, mark) =>
  (await stack.state()).requests.filter((request) => JSON.stringify(request).includes(mark));

const of = (model, content, more = {}) => ask(content, { model, ...more });

describe("routes", () => {
  let stack;
  const settings =
    route("chat", [NOVA, HAIKU], 'fallbacks = ["last"]') +
    route("last", [CLAUDE]) +
    route("alone", [NOVA]) +
    route("sessions", [HAIKU, CLAUDE, "amazon.nova-micro-v1:0"], 'strategy = "weighted"');
  const rules = { "nova-lite": "error ThrottlingException" };
  before(async () => (stack = await start(settings, { rules, env: { OUTCROP_BREAKER_COOL_DOWN: "0" } })));
  after(() => stack?.close());

  for (const stream of [false, true]) {
    it(`the next target answers${stream ? " a stream" : ""}`, async () => {
      const { data, response } = await stack
        .client()
        .chat.completions.create(of("chat", "[[sim:text ok]]", { stream }))
        .withResponse();
      const text = stream ? (await collect(data)).text : data.choices[0].message.content;
      assert.equal(text, "ok");
      // A target that throttled rests for a while, and is then asked second.
      assert.ok(["1", "2"].includes(response.headers.get("x-outcrop-attempts")));
      assert.equal(response.headers.get("x-bedrock-model"), HAIKU);
      assert.equal(response.headers.get("x-bedrock-region"), "us-east-1");
    });
  }

  for (const stream of [false, true]) {
    it(`the SDK makes no tries of its own${stream ? " for a stream" : ""}`, async () => {
      const mark = `multiplied-${stream}`;
      await assert.rejects(stack.client({ maxRetries: 5 }).chat.completions.create(of("alone", mark, { stream })), (error) => {
        assert.ok(error instanceof OpenAI.RateLimitError, error.message);
        assert.equal(error.headers.get("x-should-retry"), "false");
        assert.ok(error.headers.get("retry-after"));
        assert.equal(error.headers.get("x-outcrop-attempts"), "3");
        return true;
      });
      assert.equal((await calls(stack, mark)).length, 3);
    });
  }

  it("a call that was tried once is the SDK's to try again", async () => {
    const mark = "tried-once [[sim:error ThrottlingException times=1 retry-after=6]] [[sim:text ok]]";
    const { data, response } = await stack
      .client({ maxRetries: 1 })
      .chat.completions.create(of(CLAUDE, mark))
      .withResponse();
    assert.equal(data.choices[0].message.content, "ok");
    assert.equal(response.headers.get("x-outcrop-attempts"), "1", "of this request");
    assert.equal((await calls(stack, "tried-once")).length, 2);
  });

  it("a fallback answers in the name that was asked for", async () => {
    const prompt = "[[sim:error ServiceUnavailableException times=9]] [[sim:text ok]]";
    const completion = await stack.client().chat.completions.create(of("chat", "[[sim:text ok]]"));
    assert.equal(completion.model, "chat");
    await assert.rejects(stack.client().chat.completions.create(of("last", prompt)), OpenAI.InternalServerError);
  });

  it("a session stays at a target", async () => {
    const models = new Set();
    for (let turn = 0; turn < 8; turn += 1) {
      const { response } = await stack
        .client()
        .chat.completions.create(of("sessions", `[[sim:text ${turn}]]`, { prompt_cache_key: "one" }))
        .withResponse();
      models.add(response.headers.get("x-bedrock-model"));
    }
    assert.equal(models.size, 1);
  });

  it("the deadline of a header is an error, not a hang", async () => {
    const late = stack.client().chat.completions.create(of("last", "[[sim:silence]]"), { headers: { "X-Outcrop-Timeout": "0.3" } });
    await assert.rejects(late, (error) => error instanceof OpenAI.APIError && error.status === 504);
  });
});

describe("quotas", () => {
  let stack;
  const quota = (model, numbers) => `[[quotas]]\nmodel = "${model}"\n${numbers}\n`;
  const settings =
    quota(NOVA, "requests_per_minute = 2") +
    quota(HAIKU, "tokens_per_minute = 20_000") +
    quota(CLAUDE, "requests_per_minute = 1");
  const env = { OUTCROP_ADMISSION: "true", OUTCROP_QUEUE_TIMEOUT: "0" };
  before(async () => (stack = await start(settings, { env })));
  after(() => stack?.close());

  it("are counted down, and then refused", async () => {
    const left = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const { response } = await stack.client().chat.completions.create(ask("[[sim:text ok]]")).withResponse();
      assert.equal(response.headers.get("x-ratelimit-limit-requests"), "2");
      assert.match(response.headers.get("x-ratelimit-reset-requests"), /^(\d+h)?(\d+m)?\d+(\.\d+)?s$|^\d+ms$/);
      left.push(response.headers.get("x-ratelimit-remaining-requests"));
    }
    assert.deepEqual(left, ["1", "0"]);
    await assert.rejects(stack.client().chat.completions.create(ask("no room")), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError, error.message);
      assert.match(error.message, /2 requests per minute.*nova-lite.*us-east-1/);
      assert.ok(Number(error.headers.get("retry-after")) > 0);
      return true;
    });
    assert.equal((await calls(stack, "no room")).length, 0);
  });

  it("a refusal is tried again by the SDK, after the time that it says", async () => {
    // The SDK's own fetch, with a clock that doesn't make the test wait: what it sleeps for is what it was told.
    const waits = [];
    let tries = 0;
    const client = stack.client({
      maxRetries: 1,
      fetch: async (url, options) => {
        tries += 1;
        const reply = await fetch(url, options);
        if (reply.status !== 429) return reply;
        const headers = new Headers(reply.headers);
        waits.push(Number(headers.get("retry-after")));
        headers.set("retry-after", "0.01");
        return new Response(await reply.text(), { status: 429, headers });
      },
    });
    await client.chat.completions.create(of(CLAUDE, "[[sim:text ok]]"));
    assert.equal(tries, 1);
    await assert.rejects(client.chat.completions.create(of(CLAUDE, "[[sim:text ok]]")), OpenAI.RateLimitError);
    assert.equal(tries, 3, "nothing forbids the SDK to come again");
    assert.ok(waits.length === 2 && waits.every((seconds) => seconds > 0 && seconds <= 62), String(waits));
  });

  it("what will never have room is not waited for", async () => {
    await assert.rejects(stack.client().chat.completions.create(of(HAIKU, "hi", { max_tokens: 30_000 })), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError, error.message);
      assert.equal(error.headers.get("retry-after"), null);
      assert.match(error.message, /max_tokens/);
      return true;
    });
  });

  it("a stream gives back what it didn't use", async () => {
    const large = (content, more) => of(HAIKU, content, { max_tokens: 15_000, ...more });
    const stream = await stack.client().chat.completions.create(large("[[sim:pace 60ms]] [[sim:tokens 40]]", { stream: true }));
    await assert.rejects(stack.client().chat.completions.create(large("hi")), OpenAI.RateLimitError);
    await collect(stream);
    await poll(async () => {
      try {
        return await stack.client().chat.completions.create(large("[[sim:text ok]]"));
      } catch (error) {
        assert.ok(error instanceof OpenAI.RateLimitError, error.message);
        return false;
      }
    }, "there is room again");
  });
});

describe("waiting for room", () => {
  let stack;
  const settings = `[[quotas]]\nmodel = "${NOVA}"\ntokens_per_minute = 10_000\n`;
  before(async () => (stack = await start(settings, { env: { OUTCROP_ADMISSION: "true", OUTCROP_QUEUE_TIMEOUT: "30s" } })));
  after(() => stack?.close());

  it("many at a time are all answered, one after the other", async () => {
    const create = (number) => stack.client().chat.completions.create(ask(`[[sim:delay 30ms]] [[sim:text ${number}]]`, { max_tokens: 6000 }));
    const answers = await Promise.all([...Array(10).keys()].map(create));
    assert.deepEqual(
      answers.map((answer) => answer.choices[0].message.content),
      [...Array(10).keys()].map(String),
    );
  });

  it("who leaves the queue is not asked for", async () => {
    const large = { max_tokens: 6000 };
    const stream = await stack.client().chat.completions.create(ask("[[sim:pace 50ms]] [[sim:tokens 60]]", { stream: true, ...large }));
    const controller = new AbortController();
    const waiting = stack.client().chat.completions.create(ask("left-the-queue", large), { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    await assert.rejects(waiting, OpenAI.APIUserAbortError);
    await collect(stream);
    await stack.client().chat.completions.create(ask("[[sim:text ok]]", large));
    assert.equal((await calls(stack, "left-the-queue")).length, 0);
  });
});

describe("the response cache", () => {
  let stack;
  before(async () => (stack = await start("", { env: { OUTCROP_RESPONSE_CACHE: "memory" } })));
  after(() => stack?.close());

  const told = async (content, more = {}) => {
    const { data, response } = await stack
      .client()
      .chat.completions.create(ask(content, { temperature: 0, ...more }))
      .withResponse();
    if (more.stream) await collect(data);
    return response.headers.get("x-outcrop-cache");
  };

  it("gives an answer again, and knows LiteLLM's `cache`", async () => {
    assert.equal(await told("again"), "miss");
    assert.equal(await told("again"), "hit");
    assert.equal(await told("again", { cache: { namespace: "other" } }), "miss");
    assert.notEqual(await told("again", { cache: { "no-cache": true } }), "hit");
    assert.equal((await calls(stack, "again")).length, 3);
  });

  it("gives a stream again", async () => {
    assert.deepEqual([await told("streamed", { stream: true }), await told("streamed", { stream: true })], ["miss", "hit"]);
  });
});
