// SPDX-License-Identifier: Apache-2.0
// A real MCP server over stdio.
//   --era dual|modern   the SDK's second line, both eras or 2026-07-28 only
//   --era legacy        the SDK's first line
//   --era strict        as legacy, but it exits when the first message is not `initialize`,
//                       as servers on some other SDKs do
//   --log FILE          every line that arrives becomes a line of FILE, after one with the pid
import { PassThrough } from "node:stream";
import * as v1 from "../../node/server_v1.mjs";
import * as v2 from "../../node/server_v2.mjs";
import { offer, options, record } from "./tools.mjs";

const opt = options({ era: "dual", log: "" });
const info = { name: "fixture-stdio", version: "1.0.0" };
record(opt.log, { started: process.pid });

let first = true;
function arrived(line) {
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    message = undefined;
  }
  record(opt.log, { raw: line, message });
  if (first && opt.era === "strict" && message?.method !== "initialize") {
    process.exit(1);
  }
  first = false;
}

/** Standard input, with every line recorded on its way. */
function tapped() {
  const out = new PassThrough();
  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      arrived(line);
      out.write(line + "\n");
    }
  });
  process.stdin.on("end", () => {
    out.end();
    setTimeout(() => process.exit(0), 50);
  });
  return out;
}

if (opt.era === "legacy" || opt.era === "strict") {
  const transport = new v1.StdioServerTransport(tapped(), process.stdout);
  await offer(new v1.McpServer(info), (fields) => fields).connect(transport);
} else {
  v2.serveStdio(() => offer(new v2.McpServer(info), v1.z.object), {
    legacy: opt.era === "modern" ? "reject" : "serve",
    transport: new v2.StdioServerTransport(tapped(), process.stdout),
  });
}
