// The examples of docs/clients.md.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";

import { KEY, startStack } from "./outcrop.js";

const PAGE = new URL("../../docs/clients.md", import.meta.url);
const SECTIONS = ["OpenAI for Node", "Vercel's AI SDK"];

describe("docs/clients.md", () => {
  let stack;
  before(async () => (stack = await startStack()));
  after(() => stack?.close());

  const programs = async () => {
    const page = await readFile(PAGE, "utf8");
    const program = (section) => section.match(/^```js\n(.*?)^```$/ms)?.[1];
    const sections = page.split(/^## /m).map((section) => [section.split("\n", 1)[0], program(section)]);
    return new Map(sections.filter(([, found]) => found));
  };

  it("has no other programs", async () => assert.deepEqual([...(await programs()).keys()], SECTIONS));

  for (const section of SECTIONS) {
    it(`runs: ${section}`, async () => {
      const program = (await programs())
        .get(section)
        .replace("http://127.0.0.1:8080/v1", stack.baseURL)
        .replace("sk-outcrop-local", KEY);
      const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
        cwd: import.meta.dirname ?? new URL(".", import.meta.url).pathname,
        timeout: 60_000,
      });
      const { stdout, stderr } = await run;
      assert.match(stdout, /name: '/);
      assert.equal(stderr, "");
    });
  }
});
