// A request that is aborted takes its call to Bedrock along.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import OpenAI from "openai";

import { ask, poll, startStack } from "./outcrop.js";

// Minutes of work, which only a cancelled call doesn't do.
const ENDLESS = "[[sim:tokens 100000]] [[sim:pace 50ms]]";

describe("aborting", () => {
  let stack;
  before(async () => (stack = await startStack()));
  after(() => stack?.close());

  const underWay = () => poll(async () => (await stack.state()).calls.active >= 1, "a call upstream is under way");
  const over = () => poll(async () => (await stack.state()).calls.active === 0, "no call upstream is left");

  it("a stream by its controller", async () => {
    const stream = await stack.client().chat.completions.create(ask(ENDLESS, { stream: true }));
    for await (const chunk of stream) {
      assert.ok(chunk.id);
      await underWay();
      stream.controller.abort();
      break;
    }
    await over();
  });

  it("a stream by leaving the loop", async () => {
    const stream = await stack.client().chat.completions.create(ask(ENDLESS, { stream: true }));
    for await (const chunk of stream) {
      assert.ok(chunk.id);
      await underWay();
      break;
    }
    await over();
  });

  it("a request by a signal, before its first byte", async () => {
    const controller = new AbortController();
    const request = stack.client().chat.completions.create(ask("[[sim:delay 300s]]"), { signal: controller.signal });
    const rejected = assert.rejects(Promise.resolve(request), OpenAI.APIUserAbortError);
    await underWay();
    controller.abort();
    await rejected;
    await over();
  });
});
