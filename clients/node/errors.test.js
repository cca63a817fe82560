// Errors raise the class that makes a program do the right thing.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import OpenAI from "openai";

import { ask, collect, startStack } from "./outcrop.js";

const TABLE = [
  ["ValidationException", OpenAI.BadRequestError, 400, undefined],
  ["AccessDeniedException", OpenAI.PermissionDeniedError, 403, "model_access_denied"],
  ["ResourceNotFoundException", OpenAI.NotFoundError, 404, "model_not_found"],
  ["ThrottlingException", OpenAI.RateLimitError, 429, "throttled"],
  ["ServiceQuotaExceededException", OpenAI.RateLimitError, 429, "quota_exceeded"],
  ["ModelErrorException", OpenAI.InternalServerError, 502, "upstream_model_error"],
  ["InternalServerException", OpenAI.InternalServerError, 500, undefined],
  ["ServiceUnavailableException", OpenAI.InternalServerError, 503, undefined],
];

describe("errors", () => {
  let stack;
  before(async () => (stack = await startStack()));
  after(() => stack?.close());

  const create = (request, options) => stack.client(options).chat.completions.create(request);

  for (const [exception, expected, status, code] of TABLE) {
    for (const stream of [false, true]) {
      it(`${exception}${stream ? " before a stream" : ""} raises ${expected.name}`, async () => {
        await assert.rejects(create(ask(`[[sim:error ${exception}]]`, { stream })), (error) => {
          assert.ok(error instanceof expected, `${error.constructor.name}: ${error.message}`);
          assert.equal(error.status, status);
          if (code) assert.equal(error.code, code);
          assert.ok(error.requestID, "an error has a request id");
          return true;
        });
      });
    }
  }

  it("a wrong key raises AuthenticationError", async () => {
    await assert.rejects(create(ask("hi"), { apiKey: "sk-wrong" }), OpenAI.AuthenticationError);
  });

  it("bad input names the field", async () => {
    await assert.rejects(create(ask("hi", { messages: [] })), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, error.message);
      assert.match(error.param, /messages/);
      return true;
    });
  });

  it("an unknown path raises NotFoundError", async () => {
    await assert.rejects(stack.client().get("/nothing"), OpenAI.NotFoundError);
  });

  for (const fault of ["stream-error modelStreamErrorException", "cut", "truncate", "corrupt"]) {
    it(`a stream with ${fault} raises after what came before it`, async () => {
      const stream = await create(ask(`[[sim:tokens 40]] [[sim:${fault} after=3]]`, { stream: true }));
      const seen = [];
      await assert.rejects(async () => {
        for await (const chunk of stream) seen.push(chunk);
      }, OpenAI.APIError);
      assert.ok(seen.length > 0, "nothing came before the fault");
      assert.ok(seen.every((chunk) => !chunk.choices[0]?.finish_reason), "a false finish_reason");
    });
  }

  it("a passing fault is retried for us", async () => {
    const prompt = `retried in node ${process.pid} [[sim:error ThrottlingException times=1]] [[sim:text ok]]`;
    const { text } = await collect(await create(ask(prompt, { stream: true })));
    assert.equal(text, "ok");
  });
});
