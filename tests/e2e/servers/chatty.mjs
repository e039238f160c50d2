// SPDX-License-Identifier: Apache-2.0
// A stdio server of the legacy era that talks before it answers, without any library that would
// stop it. Tools: get_steps {count, bytes, ms}: so many rising progress notifications, with a
// message of so many bytes each; get_change: says that its list of tools changed; get_log {level}:
// a log message; put_wrong: progress for tokens that nobody gave it.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
const names = ["get_steps", "get_change", "get_log", "put_wrong"];

const run = {
  async get_steps({ count = 3, bytes = 0, ms = 0 }, token) {
    const message = "m".repeat(bytes);
    for (let progress = 1; progress <= count; progress++) {
      if (token !== undefined)
        send({
          method: "notifications/progress",
          params: { progressToken: token, progress, total: count, message, extra: 1 },
        });
      if (ms) await sleep(ms);
      else if (progress % 64 === 0) await new Promise((next) => setImmediate(next));
    }
    return `took ${count} steps`;
  },
  async get_change() {
    send({ method: "notifications/tools/list_changed" });
    return "changed";
  },
  async get_log({ level }) {
    send({ method: "notifications/message", params: { level, logger: "chatty", data: { text: level } } });
    return "logged";
  },
  async put_wrong(_, token) {
    for (const wrong of [Number(token) + 1, String(token), "t", -1, null])
      send({ method: "notifications/progress", params: { progressToken: wrong, progress: 1 } });
    return "done";
  },
};

async function take({ id, method, params }) {
  if (method === "initialize") {
    const { protocolVersion } = params;
    const serverInfo = { name: "chatty", version: "1" };
    send({ id, result: { protocolVersion, capabilities: { tools: { listChanged: true }, logging: {} }, serverInfo } });
  } else if (method === "tools/list") {
    send({ id, result: { tools: names.map((name) => ({ name, inputSchema: { type: "object" } })) } });
  } else if (method === "tools/call") {
    const text = await run[params.name](params.arguments ?? {}, params._meta?.progressToken);
    send({ id, result: { content: [{ type: "text", text }] } });
  } else if (method === "logging/setLevel") {
    send({ id, result: {} });
  } else if (id !== undefined) {
    send({ id, error: { code: -32601, message: "no such method" } });
  }
}

createInterface({ input: process.stdin }).on("line", (line) => take(JSON.parse(line)));
