// Starts Outcrop for the tests: a simulator that they can look into, and a gateway in front of it.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import OpenAI, { AzureOpenAI } from "openai";

export const KEY = "sk-test";
export const NOVA = "amazon.nova-lite-v1:0";
export const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

const folders = mkdtempSync(join(tmpdir(), "outcrop-"));
process.once("exit", () => rmSync(folders, { recursive: true, force: true }));

/** A folder that goes when the tests are over. */
export function newFolder(prefix) {
  return mkdtempSync(join(folders, prefix));
}

/** A running `outcrop`, ended by its own handle. */
class Process {
  constructor(args, env = {}) {
    const binary = process.env.OUTCROP_BIN;
    if (!binary) throw new Error("OUTCROP_BIN is not set; run the tests by `cargo xtask clients node`");
    const home = newFolder("home-");
    // Nothing of this machine's AWS or Outcrop set-up shows through.
    const clean = { PATH: process.env.PATH, HOME: home, AWS_EC2_METADATA_DISABLED: "true", NO_COLOR: "1" };
    this.output = "";
    this.log = "";
    this.args = args;
    this.child = spawn(binary, args, { cwd: home, env: { ...clean, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout.on("data", (data) => (this.output += data));
    this.child.stderr.on("data", (data) => (this.log += data));
    this.hasEnded = false;
    this.ended = new Promise((resolve) => {
      this.child.once("close", resolve);
      this.child.once("error", (error) => {
        this.log += error;
        resolve();
      });
    }).then(() => (this.hasEnded = true));
  }

  /** What the first line on its stdout like `pattern` captures, now or soon. */
  async expect(pattern) {
    const find = () => {
      // Only whole lines: the last one may still be growing.
      const lines = this.output.split("\n").slice(0, -1);
      return lines.map((line) => line.match(pattern)).find(Boolean)?.[1];
    };
    const report = () => `a line like ${pattern} on stdout of outcrop ${this.args.join(" ")}\n${this.output}\n${this.log}`;
    const found = await poll(() => find() ?? (this.hasEnded && "ended"), report);
    if (found === "ended") throw new Error(`it ended without ${report()}`);
    return found;
  }

  async close() {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** The first true value of `condition()`, or an error that says what did not come about. */
export async function poll(condition, what, timeout = 20_000) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`still not: ${typeof what === "function" ? what() : what}`);
    await sleep(20);
  }
}

/**
 * A simulator and a gateway in front of it, with clients for both of OpenAI's shapes. `simulatorArgs` are the
 * simulator's, `env` is the gateway's.
 */
export async function startStack({ simulatorArgs = [], env = {} } = {}) {
  const simulator = new Process(["simulate", "--listen", "127.0.0.1:0", ...simulatorArgs]);
  let gateway;
  const close = async () => {
    await gateway?.close();
    await simulator.close();
  };
  try {
    const simulatorUrl = await simulator.expect(/(http:\/\/127\.0\.0\.1:\d+)/);
    gateway = new Process(["serve", "--listen", "127.0.0.1:0"], {
      OUTCROP_API_KEYS: KEY,
      AWS_REGION: "us-east-1",
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: simulatorUrl,
      AWS_ENDPOINT_URL_BEDROCK: simulatorUrl,
      AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME: simulatorUrl,
      AWS_ACCESS_KEY_ID: await simulator.expect(/\bAWS_ACCESS_KEY_ID=['"]?([^\s'"]+)/),
      AWS_SECRET_ACCESS_KEY: await simulator.expect(/\bAWS_SECRET_ACCESS_KEY=['"]?([^\s'"]+)/),
      ...env,
    });
    const baseURL = await gateway.expect(/(http:\/\/127\.0\.0\.1:\d+\/v1)\b/);
    return {
      baseURL,
      client: (options = {}) => new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0, timeout: 60_000, ...options }),
      azure: (options = {}) =>
        new AzureOpenAI({
          endpoint: baseURL.replace(/\/v1$/, ""),
          apiKey: KEY,
          apiVersion: "2024-10-21",
          maxRetries: 0,
          ...options,
        }),
      state: async () => (await fetch(`${simulatorUrl}/_simulator/state`)).json(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A request of one user message. */
export const ask = (content, more = {}) => ({ model: NOVA, messages: [{ role: "user", content }], ...more });

/** All chunks of a stream, and the text that they make. */
export async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return { chunks, text: chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("") };
}
