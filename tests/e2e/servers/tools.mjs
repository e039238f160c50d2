// SPDX-License-Identifier: Apache-2.0
// The tools that the fixture servers offer, said once for both lines of the SDK.
// Each answers with one text that shows what arrived, so that a test can tell a
// real answer from one that the gateway made up.
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "../../node/server_v1.mjs";

const repo = { owner: z.string(), repo: z.string() };

export const tools = [
  {
    name: "create_issue",
    input: { ...repo, title: z.string(), body: z.string().optional(), labels: z.array(z.string()).optional() },
    run: (a) => `opened in ${a.owner}/${a.repo}: ${a.title}`,
  },
  {
    name: "list_issues",
    input: { ...repo, state: z.string().optional() },
    run: (a) => `no issues in ${a.owner}/${a.repo}`,
  },
  { name: "delete_repo", input: repo, run: (a) => `deleted ${a.owner}/${a.repo}` },
  {
    name: "merge",
    input: { ...repo, number: z.number().int(), method: z.string() },
    run: (a) => `merged #${a.number} of ${a.owner}/${a.repo} by ${a.method}`,
  },
  { name: "transfer", input: { to: z.string(), amount: z.number() }, run: (a) => `sent ${a.amount} to ${a.to}` },
  {
    name: "echo",
    input: { text: z.string().optional(), value: z.unknown().optional() },
    run: (a) => `echo ${JSON.stringify(a)}`,
  },
  {
    name: "slow",
    input: { ms: z.number().int() },
    run: async (a) => {
      await sleep(a.ms);
      return `slept ${a.ms} ms`;
    },
  },
  { name: "pid", input: {}, run: () => `${process.pid}` },
  {
    name: "fail",
    input: {},
    run: () => {
      throw new Error("the tool failed by itself");
    },
  },
  { name: "die", input: {}, run: () => process.exit(3) },
];

/** Offers every tool on one McpServer; `shape` turns the fields into what that SDK line wants. */
export function offer(server, shape) {
  for (const tool of tools) {
    const config = { description: `Fixture: ${tool.name}`, inputSchema: shape(tool.input) };
    server.registerTool(tool.name, config, async (args) => ({
      content: [{ type: "text", text: String(await tool.run(args ?? {})) }],
    }));
  }
  return server;
}

/** Beside the tools: one resource and two prompts, one of them with a name that no header can carry as it is. */
export function offerMore(server) {
  server.registerResource("note", "note:///today", { title: "Today" }, async (uri) => ({
    contents: [{ uri: uri.href, text: `read ${uri.href}` }],
  }));
  for (const name of ["review", "überprüfung\tx"]) {
    server.registerPrompt(name, { description: "Fixture" }, () => ({
      messages: [{ role: "user", content: { type: "text", text: `got ${name}` } }],
    }));
  }
  return server;
}

/** Reads `--key value` pairs; every key must have a default, so a typing error is not silent. */
export function options(defaults) {
  const out = { ...defaults };
  const argv = process.argv.slice(2);
  for (let i = 0; i < argv.length; i += 2) {
    const key = argv[i].replace(/^--/, "");
    if (!(key in defaults) || argv[i + 1] === undefined) {
      throw new Error(`bad option ${argv[i]}; known: ${Object.keys(defaults).join(", ")}`);
    }
    out[key] = argv[i + 1];
  }
  return out;
}

/** Appends one line for a message that arrived, before anything is done about it. */
export function record(file, entry) {
  if (file) {
    appendFileSync(file, JSON.stringify(entry) + "\n");
  }
}
